using System.Text;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Discovery;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Serving;
using PolicyDaemon.Store.Discovery;

namespace PolicyDaemon.Daemon.Discovery;

/// <summary>Keeps discovery's findings in the store in line with what was found: written when they change, a moment later, and bounded.</summary>
/// <remarks>A destination without findings, which is nearly every one, costs one search in a set. What cannot be written now is tried again.</remarks>
/// <param name="store">Where findings are kept.</param>
/// <param name="current">The entries: what has one is answered by it, and discovery has nothing to say about it.</param>
/// <param name="postfix">What "not found" amounts to.</param>
/// <param name="answers">False where nothing is answered: then no destination's mail depends on what was found, and what was open settles.</param>
/// <param name="time">The clock.</param>
internal sealed class DiscoveryFindings(DiscoveredStore store, ICurrentSnapshot current, PostfixSettings postfix, bool answers, TimeProvider time)
{
    /// <summary>The subject of findings about discovery itself.</summary>
    internal const string Itself = "discovery";

    /// <summary>More than a person reads; the others are in <c>policyctl discovery list</c>.</summary>
    internal const int MostSubjects = 1000;

    private static readonly DiscoveryScope Everything = new([]);

    // The figures in its text change with every lookup, and each is a commit to disk.
    private static readonly TimeSpan BetweenTroubles = TimeSpan.FromMinutes(1);

    private readonly Lock guard = new();
    private readonly Dictionary<string, Finding[]> waiting = new(StringComparer.Ordinal);
    // What has findings in the store, or on their way there.
    private readonly HashSet<string> told = new(StringComparer.Ordinal);
    private readonly Dictionary<string, DiscoveryFloor> floors = new(StringComparer.Ordinal);
    // Policies whose renewal fails, as people are told of them, and since when.
    private readonly Dictionary<string, (Finding[] Findings, DateTimeOffset Since)> failing = new(StringComparer.Ordinal);
    private string? noted;
    private long notedAt;
    private DateTimeOffset troubleBegan = DateTimeOffset.MaxValue;
    private DateTimeOffset troubleSeen = DateTimeOffset.MinValue;

    /// <summary>Learns which are open.</summary>
    /// <exception cref="DiscoveryStoreException">The store cannot be read.</exception>
    public void Load()
    {
        var subjects = store.ReadFindingSubjects();
        lock (guard)
            told.UnionWith(subjects);
    }

    /// <summary>Takes note of what holds of a destination now.</summary>
    public void Note(Discovered memory, DiscoveryVerdict verdict, IEnumerable<DiscoveryRemark> remarks)
    {
        var key = memory.Key.Text;
        // While what was known before holds, a lookup that fails has nothing new to say: it ends no finding.
        if (verdict.LastRow is not null && IsTold(key) && !IsSettled(key))
            return;
        var floor = FloorOf(key);
        var isMet = AnswerRule.IsFloorMet(floor, !answers || verdict.IsUnknown ? null : verdict.Answer, postfix.SecurityLevel);
        Finding[] found =
        [
            .. IsSettled(key) ? [] : DiscoveryRemark.Findings(remarks, memory, time.GetUtcNow()),
            .. isMet ? (Finding[])[] : [BelowFloor(memory.Key, floor, answers, verdict, time.GetUtcNow())],
        ];
        lock (guard)
        {
            failing.Remove(key);
            if (memory.Sts is { Failure: StsStatus.FetchError or StsStatus.WebPkiInvalid, FailingSince: { } since, FetchedAt: { } tried })
            {
                if (IsOurs(since) && tried <= troubleSeen)
                    found = WithoutRenewal(found);
                else if (found.Any(IsRenewal))
                    failing[key] = (found, since);
            }
        }

        Hold(key, found);
        lock (guard)
        {
            if (floor == DiscoveryFloor.None)
                floors.Remove(key);
            else
                floors[key] = floor;
        }
    }

    /// <summary>The destinations whose entry asks for another floor than the last time; what is known of them is to be noted again.</summary>
    /// <param name="asking">Entries that may ask for one.</param>
    public IReadOnlyList<string> OfOtherFloors(IEnumerable<string> asking)
    {
        lock (guard)
            return [.. asking.Concat(floors.Keys).Distinct(StringComparer.Ordinal).Where(key => floors.GetValueOrDefault(key) != FloorOf(key))];
    }

    /// <summary>While discovery is off nothing is known of any destination, and those that are held to what they publish wait.</summary>
    /// <exception cref="DiscoveryStoreException">The store cannot be used.</exception>
    public static async Task NoteOffAsync(DiscoveredStore store, DateTimeOffset now)
    {
        var waiting = store.ReadAsking(MostSubjects, onlyWithFloor: true).Where(key => NextHop.TryParse(key, out _, out _)).ToHashSet(StringComparer.Ordinal);
        foreach (var subject in store.ReadFindingSubjects().Where(subject => !waiting.Contains(subject)))
            await store.WriteFindingsAsync(subject, [], ofNode: subject == Itself);
        foreach (var key in waiting)
            await store.WriteFindingsAsync(key, [BelowFloor(NextHop.Parse(key), null, answers: false, verdict: null, now)]);
    }

