using Microsoft.Data.Sqlite;
using PolicyDaemon.Store;
using PolicyDaemon.Tests.Support;
using Xunit;

namespace PolicyDaemon.Tests.Architecture;

/// <summary>The folders of a library have an order: each can be read, and changed, with the earlier ones in mind and no other.</summary>
public class FolderTests
{
    // Durations, stored names and problems at the root are what every folder may use.
    private static readonly string[] OrderOfCore =
    [
        "", "Destinations/Idna/Tables", "Destinations/Idna", "Destinations", "Pins", "Policies", "Observations", "Deliveries", "Findings", "Rotation", "Discovery",
        "Serving", "Audit", "Tables", "Configuration", "Runtime",
    ];

    [Fact]
    public void No_folder_of_the_domain_refers_to_a_later_one()
    {
        var graph = GraphOf("Core");

        Assert.Equal(OrderOfCore.Order(StringComparer.Ordinal), graph.Folders);
        Assert.Empty(graph.Against(OrderOfCore));
        Assert.True(graph.Arrows.Count > 20, "the sources were read");
    }

    [Theory]
    [InlineData("Core")]
    [InlineData("Probe")]
    [InlineData("Store")]
    [InlineData("Lookup")]
    [InlineData("Daemon")]
    [InlineData("Administration")]
    [InlineData("Cli")]
    [InlineData("Pages")]
    [InlineData("Web")]
    public void A_library_has_no_circle_between_its_folders(string library) => Assert.Empty(GraphOf(library).Circles());

    /// <summary>An engine can be added, or another one chosen, without a look at who uses the store.</summary>
    [Fact]
    public void What_an_engine_consists_of_is_named_in_its_folder_and_where_it_is_chosen()
    {
        string[] engines = ["PolicyDaemon.Store.Engines.Sqlite", "PolicyDaemon.Store.Engines.PostgreSql"];
        var parts = typeof(PolicyStore).Assembly.GetTypes().Where(type => engines.Contains(type.Namespace) && !type.IsNested && char.IsAsciiLetter(type.Name[0]))
            .Select(type => type.Name).ToHashSet(StringComparer.Ordinal);
        Assert.Contains("SqliteEngine", parts);
        Assert.Contains("PostgreSqlEngine", parts);
        parts.UnionWith(typeof(SqliteConnection).Assembly.GetExportedTypes().Select(type => type.Name));
        parts.Add("SQLitePCL");
        parts.Add("Npgsql");
        var sources = Repository.Path("src");

        var naming = Directory.EnumerateFiles(sources, "*.cs", SearchOption.AllDirectories).Select(file => Path.GetRelativePath(sources, file))
            .Where(file => file.Split('/')[1] is not ("obj" or "bin") && !file.StartsWith("PolicyDaemon.Store/Engines/Sqlite/", StringComparison.Ordinal)
                && !file.StartsWith("PolicyDaemon.Store/Engines/PostgreSql/", StringComparison.Ordinal))
            .Where(file => CSharpTokens.Of(File.ReadAllText(Path.Combine(sources, file))).Any(parts.Contains));

        Assert.Equal(["PolicyDaemon.Store/Engines/Choice/EngineChoice.cs"], naming);
    }

    /// <summary>Which files a store has is the engine's affair. A draft of a file (Core/Runtime) takes the companions of a killed one with it, of whatever kind.</summary>
    [Fact]
    public void No_program_knows_the_files_of_an_engine()
    {
        var sources = Repository.Path("src");

        var naming = Directory.EnumerateFiles(sources, "*.cs", SearchOption.AllDirectories).Select(file => Path.GetRelativePath(sources, file))
            .Where(file => file.Split('/')[1] is not ("obj" or "bin"))
            .Where(file => File.ReadAllText(Path.Combine(sources, file)) is var text
                && (text.Contains("-wal\"", StringComparison.Ordinal) || text.Contains("-shm\"", StringComparison.Ordinal)
                    || text.Contains("File.Exists(settings.Database", StringComparison.Ordinal)))
            .Order(StringComparer.Ordinal);

        Assert.Equal(
            ["PolicyDaemon.Core/Runtime/FileDraft.cs", "PolicyDaemon.Store/Engines/Sqlite/SqliteFile.cs", "PolicyDaemon.Store/Engines/Sqlite/SqliteSession.cs"],
            naming);
    }

