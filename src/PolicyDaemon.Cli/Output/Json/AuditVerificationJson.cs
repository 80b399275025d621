namespace PolicyDaemon.Cli.Output.Json;

/// <summary>The result of <c>audit --verify</c>.</summary>
/// <param name="Sound">Whether the whole chain verifies and holds the hash asked for.</param>
/// <param name="Rows">How many rows are sound, from the first.</param>
/// <param name="Head">The hash of the last sound row.</param>
/// <param name="Problem">What is wrong; null where nothing is.</param>
internal sealed record AuditVerificationJson(bool Sound, long Rows, string Head, string? Problem);
