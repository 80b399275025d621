namespace PolicyDaemon.Cli.Output.Json;

/// <summary>The result of <c>query</c>.</summary>
/// <param name="Server">The endpoint asked.</param>
/// <param name="Map">The socketmap's name; null for tcp_table, which has none.</param>
/// <param name="Key">The key as sent.</param>
/// <param name="Kind"><c>found</c>, <c>not-found</c>, <c>temporary</c> or <c>permanent</c>; what Postfix makes of the reply, or of none.</param>
/// <param name="Text">The policy text, or the reason of an error.</param>
internal sealed record QueryJson(string Server, string? Map, string Key, string Kind, string Text);