    /// <summary>A second engine is to pass every test of the store but these, which speak to SQLite itself or look at its files; each would have one of its own.</summary>
    [Fact]
    public void Tests_that_know_sqlite_are_known()
    {
        var tests = Repository.Path("tests", "PolicyDaemon.Tests");

        var knowing = Directory.EnumerateFiles(tests, "*.cs", SearchOption.AllDirectories).Select(file => Path.GetRelativePath(tests, file))
            .Where(file => file.Split('/')[0] is not ("obj" or "bin" or "Architecture"))
            // Single tests with a trait are left out where the store is on a server.
            .Where(file => File.ReadAllText(Path.Combine(tests, file)).Replace("Engine.Sqlite", "", StringComparison.Ordinal) is var text
                && (text.Contains("Sqlite", StringComparison.Ordinal) || text.Contains("PRAGMA", StringComparison.Ordinal) || text.Contains("-wal", StringComparison.Ordinal)))
            .Order(StringComparer.Ordinal);

        Assert.Equal(
            [
                // To write into a store what no program writes.
                "Cli/AuditAndUndoTests.cs",
                // The cache of another program, which is one of SQLite whatever keeps our store.
                "Cli/DiscoveryIntakeTests.cs",
                "Cli/DomainTests.cs",
                "Cli/ExportTests.cs",
                // Stores of older versions.
                "Cli/InitTests.cs",
                // To write into a store what no program writes.
                "Cli/ReportTests.cs",
                "Daemon/Discovery/DiscoveryServiceTests.cs",
                "Remedies/StoreScenario.cs",
                "Store/AuditTests.cs",
                // SQL is compared between the engines.
                "Store/Engines/StatementGuardTests.cs",
                "Store/MigrationTests.cs",
                // Locked, full, damaged and replaced stores.
                "Store/Probing/LedgerFaultTests.cs",
                "Store/ReadingFaultTests.cs",
                "Store/Snapshots/SnapshotLoaderFaultTests.cs",
                "Store/StoreFaultTests.cs",
                "Store/TemporaryStore.cs",
                "Support/Part.cs",
                "Support/PostgreSqlServer.cs",
            ],
            knowing);
    }

    [Fact]
    public void A_circle_is_seen_with_the_places_that_draw_it()
    {
        var graph = FolderGraph.Of("PolicyDaemon.X",
        [
            ("A/First.cs", "namespace PolicyDaemon.X.A;\nclass First { Second? other; }"),
            ("B/Second.cs", "namespace PolicyDaemon.X.B;\nrecord struct Second(Third Next);"),
            ("C/Third.cs", "namespace PolicyDaemon.X.C;\ninterface Third { string Say() => $\"{nameof(First)} {{Outside}}\"; }"),
            ("D/Outside.cs", "using PolicyDaemon.X.A;\nenum Outside { Value }\nclass Any<T>() : Base<T>()\n    where T : struct, Outside;"),
        ]);

        Assert.Equal(
            ["A -> B (A/First.cs: Second)", "B -> C (B/Second.cs: Third)", "C -> A (C/Third.cs: First)"], graph.Circles());
        Assert.Equal(["A -> B (A/First.cs: Second)", "B -> C (B/Second.cs: Third)"], graph.Against(["A", "B", "C", "D"]));
        Assert.Equal("D/Outside.cs: using PolicyDaemon.X.A;", graph.Arrows[("D", "A")]);
    }

    [Theory]
    [InlineData("a.Type", "a . Type")]
    [InlineData("x = \"Type \\\" Type\"; // Type", "x = ;")]
    [InlineData("x = @\"Type \"\" \\\" + Type /* Type */", "x = + Type")]
    [InlineData("$\"Type {Other:Type} \\\" {{Type}}\" Last", "Other : Type Last")]
    [InlineData("$$\"\"\"Type {Type} \"\" {{Other(\"Type\")}}\"\"\" Last", "Other ( ) Last")]
    [InlineData("'\"' + '\\'' + Type", "+ + Type")]
    [InlineData("#region Type\n0x1F + @class", "+ class")]
    public void Only_code_is_read(string source, string tokens) => Assert.Equal(tokens, string.Join(' ', CSharpTokens.Of(source)));

    private static FolderGraph GraphOf(string library) =>
        FolderGraph.Of($"PolicyDaemon.{library}", Repository.Path("src", $"PolicyDaemon.{library}"));
}
