using PolicyDaemon.Core.Deliveries;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Administration.Status;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Rotation;
using PolicyDaemon.Core.Runtime;
using PolicyDaemon.Core.Tables;
using PolicyDaemon.Store.Fleet;

namespace PolicyDaemon.Cli.Json;

/// <summary>The result of <c>status</c>.</summary>
/// <param name="Running">Whether policyd runs; null where that cannot be told for want of rights.</param>
/// <param name="Mail">What the state means for mail, in words.</param>
/// <param name="Daemon">What the running daemon says of itself; null where none runs.</param>
/// <param name="Behind">Rows of the audit log that the snapshot in force lacks; null where that cannot be told.</param>
/// <param name="Store">What the store holds.</param>
/// <param name="Waiting">The mail that waits in the queue of this machine's Postfix; null where there is none, or its queue may not be seen.</param>
/// <param name="Causes">What needs a person, once for each cause, the worst first.</param>
/// <param name="Findings">What a person should read.</param>
internal sealed record StatusJson(
    bool? Running, string Mail, DaemonStatus? Daemon, long? Behind, StoreStatusJson Store, WaitingMailJson? Waiting, IReadOnlyList<CauseJson> Causes,
    IReadOnlyList<FindingJson> Findings)
{
    /// <summary>The daemons that share the store; none where it is a file.</summary>
    public IReadOnlyList<NodeJson> Nodes { get; init; } = [];

    internal static StatusJson From(StatusReport status, IReadOnlyList<FindingJson> findings, WaitingMail? mail) => new(
        status.Running, MailEffect.Of(status), status.Live, status.Behind, StoreStatusJson.From(status),
        mail is null ? null : new WaitingMailJson(mail.Messages, mail.IsWhole),
        [.. StatusCause.Of(findings, mail).Select(cause => CauseJson.From(cause, mail))], findings)
    {
        Nodes = [.. status.Nodes.Select(node => NodeJson.From(node, status))],
    };
}

/// <summary>A daemon that shares the store with others.</summary>
/// <param name="Name">The node.</param>
/// <param name="Version">Of the program.</param>
/// <param name="Vantage">Those that probe in place of one another have the same.</param>
/// <param name="Probes">Whether it is the one that probes and alerts.</param>
/// <param name="MayProbe">False where <c>enabled = no</c>, or where its user of the server may not.</param>
/// <param name="Stale">Whether nothing was heard of it for a minute.</param>
/// <param name="Behind">Rows of the audit log that it lacked when it was there last; null where that cannot be told.</param>
/// <param name="Seen">When it was there last, by the server's clock.</param>
/// <param name="ClockAhead">Seconds by which its clock is ahead of the server's.</param>
/// <param name="Digest">The algorithm of fingerprints that it answers with.</param>
internal sealed record NodeJson(
    string Name, string Version, string Vantage, bool Probes, bool MayProbe, bool Stale, long? Behind, DateTimeOffset Seen, double ClockAhead, string Digest)
{
    internal static NodeJson From(NodeState node, StatusReport status) => new(
        node.Name, node.Version, node.Vantage, node.HoldsLease, node.MayProbe, node.IsStale, status.BehindOf(node), node.Seen, node.Ahead.TotalSeconds, node.Digest);
}

/// <summary>The mail in Postfix's queue.</summary>
/// <param name="Messages">Deferred messages.</param>
/// <param name="Whole">False where the queue was too long to be read to its end, so that numbers are least ones.</param>
internal sealed record WaitingMailJson(long Messages, bool Whole);

/// <summary>What needs a person, once for each cause.</summary>
/// <param name="Kind">Of its findings.</param>
/// <param name="Severity">What it means for mail.</param>
/// <param name="Since">Since when the first of them is open.</param>
/// <param name="Destinations">How many destinations it concerns.</param>
/// <param name="Subjects">Their keys, or the parts of the program.</param>
/// <param name="Detail">What was seen; of several without their subjects.</param>
/// <param name="Remedy">The command that settles it, or lists the commands of several.</param>
/// <param name="WaitingMessages">Deferred messages to them; null where that is not known.</param>
/// <param name="ReturnedAt">When the first of these is returned; null where none waits.</param>
internal sealed record CauseJson(
    string Kind, string Severity, DateTimeOffset Since, long Destinations, IReadOnlyList<string> Subjects, string Detail, string Remedy,
    long? WaitingMessages, DateTimeOffset? ReturnedAt)
{
    internal static CauseJson From(StatusCause cause, WaitingMail? mail) => new(
        cause.Kind.Name(), cause.Severity.Name(), cause.Since, cause.Destinations, [.. cause.Concerned.Select(one => one.Subject)], cause.Detail,
        cause.Remedy, cause.WaitingMessages, cause.Mail is { } count ? mail?.Returned(count) : null);
}

