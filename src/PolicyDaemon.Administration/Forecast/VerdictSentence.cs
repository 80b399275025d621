using PolicyDaemon.Core.Rotation;
using PolicyDaemon.Core.Runtime;

namespace PolicyDaemon.Administration.Forecast;

/// <summary>What the verdict of the last probe does to mail, and when it was found.</summary>
public static class VerdictSentence
{
    /// <param name="state">What is stored of the destination.</param>
    /// <param name="observed">The destination is only observed: the verdict is what enforcing it would do.</param>
    public static string Of(ProbeState state, bool observed)
    {
        ArgumentNullException.ThrowIfNull(state);
        if (state is not { Verdict: { } verdict, LastProbe: { } last, VerdictSince: { } since })
            return "not probed yet: what mail would meet is not known";
        var would = observed ? "if it were enforced, mail would be " : "mail is ";
        var text = verdict switch
        {
            DestinationVerdict.Ok => $"{would}delivered: every address that was reached would be accepted",
            DestinationVerdict.Degraded => $"{would}delivered through some addresses; others would be refused",
            DestinationVerdict.Mismatch => $"{would}deferred: every address that was reached would be refused",
            DestinationVerdict.Unreachable => $"{would}deferred while no address can be reached",
            _ => "what mail would meet is not known",
        };
        return $"{verdict.Name()} since {UtcTime.Text(since)}, last probe {UtcTime.Text(last)}: {text}";
    }
}
