using PolicyDaemon.Core.Findings;

namespace PolicyDaemon.Daemon.Alerts;

/// <summary>A finding that people are to be told of now.</summary>
/// <param name="Finding">With what they were told before.</param>
/// <param name="Event">Why.</param>
/// <param name="Escalation">The escalation that is reached by it; 0 before the first.</param>
internal readonly record struct DueAlert(FindingAlert Finding, AlertEvent Event, int Escalation);
