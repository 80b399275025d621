namespace PolicyDaemon.Cli.Output.Json;

/// <summary>The result of <c>query</c>.</summary>
/// <param name="Server">The endpoint asked.</param>
/// <param name="Map">The socketmap's name; null for tcp_table, which has none.</param>
/// <param name="Key">The key as sent.</param>
/// <param name="Answer">What Postfix makes of the reply, or of none.</param>
internal sealed record QueryJson(string Server, string? Map, string Key, AnswerJson Answer);
