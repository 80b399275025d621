using PolicyDaemon.Core.Audit;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Store;
using PolicyDaemon.Store.Changes;
using PolicyDaemon.Store.Engines;
using PolicyDaemon.Store.Engines.PostgreSql;
using PolicyDaemon.Store.Faults;
using PolicyDaemon.Tests.Support;
using Xunit;

namespace PolicyDaemon.Tests.Store.Engines;

/// <summary>A store of two servers, of which one follows the other.</summary>
[Trait(Part.Name, Part.Store)]
public sealed class PostgreSqlServersTests : IDisposable
{
    private readonly PostgreSqlCluster primary = new();
    private readonly PostgreSqlCluster standby;

    public PostgreSqlServersTests()
    {
        primary.Start().Sql("CREATE ROLE policydaemon LOGIN; GRANT ALL ON SCHEMA public TO policydaemon");
        standby = primary.MakeStandby().Start();
    }

    // The standby comes first, so that being first is no reason to be taken.
    private string Words => $"postgresql:host=127.0.0.1,127.0.0.1 port={standby.Port},{primary.Port} dbname=postgres user=policydaemon sslmode=disable";

    [Fact]
    public void Writes_go_to_the_primary_and_large_reads_to_a_standby_and_each_to_the_other_where_it_must()
    {
        PolicyStore.Create(Words, Actor.Daemon, TimeProvider.System).Dispose();
        Put("a.example");
        Assert.Equal([standby.Port, primary.Port, primary.Port], Ports());

        // One server is read where it is the only one, and what takes no writes says so.
        primary.Kill();
        Assert.Equal([standby.Port, standby.Port], Ports(ServerChoice.Bulk, ServerChoice.Newest));
        using (var reading = PolicyStore.Open(Words, StoreAccess.Read, TimeProvider.System))
            Assert.Equal(StoreFault.ReadOnly, reading.OnlyRead!.Kind);
        var fault = Assert.Throws<StoreException>(() => PolicyStore.Open(Words, StoreAccess.Write, TimeProvider.System));
        TestContext.Current.TestOutputHelper?.WriteLine(fault.Message);
        Assert.Contains("a standby, which takes no writes", fault.Message, StringComparison.Ordinal);
        Assert.Contains("nothing listens there", fault.Message, StringComparison.Ordinal);

        standby.Promote();
        Put("b.example");
        Assert.Equal([standby.Port, standby.Port, standby.Port], Ports());
        using var opened = PolicyStore.Open(Words, StoreAccess.Read, TimeProvider.System);
        Assert.Null(opened.VerifyAudit().Problem);
    }

    [Fact]
    public void What_session_is_wanted_decides_where_is_read_and_never_where_is_written()
    {
        PolicyStore.Create(Words, Actor.Daemon, TimeProvider.System).Dispose();

        Assert.Equal([standby.Port, standby.Port, primary.Port], Ports(Words + " target_session_attrs=prefer-standby"));
        Assert.Equal([standby.Port, standby.Port, primary.Port], Ports(Words + " target_session_attrs=standby"));
        Assert.Equal([standby.Port, primary.Port, primary.Port], Ports(Words + " target_session_attrs=read-write"));
    }

    public void Dispose()
    {
        standby.Dispose();
        primary.Dispose();
    }

    private static List<int> Ports(string words, params ServerChoice[] choices) => [.. choices.Select(choice =>
    {
        using var connection = PostgreSqlServers.Of(words).Open(choice);
        return int.Parse(connection.Server.Split(':')[1], System.Globalization.CultureInfo.InvariantCulture);
    })];

    private static List<int> Ports(string words) => Ports(words, ServerChoice.Bulk, ServerChoice.Newest, ServerChoice.Writes);

    private List<int> Ports(params ServerChoice[] choices) => choices.Length == 0 ? Ports(Words) : Ports(Words, choices);

    private void Put(string key)
    {
        using var opened = PolicyStore.Open(Words, StoreAccess.Write, TimeProvider.System);
        using var change = opened.BeginChange(new ChangeOrigin(Actor.Daemon, "test"), PostfixSettings.Default);
        change.Put(TemporaryStore.Secure(key));
        change.Commit();
    }
}