    /// <summary>Takes note that nothing is known of a destination any more.</summary>
    public void Forget(string key)
    {
        lock (guard)
            failing.Remove(key);
        Hold(key, []);
    }

    /// <summary>Takes note of our own trouble, or that there is none.</summary>
    /// <remarks>One cause, one finding: a policy whose renewal has failed since our trouble began is none of its domain's postmaster's business. It is
    /// told of once an attempt fails without that trouble.</remarks>
    public void NoteTrouble(string? trouble)
    {
        lock (guard)
        {
            if (trouble is not null)
            {
                troubleSeen = time.GetUtcNow();
                if (noted is null)
                    troubleBegan = troubleSeen;
            }

            if (trouble is not null && noted is not null && (trouble == noted || time.GetElapsedTime(notedAt) < BetweenTroubles))
                return;
            (noted, notedAt) = (trouble, time.GetTimestamp());
            if (trouble is not null)
                HoldBack();
            if (trouble is null && !told.Contains(Itself))
                return;
            told.Add(Itself);
            waiting[Itself] = trouble is null
                ? []
                : [new Finding(FindingKind.DiscoveryTrouble, Itself, trouble, "policyctl status", time.GetUtcNow())];
        }
    }

    /// <summary>Writes what waits.</summary>
    /// <exception cref="DiscoveryStoreException">The store cannot be written; what waits is kept.</exception>
    public async Task WriteAsync()
    {
        List<string> subjects;
        lock (guard)
            subjects = [.. told];
        foreach (var subject in subjects)
        {
            if (subject != Itself && IsSettled(subject))
            {
                if (FloorOf(subject) == DiscoveryFloor.None)
                    Hold(subject, []);
            }
        }

        List<KeyValuePair<string, Finding[]>> batch;
        lock (guard)
            batch = [.. waiting];
        // At once: the ledger makes few transactions of them.
        await Task.WhenAll(batch.Select(noted => WriteAsync(noted.Key, noted.Value)));
    }

    /// <summary>Takes back what is told of policies whose renewal fails for the sake of our own trouble, which is a finding itself.</summary>
    private void HoldBack()
    {
        foreach (var (key, (findings, since)) in failing.Where(policy => IsOurs(policy.Value.Since)).ToList())
        {
            failing.Remove(key);
            Hold(key, WithoutRenewal(findings));
        }
    }

    // What began to fail in the time that the trouble was concluded from.
    private bool IsOurs(DateTimeOffset since) => troubleSeen != DateTimeOffset.MinValue && since >= troubleBegan - OwnTrouble.Window;

    private static Finding[] WithoutRenewal(Finding[] findings) => [.. findings.Where(finding => !IsRenewal(finding))];

    private static bool IsRenewal(Finding finding) => finding.Kind == FindingKind.PolicyNotRenewed;

    private bool IsTold(string subject)
    {
        lock (guard)
            return told.Contains(subject);
    }

    private async Task WriteAsync(string subject, Finding[] findings)
    {
        await store.WriteFindingsAsync(subject, findings, ofNode: subject == Itself);
        lock (guard)
        {
            // What was noted meanwhile is written the next time.
            if (!ReferenceEquals(waiting[subject], findings))
                return;
            waiting.Remove(subject);
            if (findings.Length == 0)
                told.Remove(subject);
        }
    }

    private void Hold(string subject, Finding[] findings)
    {
        lock (guard)
        {
            if (!told.Contains(subject) && (findings.Length == 0 || told.Count >= MostSubjects))
                return;
            told.Add(subject);
            waiting[subject] = findings;
        }
    }

    /// <summary>True where nothing about a destination concerns anybody: an entry answers for it, and no lookup asks for its verdict any more, or nothing
    /// is answered at all.</summary>
    private bool IsSettled(string key) => !answers || IsEntered(key);

    private DiscoveryFloor FloorOf(string key) => current.Current is { } snapshot
        && snapshot.TryFind(Encoding.ASCII.GetBytes(key), MapName.TlsPolicy, time, out var entry) && entry.Role == EntryRole.Discovers
            ? entry.Floor
            : DiscoveryFloor.None;

    private static Finding BelowFloor(NextHop key, DiscoveryFloor? floor, bool answers, DiscoveryVerdict? verdict, DateTimeOffset now) => new(
        FindingKind.FloorNotMet, key.Text,
        $"mail to {key} is deferred: its entry takes {(floor is { } least ? $"at least {least.Name()}" : "no less than its floor")} of what it publishes, and "
        + (!answers || verdict is null ? "discovery is not on (mode in [discovery])"
            : verdict.IsUnknown ? $"nothing is known: {verdict.Row.Phrase()}"
            : $"what it publishes comes to {verdict.Answer.Name()}: {verdict.Row.Phrase()}"),
        answers ? $"policyctl discovery refresh {Shell.Quote(key.Text)}" : $"policyctl explain {Shell.Quote(key.Text)}", now);

    private bool IsEntered(string key)
    {
        if (current.Current is not { } snapshot)
            return false;
        var octets = Encoding.ASCII.GetBytes(key);
        snapshot.TryFind(octets, MapName.TlsPolicy, time, out var entry);
        return Precedence.Of(entry.Role, octets, new SnapshotSources(snapshot, time, Everything)) is Origin.Entry or Origin.Parent;
    }
}
