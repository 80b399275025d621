using System.Globalization;
using PolicyDaemon.Store.Engines;
using PolicyDaemon.Store.Engines.Choice;
using PolicyDaemon.Store.Engines.PostgreSql;
using PolicyDaemon.Store.Faults;
using PolicyDaemon.Store.Fleet;
using PolicyDaemon.Tests.Support;
using Xunit;

namespace PolicyDaemon.Tests.Daemon.Fleet;

/// <summary>Tables of a next version under a node that is there: what shuts it out is refused, and what it can read it follows, asked all the while.</summary>
[Trait(Part.Name, Part.Store)]
public sealed class UpgradeTests : IDisposable
{
    private readonly string directory = Directory.CreateTempSubdirectory("policydaemon-upgrade").FullName;
    private readonly PostgreSqlCluster server = new PostgreSqlCluster().Start();

    [Fact]
    public async Task A_node_that_is_there_is_not_shut_out_and_follows_what_it_can_read()
    {
        var store = FleetStore.Make(server);
        await using var node = await FleetNode.StartAsync(store.Words, directory);
        await node.LiveAsync(FleetNode.Known);
        await Until.TrueAsync(() => NodeState.Read(store.Words).Count == 1, what: "it says that it is there");
        var name = NodeState.Read(store.Words)[0].Name;

        var refused = Assert.Throws<StoreException>(() => Upgrade(store, readableFrom: PostgreSqlSchema.Newest + 1));
        Assert.Contains($"{name} (", refused.Message, StringComparison.Ordinal);
        Assert.Contains("Install this version there first, or stop policyd there", refused.Message, StringComparison.Ordinal);
        store.Put("refused.example");
        await node.LiveAsync("refused.example");

        Upgrade(store, readableFrom: PostgreSqlSchema.Newest);
        store.Put("upgraded.example");
        await node.LiveAsync("upgraded.example");
        Assert.Empty(node.Findings);
        await node.StopAsync();
        // Whoever is gone is in nobody's way.
        server.Sql("UPDATE node SET seen = seen - 100000");
        Upgrade(store, readableFrom: PostgreSqlSchema.Newest + 2, step: 2);
    }

    public void Dispose()
    {
        server.Dispose();
        Directory.Delete(directory, recursive: true);
    }

    /// <summary>One column more, and who may read it; this version may write it.</summary>
    private static void Upgrade(FleetStore store, long readableFrom, int step = 1)
    {
        using var session = EngineChoice.For(store.Words).Open(StoreAccess.Read);
        var migrations = Enumerable.Range(1, step).Select(number => new Migration(PostgreSqlSchema.Newest + number, string.Create(
            CultureInfo.InvariantCulture,
            $"ALTER TABLE destination ADD COLUMN IF NOT EXISTS later{number} BIGINT; INSERT INTO schema_version VALUES ({PostgreSqlSchema.Newest + number}, {readableFrom}, {PostgreSqlSchema.Newest})")));
        PostgreSqlUpgrade.Run((PostgreSqlConnection)session.Connection, store.Words, [.. PostgreSqlSchema.Migrations, .. migrations], dryRun: false, TimeSpan.FromSeconds(5));
    }
}
