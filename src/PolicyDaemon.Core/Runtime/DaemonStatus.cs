using System.Text.Json.Serialization;
using PolicyDaemon.Core.Findings;

namespace PolicyDaemon.Core.Runtime;

/// <summary>What the running daemon says of itself, in the file <c>store.status_file</c>, for <c>policyctl status</c> and monitoring.</summary>
/// <remarks>A statement of the past: <see cref="DaemonLock"/> tells whether its author still runs. Times are ISO 8601 UTC.</remarks>
/// <param name="Version">The program's version.</param>
/// <param name="ProcessId">The daemon's process.</param>
/// <param name="StartedAt">When the daemon started.</param>
/// <param name="WrittenAt">When this status was written.</param>
/// <param name="Endpoints">Where the daemon answers, as <c>socketmap inet:127.0.0.1:8461</c>.</param>
/// <param name="Snapshot">The snapshot in force; null while there is none, and every answer is a temporary error.</param>
/// <param name="Counters">Lookups since the daemon started.</param>
/// <param name="Findings">The open findings, the daemon's own and those that the store had when it was read last, the worst first and of many the first
/// ones; see <see cref="OpenFindings"/>.</param>
/// <param name="Prober">The state of the prober; null from a version that had none.</param>
public sealed record DaemonStatus(
    string Version,
    int ProcessId,
    DateTimeOffset StartedAt,
    DateTimeOffset WrittenAt,
    IReadOnlyList<string> Endpoints,
    SnapshotStatus? Snapshot,
    LookupCounts Counters,
    IReadOnlyList<FindingJson> Findings,
    ProberStatus? Prober = null)
{
    /// <summary>How many findings are open, those among them that are not listed; null from a version that did not count.</summary>
    public OpenFindingCounts? FindingCounts { get; init; }

    /// <summary>Log lines that were dropped since it started, because nobody read its standard output or it could not be written.</summary>
    public long LogLinesDropped { get; init; }

    /// <summary>What became of alerts, by channel.</summary>
    public IReadOnlyList<AlertChannelStatus> AlertChannels { get; init; } = [];

    /// <summary>Destinations without an entry; null where discovery is off.</summary>
    public DiscoveryStatus? Discovery { get; init; }

    /// <summary>How long changes took from their commit until they were served (<see cref="DurationBounds.ChangeToLive"/>); null from a version that did not count.</summary>
    public DurationCount? ChangeToLive { get; init; }
}

/// <summary>What discovery does, and did since the daemon started.</summary>
/// <param name="Mode"><c>on</c> or <c>observe</c>.</param>
/// <param name="Known">Destinations in memory, by verdict.</param>
/// <param name="Running">Destinations that are being discovered now.</param>
/// <param name="Waiting">Lookups that wait for a verdict now.</param>
/// <param name="Lookups">Lookups by the source of their answer: entry, parent, dane, sts, nothing (discovered, and nothing is published), default (the entry *), none.</param>
/// <param name="FirstSights">Lookups of destinations that were not known.</param>
/// <param name="TimedOut">Of these: the verdict did not come in time.</param>
/// <param name="NotWaited">Of these: there was no room to wait, or <c>wait</c> is zero.</param>
/// <param name="Stale">Answers that were due to be renewed.</param>
/// <param name="Trouble">Why so much fails that the cause is here; null where it does not.</param>
public sealed record DiscoveryStatus(
    string Mode, IReadOnlyDictionary<string, long> Known, int Running, int Waiting, IReadOnlyDictionary<string, long> Lookups, long FirstSights, long TimedOut,
    long NotWaited, long Stale, string? Trouble)
{
    /// <summary>How long discoveries took, with buckets at most 0.01, 0.05, 0.1, 0.25, 0.5, 1, 1.5, 5 and 15 seconds; null from a version that did not count.</summary>
    public DurationCount? Durations { get; init; }

    /// <summary>How often a resolver failed to answer a question, by timeout, servfail, refused, bogus and other.</summary>
    public IReadOnlyDictionary<string, long> DnsFailures { get; init; } = EmptyCounts;

    /// <summary>Attempts to fetch a policy of MTA-STS, by result.</summary>
    public IReadOnlyDictionary<string, long> Fetches { get; init; } = EmptyCounts;

    /// <summary>Verdicts that became stricter.</summary>
    public long ChangesUp { get; init; }

    /// <summary>Verdicts that became weaker.</summary>
    public long ChangesDown { get; init; }

    /// <summary>Policies in force that end within a day unless they are renewed.</summary>
    public long NearLapse { get; init; }

    private static readonly IReadOnlyDictionary<string, long> EmptyCounts = new Dictionary<string, long>();
}

