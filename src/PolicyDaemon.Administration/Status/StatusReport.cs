using System.Collections.Immutable;
using PolicyDaemon.Administration.Survey;
using PolicyDaemon.Core.Audit;
using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Rotation;
using PolicyDaemon.Core.Runtime;
using PolicyDaemon.Store;
using PolicyDaemon.Store.Engines;
using PolicyDaemon.Store.Faults;
using PolicyDaemon.Store.Fleet;

namespace PolicyDaemon.Administration.Status;

/// <summary>The report of <c>status</c>, gathered from the store and from what the daemon says: on its status socket, or in the status file.</summary>
/// <param name="Settings">The configuration.</param>
/// <param name="Running">Whether a daemon holds the lock; null where the rights to tell are missing.</param>
/// <param name="Daemon">The last status of the daemon; null where it never ran, or its file may not be read.</param>
/// <param name="Counts">The counts of the store; null where the store cannot be read.</param>
/// <param name="Head">The end of the audit log; null where the store cannot be read.</param>
/// <param name="StoreProblem">Why the store cannot be read; null where it can.</param>
/// <param name="Findings">The open findings of store and daemon that are listed, each once; empty where they were only counted.</param>
public sealed record StatusReport(
    Settings Settings,
    bool? Running,
    DaemonStatus? Daemon,
    StoreCounts? Counts,
    AuditHead? Head,
    StoreException? StoreProblem,
    IReadOnlyList<FindingJson> Findings)
{
    /// <summary>How many enforced destinations have each verdict; those that were never probed have none.</summary>
    public IReadOnlyDictionary<DestinationVerdict, long> Enforced { get; init; } = ImmutableDictionary<DestinationVerdict, long>.Empty;

    /// <summary>How many observed destinations have each verdict.</summary>
    public IReadOnlyDictionary<DestinationVerdict, long> Observed { get; init; } = ImmutableDictionary<DestinationVerdict, long>.Empty;

    /// <summary>The entries that end by themselves, the next one first; of many the first ones.</summary>
    public IReadOnlyList<Destination> Temporary { get; init; } = [];

    /// <summary>How many of them are told of one by one.</summary>
    public const int MostTemporary = 100;

    /// <summary>When the report was gathered.</summary>
    public DateTimeOffset At { get; init; }

    /// <summary>What the daemon said on its status socket; null where it did not answer, and <see cref="Daemon"/> is what its status file says.</summary>
    public StatusDocument? Said { get; init; }

    /// <summary>True where the status socket may not be asked by this user, so that nothing is known of a daemon but what its file says.</summary>
    public bool IsSocketDenied { get; init; }

    /// <summary>True where neither the store nor the daemon tells which findings are open.</summary>
    public bool AreFindingsUnknown => StoreProblem is not null && Live is null;

    /// <summary>Why nobody can write the store, although it can be read; null where somebody can.</summary>
    public StoreException? OnlyRead { get; init; }

    /// <summary>That the daemon of this machine has nothing to do with the store, so that nothing is said of it; null where it has.</summary>
    public string? Elsewhere { get; init; }

    /// <summary>Why a failover of the store's server may lose changes; null where it cannot, or nobody knows.</summary>
    public string? FailoverRisk { get; init; }

    /// <summary>The status of the running daemon; null where the daemon has ended, or cannot write its status any more.</summary>
    public DaemonStatus? Live => Running != false && Daemon is { } said && IsFresh(said, At) ? said : null;

    /// <summary>Rows of the audit log that the snapshot in force lacks; null where that cannot be told.</summary>
    public long? Behind => Live?.Snapshot is { } snapshot && Head is { } head ? Math.Max(0, head.Sequence - snapshot.Sequence) : null;

    /// <summary>Rows that daemons serve and the server that was read lacks, since it is a standby; null where it lacks none.</summary>
    public long? ReadBehind => OnlyRead is not null && Head is { } head && Newest > head.Sequence ? Newest - head.Sequence : null;

    private long? Newest => ((long?[])[Head?.Sequence, Live?.Snapshot?.Sequence, .. Nodes.Select(node => node.Sequence)]).Max();

    // It writes every ten seconds. A clock that was set tells as little as an old status.
    private static readonly TimeSpan FreshFor = TimeSpan.FromMinutes(1);

    private static bool IsFresh(DaemonStatus said, DateTimeOffset at) => (at - said.WrittenAt).Duration() <= FreshFor;

    /// <summary>What is open, counted; null where it was not counted yet.</summary>
    public FindingSurvey? Open { get; init; }

    /// <summary>The daemons that share the store, by name; none where it is a file, or cannot be read.</summary>
    public IReadOnlyList<NodeState> Nodes { get; init; } = [];

    /// <summary>Rows of the audit log that a node lacked when it was there last; null where that cannot be told.</summary>
    public long? BehindOf(NodeState node)
    {
        ArgumentNullException.ThrowIfNull(node);
        return node.Sequence is { } sequence && Head is { } head ? Math.Max(0, (ReadBehind ?? 0) + head.Sequence - sequence) : null;
    }

    /// <summary>What whoever holds the lease would have written to the store.</summary>
    private static IEnumerable<FindingJson> Unattended(IReadOnlyList<NodeState> nodes, Settings settings, DateTimeOffset at) =>
        NodeFindings.Unattended(nodes, settings.Node, at).Select(finding => FindingJson.From(finding));

    /// <summary>Gathers the report.</summary>
    public static StatusReport Gather(Settings settings, TimeProvider time) => Gather(settings, time, new FindingReading());

    /// <summary>Gathers the report.</summary>
    /// <param name="settings">The configuration.</param>
    /// <param name="time">The clock.</param>
    /// <param name="reading">What is asked for of the findings, beside their counts.</param>
    public static StatusReport Gather(Settings settings, TimeProvider time, FindingReading reading)
    {
        ArgumentNullException.ThrowIfNull(reading);
        return Gather(settings, time, counted: null, reading);
    }

    /// <summary>Gathers the report for a program that only reads the store, and lets others count.</summary>
    /// <param name="settings">The configuration.</param>
    /// <param name="time">The clock.</param>
    /// <param name="survey">What was counted last; null where nothing was yet, and the report has no counts.</param>
    /// <param name="findings">What of the findings was counted last; null where nothing was yet, or nobody asks.</param>
    public static StatusReport Gather(Settings settings, TimeProvider time, StoreSurvey? survey, FindingSurvey? findings = null) =>
        Gather(settings, time, (survey, findings), new FindingReading());

    private static StatusReport Gather(Settings settings, TimeProvider time, (StoreSurvey? Store, FindingSurvey? Findings)? counted, FindingReading reading)
    {
        var elsewhere = LocalDaemon.Elsewhere(settings, time);
        var isDenied = false;
        var said = elsewhere is null ? StatusDocument.TryAsk(settings.StatusSocket, time, out isDenied) : null;
        // Who may not see the lock still sees that the daemon answers.
        bool? running = said is not null ? true : elsewhere is null ? DaemonLock.IsHeld(settings.StatusFile) : null;
        var daemon = elsewhere is null ? said?.Daemon ?? DaemonStatusFile.TryRead(settings.StatusFile) : null;
        var at = time.GetUtcNow();
        // The daemon's own findings (a store that it cannot read, above all) need not have reached the store. Of those that it has of the store it says when
        // each was seen last.
        var told = running != false && daemon is not null && IsFresh(daemon, at) ? daemon.Findings : [];
        List<FindingJson> own = [.. Once(told.Where(finding => finding.LastSeen is null))];
        FindingSurvey? open = null;
        StoreException? onlyRead = null;
        string? failoverRisk = null;
        StoreCounts? counts = null;
        AuditHead? head = null;
        StoreException? problem = null;
        IReadOnlyList<Destination> temporary = [];
        IReadOnlyList<NodeState> nodes = [];
        IReadOnlyDictionary<DestinationVerdict, long> enforced = ImmutableDictionary<DestinationVerdict, long>.Empty;
        var observed = enforced;
        try
        {
            using var store = PolicyStore.Open(settings.Database, StoreAccess.Read, time);
            // Of a program that may not write it says nothing whether others can.
            onlyRead = counted is null ? store.OnlyRead : null;
            failoverRisk = store.FailoverRisk;
            head = store.Head();
            if (counted is null)
            {
                counts = store.Counts();
                enforced = store.CountVerdicts(observed: false);
                observed = store.CountVerdicts(observed: true);
            }
            else if (counted.Value.Store is { } survey)
            {
                (counts, enforced, observed) = (survey.Counts, survey.Enforced, survey.Observed);
            }

            nodes = NodeState.Read(settings.Database);
            own = [.. own.Concat(Unattended(nodes, settings, at)).DistinctBy(finding => (finding.Kind, finding.Subject, finding.Node))];
            temporary = counts is { Temporary: 0 } ? [] : store.ReadTemporary(MostTemporary);
            own.RemoveAll(finding => FindingKinds.TryParse(finding.Kind, out var kind) && store.HasOpenFinding(kind, finding.Subject, finding.Node));
            open = counted is null
                ? FindingSurvey.Of(store, own.Concat(reading.Beside(Report(own), store)), reading)
                : counted.Value.Findings?.With(own);
        }
        catch (StoreException fault)
        {
            problem = fault;
        }

        // What it has of the store counts where the store cannot be read: otherwise the store says what is open now.
        if (problem is not null)
            open = FindingSurvey.Of(Once(told).Concat(reading.Beside(Report([.. told]), null)), reading);

        return Report(open?.Listed ?? []) with { Open = open };

        StatusReport Report(IReadOnlyList<FindingJson> findings) => new(settings, running, daemon, counts, head, problem, findings)
        {
            Enforced = enforced,
            Observed = observed,
            Temporary = temporary,
            At = at,
            Said = said,
            Elsewhere = elsewhere,
            OnlyRead = onlyRead,
            FailoverRisk = failoverRisk,
            IsSocketDenied = isDenied,
            Nodes = nodes,
        };
    }

    private static IEnumerable<FindingJson> Once(IEnumerable<FindingJson> findings) => findings.DistinctBy(finding => (finding.Kind, finding.Subject, finding.Node));
}
