using System.Collections.Concurrent;
using System.Diagnostics;
using PolicyDaemon.EndToEnd.Lab;

namespace PolicyDaemon.EndToEnd.Forecasts;

/// <summary>Checks every kind of server, sends a mail to it under every policy, and compares.</summary>
internal sealed class ForecastRun(ForecastLaboratory lab)
{
    private const int Parallel = 6;

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    private readonly ConcurrentDictionary<ServerKind, CheckReport> _without = new();
    private readonly Dictionary<(ServerKind, PolicyLevel), string> _policies = [];
    private readonly Dictionary<(ServerKind, PolicyLevel), string> _faults = [];
    private readonly ConcurrentDictionary<(ServerKind, PolicyLevel), CheckReport> _inForce = new();
    private readonly Dictionary<(string QueueId, string Recipient), List<DeliveryAttempt>> _attempts = [];
    private readonly Dictionary<string, string> _queueIds = [];
    private readonly DeliveryAttempt.Reader _reader = new();
    private int _linesRead;

    public async Task<IReadOnlyList<Comparison>> RunAsync(Action<string> say)
    {
        var watch = Stopwatch.StartNew();
        void Say(string text) => say($"{watch.Elapsed:mm\\:ss} {text}");

        var kinds = lab.Book.All;
        await EachAsync(kinds, async kind => _without[kind] = new CheckReport(await lab.Empty.JsonAsync("check", kind.Key)));
        Say($"{kinds.Count} kinds of server checked without an entry");
        foreach (var level in PolicyLevel.All) await ServeAsync(level);
        Say($"{_policies.Count} policies are served");

        var checks = EachAsync(_policies.Keys.ToList(), async pair =>
            _inForce[pair] = new CheckReport(await lab.DaemonOf(pair.Item2).JsonAsync("check", pair.Item1.Key)));
        var messages = new Dictionary<ServerKind, string>();
        foreach (var kind in kinds)
        {
            string[] recipients = [.. LevelsOf(kind).Select(level => level.RecipientAt(kind))];
            if (recipients.Length > 0) messages[kind] = await lab.Sender.SubmitAsync(recipients);
        }

        Say($"{_policies.Count} mails are on their way");
        var submitted = Stopwatch.StartNew();
        await AwaitAsync(messages, (_, _) => 1);
        Say("each was tried");
        // By Postfix' own clock, in whole seconds.
        if (ForecastLaboratory.Wait + TimeSpan.FromSeconds(2) - submitted.Elapsed is { Ticks: > 0 } left) await Task.Delay(left);
        await RetryAsync(messages);
        Say("each that waited was tried again");
        await checks;
        Say($"{_policies.Count} checks with the entry in force");
        return Compare(messages);
    }

    private IEnumerable<PolicyLevel> LevelsOf(ServerKind kind) => PolicyLevel.All.Where(level => _policies.ContainsKey((kind, level)));

    private async Task ServeAsync(PolicyLevel level)
    {
        var lines = new List<string>();
        var owners = new List<ServerKind>();
        foreach (var kind in lab.Book.All)
        {
            // Where no key was seen, the server's true ones: they are what a partner would have told.
            var policy = _without[kind].PolicyFor(level) ?? (level.Level == "fingerprint" && kind.Pins.Count > 0 ? CheckReport.Policy(kind.Pins) : null);
            if (policy is null) continue;
            _policies[(kind, level)] = policy;
            lines.Add($"{kind.Key} {policy}");
            owners.Add(kind);
        }

        foreach (var (number, reason) in await lab.ServeAsync(level, lines))
        {
            var pair = (owners[number - 1], level);
            _faults[pair] = $"import refuses \"{lines[number - 1]}\": {reason}";
            _policies.Remove(pair);
        }
    }

    /// <summary>Waits until every mail was tried so often.</summary>
    private Task AwaitAsync(Dictionary<ServerKind, string> messages, Func<ServerKind, PolicyLevel, int> attempts)
    {
        List<string> missing = [];
        return Until.TrueAsync("every mail was tried", () =>
        {
            Read();
            missing = [.. messages.SelectMany(message => LevelsOf(message.Key)
                .Where(level => Attempts(messages, message.Key, level).Count < attempts(message.Key, level))
                .Select(level => level.RecipientAt(message.Key)))];
            return Task.FromResult(missing.Count == 0);
        }, () => $"missing: {string.Join(", ", missing)}\n{lab.Sender.Log.Tail}", Patience);
    }

    /// <summary>What waits is tried once more: at may, Postfix then does without the TLS that does not work.</summary>
    private async Task RetryAsync(Dictionary<ServerKind, string> messages)
    {
        var waiting = messages.SelectMany(message => LevelsOf(message.Key).Select(level => (message.Key, level)))
            .Where(pair => Attempts(messages, pair.Key, pair.level)[^1].Status == "deferred").ToHashSet();
        foreach (var kind in waiting.Select(pair => pair.Key).Distinct()) await lab.Sender.FlushAsync(_queueIds[messages[kind]]);
        await AwaitAsync(messages, (kind, level) => waiting.Contains((kind, level)) ? 2 : 1);
    }

    private List<DeliveryAttempt> Attempts(Dictionary<ServerKind, string> messages, ServerKind kind, PolicyLevel level) =>
        _queueIds.TryGetValue(messages[kind], out var queueId) && _attempts.TryGetValue((queueId, level.RecipientAt(kind)), out var attempts) ? attempts : [];

    private void Read()
    {
        var lines = lab.Sender.Log.Lines;
        for (; _linesRead < lines.Count; _linesRead++)
        {
            if (SendingPostfix.Queued(lines[_linesRead]) is { } queued) _queueIds[queued.MessageId] = queued.QueueId;
            if (_reader.Read(lines[_linesRead]) is not { } read) continue;
            var key = (read.QueueId, read.Attempt.Recipient);
            if (!_attempts.TryGetValue(key, out var attempts)) _attempts[key] = attempts = [];
            attempts.Add(read.Attempt);
        }
    }

    private List<Comparison> Compare(Dictionary<ServerKind, string> messages)
    {
        var taken = lab.Servers.Taken;
        return
        [
            .. lab.Book.All.SelectMany(kind => PolicyLevel.All.Select(level =>
            {
                var pair = (kind, level);
                var compared = new Comparison(kind, level, _policies.GetValueOrDefault(pair))
                {
                    Before = _without[kind].At(level),
                    Fault = _faults.GetValueOrDefault(pair),
                };
                if (compared.Policy is null) return compared;
                var attempt = Attempts(messages, kind, level)[^1];
                return compared with
                {
                    InForce = _inForce[pair].AtEntry(),
                    Sentence = _inForce[pair].Mail,
                    Attempt = attempt,
                    Result = MailResults.Of(attempt, taken.GetValueOrDefault(attempt.Recipient)),
                };
            })),
        ];
    }

    private static Task EachAsync<T>(IReadOnlyCollection<T> all, Func<T, Task> action) => System.Threading.Tasks.Parallel.ForEachAsync(
        all, new ParallelOptions { MaxDegreeOfParallelism = Parallel }, async (one, _) => await action(one));
}
