using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Rotation;
using PolicyDaemon.Core.Runtime;

namespace PolicyDaemon.Administration.Forecast;

/// <summary>What the verdict of the last probe does to mail, and when it was found.</summary>
public static class VerdictSentence
{
    // A probe that a lookup has just made due takes its turn.
    private static readonly TimeSpan Punctual = TimeSpan.FromMinutes(1);

    /// <param name="state">What is stored of the destination.</param>
    /// <param name="observed">The destination is only observed: the verdict is what enforcing it would do.</param>
    /// <param name="key">The destination, for the command that probes it now.</param>
    /// <param name="now">The time: a verdict is as old as its probe, and mail may have met something else since.</param>
    public static string Of(ProbeState state, bool observed, string key, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(state);
        if (state is not { Verdict: { } verdict, LastProbe: { } last, VerdictSince: { } since })
            return "not probed yet: what mail would meet is not known";
        if (state.EndedSince)
            return $"{verdict.Name()} since {UtcTime.Text(since)}, when what was temporary ended: no probe has been made since; one is made with: policyctl probe {Shell.Quote(key)}";
        var would = observed ? "if it were enforced, mail would be " : "mail is ";
        var text = verdict switch
        {
            DestinationVerdict.Ok => $"{would}delivered: every address that was reached would be accepted",
            DestinationVerdict.Degraded => $"{would}delivered through some addresses; others would be refused",
            DestinationVerdict.Mismatch => $"{would}deferred: every address that was reached would be refused",
            DestinationVerdict.Unreachable => $"{would}deferred while no address can be reached",
            _ => "what mail would meet is not known",
        };
        var overdue = state.NextDue < now - Punctual ? ", and overdue: does policyd run?" : "";
        return $"{verdict.Name()} since {UtcTime.Text(since)}, as of the last probe {UtcTime.Text(last)}, {Age(now - last)}{overdue}: {text}; "
            + $"what changed since shows with: policyctl probe {Shell.Quote(key)}";
    }

    private static string Age(TimeSpan age) => age < TimeSpan.FromSeconds(2) ? "just now" : age switch
    {
        { TotalDays: >= 2 } => $"{(int)age.TotalDays} days ago",
        { TotalHours: >= 2 } => $"{(int)age.TotalHours} hours ago",
        { TotalMinutes: >= 2 } => $"{(int)age.TotalMinutes} minutes ago",
        _ => $"{(int)age.TotalSeconds} seconds ago",
    };
}
