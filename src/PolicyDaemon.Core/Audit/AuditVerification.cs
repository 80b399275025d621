namespace PolicyDaemon.Core.Audit;

/// <summary>What checking the whole audit chain found.</summary>
/// <param name="Rows">How many rows were sound, from the first.</param>
/// <param name="Head">The last sound row.</param>
/// <param name="Problem">What is wrong with the first row that is not, or with the hash asked for; null where nothing is.</param>
public sealed record AuditVerification(long Rows, AuditHead Head, string? Problem)
{
    public bool IsSound => Problem is null;
}
