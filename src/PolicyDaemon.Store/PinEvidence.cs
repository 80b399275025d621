namespace PolicyDaemon.Store;

/// <summary>The decision that brought a pin into its state, from the audit log.</summary>
/// <param name="Actor">Who: a person, or the prober.</param>
/// <param name="ChangeId">The change.</param>
/// <param name="Time">When.</param>
/// <param name="Rule">The rule of the life cycle; null where a person decided.</param>
/// <param name="Reason">The rule's words, or the person's; null where none were given.</param>
public sealed record PinEvidence(string Actor, long ChangeId, DateTimeOffset Time, string? Rule, string? Reason)
{
    /// <summary>In a line.</summary>
    public string Text => FormattableString.Invariant(
        $"{(Rule is null ? Actor : $"{Actor}, rule {Rule}")}, change {ChangeId}{(Reason is null ? "" : $": {Reason}")}");
}
