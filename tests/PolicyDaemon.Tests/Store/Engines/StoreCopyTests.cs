using System.Data.Common;
using System.Globalization;
using PolicyDaemon.Core.Audit;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Store;
using PolicyDaemon.Store.Changes;
using PolicyDaemon.Store.Engines;
using PolicyDaemon.Store.Engines.Choice;
using PolicyDaemon.Store.Probing;
using PolicyDaemon.Tests.Store.Probing;
using PolicyDaemon.Tests.Support;
using Xunit;
using static PolicyDaemon.Tests.Store.TemporaryStore;

namespace PolicyDaemon.Tests.Store.Engines;

/// <summary>A store goes from a file to a server and back as it is: row for row, and with the log as its chain has it.</summary>
[Trait(Part.Name, Part.Store)]
public sealed class StoreCopyTests : IDisposable
{
    private readonly string directory = Directory.CreateTempSubdirectory("policydaemon-copy").FullName;
    private readonly string server = PostgreSqlServer.Instance.CreateDatabase();

    public void Dispose()
    {
        PostgreSqlServer.Instance.DropDatabase(server);
        Directory.Delete(directory, recursive: true);
    }

    [Fact]
    public void Every_row_comes_over_and_comes_back()
    {
        var (file, back) = (Path.Combine(directory, "policy.db"), Path.Combine(directory, "back.db"));
        Fill(file);

        Copy(file, server);
        Copy(server, back);

        var rows = Rows(file);
        // The daemon's findings and the probes' certificates are among them.
        Assert.All((string[])["destination", "pin", "audit", "finding", "observation", "certificate_run", "key_material"], table =>
            Assert.Contains(rows, row => row.StartsWith(table + ":", StringComparison.Ordinal)));
        Assert.Equal(rows, Rows(server));
        Assert.Equal(rows, Rows(back));
        using var copy = PolicyStore.Open(server, StoreAccess.Read, TimeProvider.System);
        Assert.Null(copy.VerifyAudit().Problem);
    }

    /// <summary>The server gives numbers of its own, which begin behind those that came over.</summary>
    [Fact]
    public void A_copy_takes_changes_like_its_source()
    {
        var file = Path.Combine(directory, "policy.db");
        Fill(file);
        Copy(file, server);

        using var store = PolicyStore.Open(server, StoreAccess.Write, TimeProvider.System);
        using (var change = store.BeginChange(new ChangeOrigin(Alice, "test"), PostfixSettings.Default))
        {
            change.Put(Pinned("new.example", Pin(PinB)));
            change.Commit();
        }

        store.RaiseFinding(new Finding(FindingKind.NearMiss, "new.example", "detail", "remedy", DateTimeOffset.UnixEpoch));
        Assert.Equal(4, store.Count());
        Assert.Null(store.VerifyAudit().Problem);
    }

    private static void Fill(string file)
    {
        PolicyStore.Create(file, Actor.Daemon, TimeProvider.System).Dispose();
        using (var store = PolicyStore.Open(file, StoreAccess.Write, TimeProvider.System))
        {
            using (var change = store.BeginChange(new ChangeOrigin(Alice, "test", "größer als \"'\\"), PostfixSettings.Default))
            {
                change.Put(Pinned("a.example", Pin(PinA), Pin(PinB)));
                change.Put(Secure("b.example", "a note with\ttabs\nlines and 𝄞"));
                change.Put(Secure("c.example"));
                change.Commit();
            }

            store.RaiseFinding(new Finding(FindingKind.NearMiss, "a.example", "detail", "remedy", DateTimeOffset.UnixEpoch));
        }

        using var ledger = new ProbeLedger(file, PostfixSettings.Default, TimeProvider.System);
        ledger.Record(new Observation
        {
            Target = LedgerFixture.Target(1),
            At = TimeProvider.System.GetUtcNow(),
            Outcome = ProbeOutcome.Secured,
            Stage = ProbeStage.Quit,
            Certificates = [new PresentedCertificate(LedgerFixture.Certificate(0), [[1, 2, 3]], ChainVerdict.Trusted, null, "TLSv1.3", "TLS_AES_256_GCM_SHA384")],
            Timings = [],
            Transcript = ["S: 220 hello"],
        });
    }

    private static void Copy(string from, string to)
    {
        using var session = EngineChoice.For(from).Open(StoreAccess.Read);
        StoreCopy.Into(session, to, TimeProvider.System.GetUtcNow());
    }

    private static List<string> Rows(string store)
    {
        using var session = EngineChoice.For(store).Open(StoreAccess.Read);
        return [.. StoreCopy.Tables.SelectMany(table => Rows(session.Connection, table)).Order(StringComparer.Ordinal)];
    }

    private static List<string> Rows(DbConnection connection, string table)
    {
        using var command = connection.CreateCommand();
#pragma warning disable CA2100 // names of the library's own
        command.CommandText = $"SELECT * FROM {table}";
#pragma warning restore CA2100
        using var reader = command.ExecuteReader();
        var rows = new List<string>();
        while (reader.Read())
        {
            var values = Enumerable.Range(0, reader.FieldCount).Select(i => string.Create(CultureInfo.InvariantCulture, $"{reader.GetName(i)}={reader.GetValue(i)}"));
            rows.Add($"{table}: {string.Join('|', values.Order(StringComparer.Ordinal))}");
        }

        return rows;
    }
}
