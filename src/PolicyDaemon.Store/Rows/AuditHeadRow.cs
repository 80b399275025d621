namespace PolicyDaemon.Store.Rows;

/// <summary>The end of the audit log.</summary>
internal sealed class AuditHeadRow
{
    public long Sequence { get; set; }

    public string Hash { get; set; } = "";
}
