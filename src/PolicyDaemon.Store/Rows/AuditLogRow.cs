namespace PolicyDaemon.Store.Rows;

/// <summary>A row of the audit log beside the change that it belongs to; without one where somebody deleted it.</summary>
internal sealed class AuditLogRow
{
    public long Sequence { get; set; }

    public long ChangeId { get; set; }

    public long? Time { get; set; }

    public string? Actor { get; set; }

    public string? LoginUser { get; set; }

    public string? SudoUser { get; set; }

    public string? Command { get; set; }

    public string? Reason { get; set; }

    public string Action { get; set; } = "";

    public string? Key { get; set; }

    public string? Before { get; set; }

    public string? After { get; set; }

    public string? AnswerBefore { get; set; }

    public string? AnswerAfter { get; set; }

    public string? Evidence { get; set; }

    public string PreviousHash { get; set; } = "";

    public string Hash { get; set; } = "";
}
