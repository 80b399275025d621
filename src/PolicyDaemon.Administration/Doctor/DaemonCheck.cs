using System.Globalization;
using PolicyDaemon.Administration.Status;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Runtime;

namespace PolicyDaemon.Administration.Doctor;

/// <summary>Whether policyd runs and has something to answer from, and what of its findings needs a person.</summary>
public static class DaemonCheck
{
    private const string Name = "daemon";
    private const string Log = "journalctl -u policyd -n 50";

    private static readonly TimeSpan Beginning = TimeSpan.FromMinutes(1);

    public static IEnumerable<DoctorFinding> Judge(StatusReport status)
    {
        ArgumentNullException.ThrowIfNull(status);
        yield return OfDaemon(status);
        if (status.Live is { LogLinesDropped: > 0 } loud)
            yield return DoctorFinding.Note(Name, string.Create(CultureInfo.InvariantCulture, $"{loud.LogLinesDropped} lines of its log were dropped since it started: nobody read them, or they could not be written"));
        if (OfProber(status) is { } prober)
            yield return prober;
    }

    /// <summary>What is open and needs a person, in one line: <c>status</c> has them all.</summary>
    public static DoctorFinding Findings(StatusReport status)
    {
        ArgumentNullException.ThrowIfNull(status);
        const string Findings = "findings";
        if (status.StoreProblem is not null && status.Live is null)
            return DoctorFinding.Unknown(Findings, "neither the store nor the daemon can be asked what is open");
        if (status.Open?.Causes is not { NeedPerson: > 0 and var open } causes)
            return DoctorFinding.Ok(Findings, "nothing is open that needs a person");
        var text = $"{Phrases.Count(open, "thing")} {(open == 1 ? "needs" : "need")} a person: "
            + string.Join(", ", causes.Shown.Where(cause => cause.NeedsPerson).Take(3).Select(cause => $"{cause.Kind.Name()} {cause.Whom}"))
            + (open > 3 ? FormattableString.Invariant($" and {open - 3} more") : "");
        return causes.Count(FindingSeverity.MailWaits) > 0
            ? DoctorFinding.Problem(Findings, text + "; mail waits", "policyctl status")
            : DoctorFinding.Warning(Findings, text, "policyctl status");
    }

    private static DoctorFinding OfDaemon(StatusReport status) => status switch
    {
        { Elsewhere: { } elsewhere } => DoctorFinding.Unknown(Name, elsewhere),
        { Running: false } => DoctorFinding.Problem(Name, $"policyd does not run: mail waits, {DaemonAbsence.Deferred}", DaemonAbsence.Start),
        { Live: null, Running: true, Daemon: { } last } => DoctorFinding.Warning(
            Name, $"policyd runs, but has not written {status.Settings.StatusFile} since {UtcTime.Text(last.WrittenAt)}: a full disk, or a clock that was set", Log),
        { Live: null } => DoctorFinding.Unknown(Name, $"whether policyd runs cannot be told: {status.Settings.StatusFile} is not there, or you may not read it; run this as root"),
        { Live: { Snapshot: null } } => DoctorFinding.Problem(Name, $"policyd has no policies to answer from: {DaemonAbsence.Deferred}", Log, "policyctl status"),
        _ when MailEffect.IsOfLastGood(status) => DoctorFinding.Problem(
            Name, "policyd answers from the last good snapshot, since the store cannot be used: no change takes effect", "policyctl status"),
        { Live: { } live } => DoctorFinding.Ok(Name, string.Create(
            CultureInfo.InvariantCulture, $"policyd {live.Version} runs since {UtcTime.Text(live.StartedAt)}, process {live.ProcessId}: {MailEffect.Of(status)}")),
    };

    private static DoctorFinding? OfProber(StatusReport status) => status.Live?.Prober switch
    {
        // It begins after the answers do.
        { State: "failing", Problem: var problem } when status.Live.WrittenAt - status.Live.StartedAt < Beginning =>
            DoctorFinding.Note("prober", $"policyd has just started, and the prober does not probe yet: {problem}"),
        { State: "failing", Problem: var problem } => DoctorFinding.Problem("prober", $"the prober cannot work: {problem}; pins do not follow their servers", Log),
        { State: "waiting" } => DoctorFinding.Ok("prober", "it waits for its turn among the nodes over the same store"),
        { State: "refused", Problem: var problem } => DoctorFinding.Note("prober", $"this node {problem}"),
        { State: "off" } => DoctorFinding.Note("prober", "the prober is off (enabled = no in [probe]): pins do not follow their servers"),
        { State: "on", Destinations: var count } => DoctorFinding.Ok("prober", $"it watches {Phrases.Count(count, "destination")}"),
        _ => null,
    };
}
