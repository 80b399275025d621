namespace PolicyDaemon.Cli.Output.Json;

/// <summary>A row of <c>pin list</c>.</summary>
/// <param name="Key">The destination.</param>
/// <param name="Pin">The pin.</param>
internal sealed record ListedPinJson(string Key, PinJson Pin);
