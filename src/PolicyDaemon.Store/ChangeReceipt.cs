using PolicyDaemon.Core.Audit;

namespace PolicyDaemon.Store;

/// <summary>What a committed change left behind.</summary>
/// <param name="ChangeId">What <c>undo</c> takes; 0 where nothing changed.</param>
/// <param name="Rows">How many keys changed.</param>
/// <param name="Head">The end of the audit log after it; belongs in the journal.</param>
public sealed record ChangeReceipt(long ChangeId, long Rows, AuditHead Head);
