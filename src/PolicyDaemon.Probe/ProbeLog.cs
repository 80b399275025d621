using Microsoft.Extensions.Logging;

namespace PolicyDaemon.Probe;

/// <summary>What the prober and discovery log, event ids 4000 to 4099. Findings are the ledger's; here is what concerns the prober itself.</summary>
internal static partial class ProbeLog
{
    [LoggerMessage(4000, LogLevel.Information, "The prober probes {Count} destinations")]
    public static partial void Started(this ILogger logger, int count);

    [LoggerMessage(4001, LogLevel.Debug, "{NextHop}: {Verdict} ({Reason})")]
    public static partial void Probed(this ILogger logger, string nextHop, string verdict, string reason);

    [LoggerMessage(4002, LogLevel.Information, "{NextHop}: pin {Fingerprint} is {State} now: {Reason}")]
    public static partial void PinMoved(this ILogger logger, string nextHop, string fingerprint, string state, string reason);

    [LoggerMessage(4003, LogLevel.Warning, "The prober cannot read or write its ledger and tries again in {Delay}: {Error}")]
    public static partial void LedgerUnavailable(this ILogger logger, TimeSpan delay, string error);

    [LoggerMessage(4004, LogLevel.Error, "Probing {NextHop} failed; it is tried again in {Delay}")]
    public static partial void ProbeFailed(this ILogger logger, Exception exception, string nextHop, TimeSpan delay);

    [LoggerMessage(4005, LogLevel.Warning, "The brake is on: {Why}; no pin changes by itself")]
    public static partial void BrakeOn(this ILogger logger, string why);

    [LoggerMessage(4006, LogLevel.Warning, "The trusted resolver does not pass its self-test, its AD bit does not count: {Detail}")]
    public static partial void ResolverNotValidating(this ILogger logger, string detail);

    [LoggerMessage(4008, LogLevel.Warning, "The clock was set {Way} by {Jump}: {Recalled} destinations that it had put off are due now")]
    public static partial void ClockJumped(this ILogger logger, string way, string jump, int recalled);

    [LoggerMessage(4007, LogLevel.Warning, "The resolver answers nothing that the prober asks")]
    public static partial void ResolverFails(this ILogger logger);

    [LoggerMessage(4016, LogLevel.Warning, "No connection reaches {Failing} of {All} destinations")]
    public static partial void NetworkFails(this ILogger logger, int failing, int all);

    [LoggerMessage(4010, LogLevel.Information, "{NextHop}: discovered {Answer} now, {Before} before (row {Row})")]
    public static partial void VerdictChanged(this ILogger logger, string nextHop, string before, string answer, string row);

    [LoggerMessage(4011, LogLevel.Debug, "{NextHop}: discovered {Answer} (row {Row})")]
    public static partial void DestinationDiscovered(this ILogger logger, string nextHop, string answer, string row);

    [LoggerMessage(4012, LogLevel.Error, "Discovering {NextHop} failed; it is tried again when it is asked for")]
    public static partial void DiscoveryFailed(this ILogger logger, Exception exception, string nextHop);

    [LoggerMessage(4013, LogLevel.Warning, "{Count} discovered destinations cannot be written down and are kept in memory: {Error}")]
    public static partial void DiscoveredNotWritten(this ILogger logger, int count, string error);
}
