using System.CommandLine;
using PolicyDaemon.Administration.Discovery;
using PolicyDaemon.Cli.Hosting;
using PolicyDaemon.Cli.Json;
using PolicyDaemon.Cli.Output;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Discovery;
using PolicyDaemon.Store.Engines;

namespace PolicyDaemon.Cli.Commands.Discovery;

/// <summary><c>discovery show|list|refresh|forget</c>: destinations without an entry, from the store.</summary>
internal static class DiscoveryVerbs
{
    private const int History = 20;

    internal static Command Show(CommandRunner runner)
    {
        var key = Arguments.Key();
        var verb = new Verb("show", "Show what discovery knows of a destination, what it is answered and why. Asks nobody.")
        {
            Columns = ["name", "value"],
            ExitCodes = "1 where nothing is remembered",
            Examples =
            [
                ("policyctl discovery show example.com", "The verdict, its row, the policy, the MX hosts, what DNS said, and what changed."),
                ("policyctl discovery refresh example.com", "The same, asked for anew."),
            ],
        };
        verb.Add(key);
        verb.SetAction(runner.Handle(context =>
        {
            using var store = context.OpenStore(StoreAccess.Read);
            var state = DiscoveredState.Read(context.Key(key), store, context.Settings, context.Host.Time.GetUtcNow(), History);
            Write(context, state, state.Evidence?.Answers ?? []);
            return state.Memory is null ? ExitCode.Negative : ExitCode.Done;
        }));
        return verb;
    }

    // The strongest first; the last one is no answer.
    private static readonly string[] Verdicts =
        [DiscoveredAnswer.DaneOnly.Name(), DiscoveredAnswer.Secure.Name(), DiscoveredAnswer.Dane.Name(), DiscoveredAnswer.NotFound.Name(), "unknown"];

    private static string VerdictsInWords => $"{string.Join(", ", Verdicts[..^1])} or {Verdicts[^1]}";

    internal static Command List(CommandRunner runner)
    {
        var verdict = new Option<string?>("--verdict") { HelpName = "V", Description = $"Only these: {VerdictsInWords}" };
        var verb = new Verb("list", "List what was discovered.")
        {
            Columns = ["key", "verdict", "row", "asked_at", "policy_expires_at", "used_at"],
            Examples =
            [
                ("policyctl discovery list --verdict secure", "Every destination with an MTA-STS policy that decides."),
                ("policyctl discovery list --format tsv | cut -f2 | sort | uniq -c", "How many have which verdict."),
            ],
        };
        verdict.CompletionSources.Add(Verdicts);
        verb.Add(verdict);
        verb.SetAction(runner.Handle(context => RunList(context, context.Get(verdict))));
        return verb;
    }

    internal static Command Refresh(CommandRunner runner)
    {
        var keys = Arguments.Keys();
        var verb = new Verb("refresh", "Ask for everything anew that a destination publishes, store it, and show it. The daemon takes it over.")
        {
            Columns = ["name", "value"],
            ExitCodes = "6 where nothing could be found out",
            Examples =
            [
                ("policyctl discovery refresh example.com", "After its postmaster has repaired the policy: do not wait for the next lookup."),
                ("policyctl discovery refresh example.com --format json | jq .dns_answers", "Every answer of DNS, for a report."),
            ],
        };
        verb.Add(keys);
        verb.SetAction(runner.Handle((context, cancellation) => RefreshAsync(context, context.Keys(keys), cancellation)));
        return verb;
    }

    internal static Command Forget(CommandRunner runner)
    {
        var keys = Arguments.Keys();
        var verb = new Verb("forget", "Forget what was discovered of a destination. Its next lookup is a first sight; how its verdict changed stays on record.")
        {
            ExitCodes = "1 where nothing was remembered; 5 where a policy is in force, which is kept until it expires",
            Examples =
            [
                ("policyctl discovery forget example.com", "As if nobody had asked for it before."),
                ("policyctl discovery forget example.com example.org", "Two of them."),
            ],
        };
        verb.Add(keys);
        verb.SetAction(runner.Handle(context => RunForget(context, context.Keys(keys))));
        return verb;
    }