/// <summary>The snapshot in force.</summary>
/// <param name="Source"><c>store</c>, or <c>file</c> while the store cannot be used and the last good snapshot answers.</param>
/// <param name="StoreId">The store it shows.</param>
/// <param name="Sequence">The last audit row it includes.</param>
/// <param name="Hash">That row's hash.</param>
/// <param name="Destinations">How many keys it holds.</param>
/// <param name="LoadedAt">When it came into force.</param>
public sealed record SnapshotStatus(
    string Source, string StoreId, long Sequence, string Hash, int Destinations, DateTimeOffset LoadedAt)
{
    private const string Store = "store";
    private const string File = "file";

    /// <summary>False while the store cannot be used and the last good snapshot answers.</summary>
    /// <remarks>A method, as JSON has every property.</remarks>
    public bool IsOfStore() => Source == Store;

    /// <summary>The source of a snapshot.</summary>
    /// <param name="isOfStore">False for the last good snapshot, while the store cannot be used.</param>
    public static string SourceOf(bool isOfStore) => isOfStore ? Store : File;
}

/// <summary>Lookups since the daemon started, by answer.</summary>
public sealed record LookupCounts(
    long Found, long NotFound, long Temporary, long Permanent, long NearMisses, ConnectionCounts Connections, long ProtocolErrors)
{
    /// <summary>The same lookups by protocol, map, answer and level; those that never happened are left out.</summary>
    public IReadOnlyList<AnswerCount> Answers { get; init; } = [];

    /// <summary>How long one in 64 of them took (<see cref="DurationBounds.Lookup"/>); null from a version that did not count.</summary>
    public DurationCount? Durations { get; init; }
}

/// <summary>How many lookups had an answer since the daemon started.</summary>
/// <param name="Protocol"><c>socketmap</c> or <c>tcp_table</c>.</param>
/// <param name="Map"><c>tlspolicy</c> or <c>tlspolicy-tlsrpt</c>; <c>other</c> for a map that is not served, and for a request that could not be read.</param>
/// <param name="Answer"><c>found</c>, <c>not-found</c>, <c>temporary</c> or <c>permanent</c>.</param>
/// <param name="Level">The TLS security level of the policy; null where none was found.</param>
/// <param name="Count">Lookups.</param>
public sealed record AnswerCount(string Protocol, string Map, string Answer, string? Level, long Count);

/// <summary>What became of the alerts of a channel since the daemon started.</summary>
/// <param name="Channel">Its configuration key: <c>alert_command</c> or <c>alert_webhook</c>.</param>
/// <param name="Delivered">Alerts that were delivered.</param>
/// <param name="GivenUp">Alerts that were not, after all attempts.</param>
/// <param name="FailedAttempts">Attempts that failed, the last of those given up among them.</param>
public sealed record AlertChannelStatus(string Channel, long Delivered, long GivenUp, long FailedAttempts);

/// <summary>Lookup connections since the daemon started.</summary>
/// <param name="Accepted">All that were accepted.</param>
/// <param name="Open">Those that are open now.</param>
/// <param name="Evicted">Idle ones that made way for new ones at the limit.</param>
/// <param name="Refused">New ones that were closed because none could make way.</param>
/// <param name="TimedOut">Those that were ended because a request did not arrive, or a reply was not taken, in time.</param>
/// <param name="AcceptErrors">Failures to accept one, for want of descriptors above all.</param>
public sealed record ConnectionCounts(long Accepted, long Open, long Evicted, long Refused, long TimedOut, long AcceptErrors);

/// <summary>Reads and writes <see cref="DaemonStatus"/> without reflection.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, Converters = [typeof(UtcTimeConverter)], WriteIndented = true)]
[JsonSerializable(typeof(DaemonStatus))]
public sealed partial class DaemonStatusJson : JsonSerializerContext;
