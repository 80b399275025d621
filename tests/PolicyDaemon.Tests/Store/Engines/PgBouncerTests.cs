using PolicyDaemon.Core.Audit;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Store;
using PolicyDaemon.Store.Changes;
using PolicyDaemon.Store.Engines;
using PolicyDaemon.Store.Faults;
using PolicyDaemon.Tests.Support;
using Xunit;

namespace PolicyDaemon.Tests.Store.Engines;

/// <summary>A store behind PgBouncer in transaction mode.</summary>
[Trait(Part.Name, Part.Store)]
public sealed class PgBouncerTests : IDisposable
{
    private readonly PostgreSqlCluster server = new();
    private readonly PgBouncer bouncer;

    public PgBouncerTests()
    {
        server.Start().Sql("CREATE ROLE policydaemon LOGIN; GRANT ALL ON SCHEMA public TO policydaemon");
        bouncer = new PgBouncer(server);
        PolicyStore.Create(Words, Actor.Daemon, TimeProvider.System).Dispose();
    }

    private string Words => $"postgresql:host=127.0.0.1 port={bouncer.Port} dbname=postgres user=policydaemon sslmode=disable";

    /// <summary>Ten take turns in three sessions of the server: nothing that one left there may meet another.</summary>
    [Fact]
    public async Task Many_share_few_sessions_and_leave_nothing_in_them()
    {
        await Parallel.ForEachAsync(Enumerable.Range(0, 40), new ParallelOptions { MaxDegreeOfParallelism = 10 }, (number, _) =>
        {
            using var writer = PolicyStore.Open(Words, StoreAccess.Write, TimeProvider.System, TimeSpan.FromSeconds(60));
            for (var again = 0; again < 3; again++)
            {
                using var change = writer.BeginChange(new ChangeOrigin(Actor.Daemon, "test"), PostfixSettings.Default);
                change.Put(TemporaryStore.Secure($"d{number}-{again}.example"));
                change.Commit();
                Assert.NotNull(writer.Find(PolicyDaemon.Core.Destinations.NextHop.Parse($"d{number}-{again}.example")));
            }

            return ValueTask.CompletedTask;
        });

        using var opened = PolicyStore.Open(Words, StoreAccess.Read, TimeProvider.System);
        Assert.Equal(121, opened.Head().Sequence);
        Assert.Null(opened.VerifyAudit().Problem);
        Assert.Equal(0L, server.Sql("SELECT count(*) FROM pg_prepared_statements"));
        // Three sessions, and none of them kept what was set in it.
        Assert.Equal("0", server.Sql("SELECT setting FROM pg_settings WHERE name = 'lock_timeout'"));
        Assert.InRange((long)server.Sql("SELECT count(*) FROM pg_stat_activity WHERE usename = 'policydaemon'")!, 1, 3);
    }

    [Fact]
    public void A_lock_is_waited_for_through_it_as_long_as_without_it()
    {
        using var holder = server.Connect("postgres");
        using var command = holder.CreateCommand();
        command.CommandText = "BEGIN; LOCK TABLE audit_head IN ACCESS EXCLUSIVE MODE";
        command.ExecuteNonQuery();
        using var writer = PolicyStore.Open(Words, StoreAccess.Write, TimeProvider.System, TimeSpan.FromMilliseconds(300));

        var fault = Assert.Throws<StoreException>(() => writer.BeginChange(new ChangeOrigin(Actor.Daemon, "test"), PostfixSettings.Default));

        TestContext.Current.TestOutputHelper?.WriteLine(fault.Message);
        Assert.Equal(StoreFault.Locked, fault.Kind);
        Assert.Contains($"process {holder.ProcessID} of the server", fault.Message, StringComparison.Ordinal);
        Assert.Contains("postgres holds AccessExclusiveLock on audit_head", fault.Message, StringComparison.Ordinal);
    }

    public void Dispose()
    {
        bouncer.Dispose();
        server.Dispose();
    }
}
