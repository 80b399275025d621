using PolicyDaemon.Core.Audit;

namespace PolicyDaemon.Store.Changes;

/// <summary>Where a change comes from.</summary>
/// <param name="Actor">Who.</param>
/// <param name="Command">The command as given.</param>
/// <param name="Reason">Why; null where nobody said. A change that weakens takes a person's.</param>
public sealed record ChangeOrigin(Actor Actor, string Command, string? Reason = null)
{
    /// <summary>The rules of the pin life cycle made it, and no person: whatever its reason says, it may not weaken anything.</summary>
    public bool IsAutomation { get; init; }
}

/// <summary>What a committed change left behind.</summary>
/// <param name="ChangeId">What <c>undo</c> takes; 0 where nothing changed.</param>
/// <param name="Rows">How many keys changed.</param>
/// <param name="Head">The end of the audit log after it; belongs in the journal.</param>
public sealed record ChangeReceipt(long ChangeId, long Rows, AuditHead Head);
