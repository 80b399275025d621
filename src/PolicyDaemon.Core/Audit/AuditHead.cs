namespace PolicyDaemon.Core.Audit;

/// <summary>The end of an audit log: whoever kept it can prove later that nothing before it was altered or cut off.</summary>
/// <param name="Sequence">The last row's number; 0 for an empty log.</param>
/// <param name="Hash">That row's hash, 64 lower-case hexadecimal digits; empty for an empty log.</param>
public readonly record struct AuditHead(long Sequence, string Hash)
{
    public static readonly AuditHead Empty = new(0, "");
}