/// <summary>The store.</summary>
/// <param name="File">The database.</param>
/// <param name="Problem">Why it cannot be read; null where it can, and then the rest is null.</param>
/// <param name="Destinations">How many keys are configured.</param>
/// <param name="Observed">How many of them are not enforced.</param>
/// <param name="Levels">How many keys each level has.</param>
/// <param name="Pins">How many pins are in each state.</param>
/// <param name="Sequence">The last row of the audit log.</param>
/// <param name="Head">That row's hash.</param>
/// <param name="Verdicts">How many enforced keys have each verdict; those that were never probed are in none.</param>
/// <param name="ObservedVerdicts">The same of keys that are not enforced: what enforcing them would have done.</param>
/// <param name="OnlyRead">Why nobody can write it, which is read as it lies; null where somebody can.</param>
/// <param name="Temporary">Keys whose entry ends by itself, the next one first and a hundred at most.</param>
internal sealed record StoreStatusJson(
    string File,
    string? Problem,
    long? Destinations,
    long? Observed,
    IReadOnlyDictionary<string, long>? Levels,
    IReadOnlyDictionary<string, long>? Pins,
    long? Sequence,
    string? Head,
    IReadOnlyDictionary<string, long>? Verdicts,
    IReadOnlyDictionary<string, long>? ObservedVerdicts,
    string? OnlyRead,
    IReadOnlyList<TemporaryEntryJson>? Temporary)
{
    internal static StoreStatusJson From(StatusReport status) => new(
        status.Settings.Database,
        status.StoreProblem?.Message,
        status.Counts?.Destinations,
        status.Counts?.Observed,
        status.Counts?.ByLevel.ToDictionary(level => level.Key.Name(), level => level.Value),
        status.Counts?.PinsByState.ToDictionary(state => state.Key.Name(), state => state.Value),
        status.Head?.Sequence,
        status.Head?.Hash,
        status.Counts is null ? null : Names(status.Enforced),
        status.Counts is null ? null : Names(status.Observed),
        status.OnlyRead?.Message,
        status.Counts is null ? null : [.. status.Temporary.Select(TemporaryEntryJson.From)]);

    private static Dictionary<string, long> Names(IReadOnlyDictionary<DestinationVerdict, long> counts) =>
        counts.ToDictionary(count => count.Key.Name(), count => count.Value);
}

/// <summary>A kind of finding.</summary>
/// <param name="Kind">Its name.</param>
/// <param name="Severity">What it means for mail, at least.</param>
/// <param name="Meaning">What was found.</param>
/// <param name="Mail">What becomes of mail meanwhile.</param>
/// <param name="WhatToDo">What a person does about it.</param>
/// <param name="Partner">What one tells the partner; null where the cause is not the partner's.</param>
/// <param name="EndsByItself">False where only a person ends it.</param>
internal sealed record FindingKindJson(string Kind, string Severity, string Meaning, string Mail, string WhatToDo, string? Partner, bool EndsByItself);

/// <summary>The mail that waits for a destination, in the queue of this machine's Postfix.</summary>
/// <param name="Messages">Deferred messages.</param>
/// <param name="Whole">False where that is a least number.</param>
/// <param name="OldestAt">When the first of them arrived.</param>
/// <param name="ReturnedAt">When it is returned to its sender; null where maximal_queue_lifetime is not known.</param>
/// <param name="Reason">Why it waits, as Postfix says it.</param>
internal sealed record DestinationMailJson(long Messages, bool Whole, DateTimeOffset OldestAt, DateTimeOffset? ReturnedAt, string Reason)
{
    internal static DestinationMailJson? From(WaitingMail? mail, NextHop key) => mail?.Of(key) is { } count
        ? new(count.Messages, mail.IsWhole, count.Oldest, mail.Returned(count), count.Reason)
        : null;
}

/// <summary>An entry that ends by itself.</summary>
/// <param name="Key">The canonical key.</param>
/// <param name="Level">Its level until then.</param>
/// <param name="Until">When it ends.</param>
/// <param name="Then">What it comes to then, as a policy in the syntax of <c>apply</c>; null where the entry goes.</param>
internal sealed record TemporaryEntryJson(string Key, string Level, DateTimeOffset Until, string? Then)
{
    internal static TemporaryEntryJson From(Destination entry) =>
        new(entry.Key.Text, entry.Policy.Level.Name(), entry.Until!.Value, EntryAttributes.Text("then", entry));
}