    private static ExitCode RunList(CommandContext context, string? wanted)
    {
        if (wanted is not null && !Verdicts.Contains(wanted))
            throw new CommandException(ExitCode.Usage, $"'{wanted}' is no verdict; write {VerdictsInWords}");
        var (settings, now) = (context.Settings, context.Host.Time.GetUtcNow());
        using var store = context.OpenStore(StoreAccess.Read);
        var table = new Table("key", "verdict", "row", "asked_at", "policy_expires_at", "used_at");
        var rows = new List<DiscoveredJson>();
        foreach (var memory in store.ListDiscovered(onlyProtected: wanted is "dane-only" or "secure"))
        {
            var state = DiscoveredState.Of(memory.Key, memory, settings, now);
            var name = state.Verdict is { IsUnknown: false } known ? known.Answer.Name() : "unknown";
            if (wanted is not null && wanted != name)
                continue;
            if (context.Report.Format == OutputFormat.Json)
            {
                rows.Add(DiscoveredJson.From(state, settings.Postfix.SecurityLevel, [], now));
                continue;
            }

            table.Add(
                memory.Key.Text, name, state.Verdict?.Row.Name() ?? "-", state.Verdict is { } verdict ? DiscoveryText.Time(verdict.Facts.At) : "-",
                memory.Sts.InForce(now) is { } policy ? DiscoveryText.Time(policy.Expires) : "-", DiscoveryText.Time(memory.Used));
        }

        context.Report.Rows(table, rows, CliJson.Default.IReadOnlyListDiscoveredJson, whenEmpty: "Nothing was discovered.");
        return ExitCode.Done;
    }

    private static async Task<ExitCode> RefreshAsync(CommandContext context, IReadOnlyList<NextHop> keys, CancellationToken cancellation)
    {
        var settings = context.Settings;
        var scope = new DiscoveryScope(settings.Discovery.Skip);
        foreach (var outside in keys.Where(key => !scope.Includes(key)))
            throw new CommandException(ExitCode.Invalid, $"{outside} is not discovered: write a domain or [host] of the public DNS that [discovery] skip does not name");
        using var store = context.OpenStore(StoreAccess.Write);
        var evidence = new Dictionary<NextHop, DiscoveryEvidence>();
        var done = 0;
        try
        {
            using var progress = Progress.Start(context.Host, "discovering", keys.Count, worthShowing: 2);
            await DiscoveryRefresh.RunAsync(
                store, settings, keys, isAnew: true, context.Host.Time,
                result =>
                {
                    if (result.Evidence is { } found)
                        evidence[result.Memory.Key] = found;
                    progress.Report(++done);
                },
                cancellation);
        }
        catch (DiscoveryStoreException fault)
        {
            throw new CommandException(ExitCode.Invalid, fault.Message);
        }
        catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
        {
            throw DiscoveryText.Interrupted(done, keys.Count);
        }

        context.Host.Done();
        var isKnown = true;
        foreach (var key in keys)
        {
            if (keys.Count > 1 && context.Report.IsTable)
                context.Report.Line(key.Text, Tone.Heading);
            var state = DiscoveredState.Read(key, store, settings, context.Host.Time.GetUtcNow(), History);
            Write(context, state, evidence.TryGetValue(key, out var found) ? found.Answers : []);
            isKnown &= state.Verdict is { IsUnknown: false };
        }

        return isKnown ? ExitCode.Done : ExitCode.Inconclusive;
    }

    private static ExitCode RunForget(CommandContext context, IReadOnlyList<NextHop> keys)
    {
        var now = context.Host.Time.GetUtcNow();
        using var store = context.OpenStore(StoreAccess.Write);
        // Whoever can make lookups fail must gain nothing by it (RFC 8461 section 10.2); an exemption is an entry, on record and with an end.
        foreach (var key in keys)
        {
            if (store.FindDiscovered(key)?.Sts.InForce(now) is { } policy)
            {
                throw new CommandException(
                    ExitCode.Invalid,
                    $"{key} has an MTA-STS policy in force until {DiscoveryText.Time(policy.Expires)}, which senders keep to; where its postmaster has changed it, "
                    + $"have it fetched again: policyctl discovery refresh {Shell.Quote(key.Text)}");
            }
        }

        var all = true;
        foreach (var key in keys)
        {
            var was = store.ForgetDiscovered(key);
            all &= was;
            context.Report.Note(was ? $"{key}: forgotten." : $"{key}: nothing was remembered.");
        }

        return all ? ExitCode.Done : ExitCode.Negative;
    }

    private static void Write(CommandContext context, DiscoveredState state, IReadOnlyList<DnsAnswer> answers)
    {
        var now = context.Host.Time.GetUtcNow();
        if (context.Report.Format == OutputFormat.Json)
            context.Report.Json(DiscoveredJson.From(state, context.Settings.Postfix.SecurityLevel, answers, now), CliJson.Default.DiscoveredJson);
        else if (context.Report.Format == OutputFormat.Tsv)
            context.Report.Facts([("key", state.Key.Text), .. DiscoveryText.Facts(state, context.Settings, now)], default!, CliJson.Default.DiscoveredJson);
        else
            DiscoveryText.Write(context.Report, state, context.Settings, answers, now);
    }
}
