using System.Globalization;
using Microsoft.Data.Sqlite;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Store.Migrations;
using Xunit;

namespace PolicyDaemon.Tests.Store;

/// <summary>
/// Every migration starts from a store that the version before it made: <c>Store/Fixtures/NNNN.sql</c> is such a store's dump
/// (<c>sqlite3 policy.db .dump</c>, with its user_version), kept when version NNNN is the newest. 0000 is an empty file.
/// </summary>
public class MigrationTests
{
    public static TheoryData<long> Versions => [.. Migration.All.Select(migration => migration.Version)];

    [Fact]
    public void Migrations_are_numbered_without_a_gap() =>
        Assert.Equal(Enumerable.Range(1, Migration.All.Count).Select(number => (long)number), Migration.All.Select(migration => migration.Version));

    [Theory]
    [MemberData(nameof(Versions))]
    public void A_store_of_the_version_before_is_brought_up_to_date(long version)
    {
        using var connection = new SqliteConnection("Data Source=:memory:");
        connection.Open();
        Execute(connection, Fixture(version - 1));
        Assert.Equal(version - 1, Migration.VersionOf(connection));

        Migration.Apply(connection, version);

        Assert.Equal(version, Migration.VersionOf(connection));
        Assert.Equal("ok", Scalar(connection, "PRAGMA integrity_check"));
        Assert.Null(Scalar(connection, "PRAGMA foreign_key_check"));
    }

    [Fact]
    public void A_store_of_the_first_version_keeps_all_that_it_held()
    {
        using var temporary = new TemporaryStore(create: false);
        temporary.Sql("PRAGMA journal_mode = WAL;" + Fixture(1));

        using var store = temporary.Open();

        store.CheckIntegrity();
        var audit = store.VerifyAudit();
        Assert.Equal((7, (string?)null), (audit.Rows, audit.Problem));
        Assert.Equal([".example.org", "example.com"], store.List().Select(destination => destination.Key.Text));
        Assert.Equal(["retired", "standby"], store.Find(NextHop.Parse("example.com"))!.Pins.Select(pin => pin.State.Name()));
        var finding = Assert.Single(store.OpenFindings());
        Assert.Equal((FindingKind.NearMiss, 3, 1), (finding.Finding.Kind, finding.Occurrences, finding.Finding.Affects));
        Assert.True(store.PlanUndo(6).IsPossible);
    }

    [Fact]
    public void The_newest_schema_has_what_the_programs_use()
    {
        using var connection = new SqliteConnection("Data Source=:memory:");
        connection.Open();
        Migration.Apply(connection);
        Assert.Equal(
            "audit change destination finding key_material mx_group observation pin probe_listing probe_state probe_target sighting store",
            Scalar(connection, "SELECT group_concat(name, ' ') FROM (SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name)"));
    }

    private static string Fixture(long version) =>
        version == 0
            ? ""
            : File.ReadAllText(Path.Combine(AppContext.BaseDirectory, "Store", "Fixtures", version.ToString("0000", CultureInfo.InvariantCulture) + ".sql"));

    private static void Execute(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
#pragma warning disable CA2100 // a dump in the repository
        command.CommandText = sql;
#pragma warning restore CA2100
        command.ExecuteNonQuery();
    }

    private static object? Scalar(SqliteConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
#pragma warning disable CA2100 // a constant of a test
        command.CommandText = sql;
#pragma warning restore CA2100
        return command.ExecuteScalar();
    }
}
