namespace PolicyDaemon.Core.Findings;

/// <summary>A finding with what people have been told about it.</summary>
/// <param name="Id">Names it for ever; a finding that settles and comes back is another one.</param>
/// <param name="Finding">What it is.</param>
/// <param name="Occurrences">How often it was seen since it opened.</param>
/// <param name="LastSeen">When it was seen last, UTC.</param>
/// <param name="Closed">When it settled; null while it is open.</param>
/// <param name="Notified">When people were first told; null: not yet.</param>
/// <param name="Escalation">The highest escalation that people were told of; 0 for none.</param>
public sealed record FindingAlert(
    long Id, Finding Finding, long Occurrences, DateTimeOffset LastSeen, DateTimeOffset? Closed, DateTimeOffset? Notified, int Escalation);
