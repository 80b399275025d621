namespace PolicyDaemon.Tests.Support;

/// <summary>Which part of tests/run a test belongs to, as a trait: with none to the everyday part (<c>unit</c>).</summary>
internal static class Part
{
    /// <summary>The trait's name.</summary>
    internal const string Name = "part";

    /// <summary>Beside the end-to-end tests: what takes long, or more than a bare machine has.</summary>
    internal const string EndToEnd = "e2e";

    /// <summary>What needs a PostgreSQL server, with the tests of the store that run on it once more (<c>POLICYDAEMON_STORE=postgresql</c>).</summary>
    internal const string Store = "store";
}

/// <summary>Of which engine a test of the store knows more than the store says, as a trait; with none it holds for all.</summary>
internal static class Engine
{
    /// <summary>The trait's name.</summary>
    internal const string Name = "engine";

    /// <summary>The test looks at SQLite's files, or speaks to it as only SQLite understands it.</summary>
    internal const string Sqlite = "sqlite";
}
