namespace PolicyDaemon.Tests.Support;

/// <summary>Which part of tests/run a test belongs to, as a trait: with none to the everyday part (<c>unit</c>).</summary>
internal static class Part
{
    /// <summary>The trait's name.</summary>
    internal const string Name = "part";

    /// <summary>Beside the end-to-end tests: what takes long, or more than a bare machine has.</summary>
    internal const string EndToEnd = "e2e";
}
