namespace PolicyDaemon.Cli.Output.Json;

/// <summary>The result of <c>backup</c>.</summary>
/// <param name="File">The copy.</param>
/// <param name="Bytes">Its size.</param>
/// <param name="Sequence">The last row of its audit log.</param>
/// <param name="Head">That row's hash.</param>
internal sealed record BackupJson(string File, long Bytes, long Sequence, string Head);
