using PolicyDaemon.Core.Audit;
using PolicyDaemon.Store;
using PolicyDaemon.Store.Engines;
using PolicyDaemon.Store.Faults;
using PolicyDaemon.Tests.Support;
using Xunit;

namespace PolicyDaemon.Tests.Store.Engines;

/// <summary>How a server knows its users: by a password (SCRAM), or by who they are on its machine (peer).</summary>
[Trait(Part.Name, Part.Store)]
public sealed class PostgreSqlPasswordTests : IDisposable
{
    private readonly PostgreSqlCluster server = new([], "local all all peer\nhost all all 127.0.0.1/32 scram-sha-256");
    private readonly string file = Path.GetTempFileName();

    public PostgreSqlPasswordTests()
    {
        server.Start().Sql("CREATE ROLE policydaemon LOGIN PASSWORD 'first:one'; GRANT ALL ON SCHEMA public TO policydaemon");
        Passwords($"# of the store\n127.0.0.1:{server.Port}:postgres:policydaemon:first\\:one\n");
        PolicyStore.Create(Words, Actor.Daemon, TimeProvider.System).Dispose();
    }

    private string Words => $"postgresql:host=127.0.0.1 port={server.Port} dbname=postgres user=policydaemon sslmode=disable passfile={file}";

    [Fact]
    public void A_password_comes_from_a_file_and_every_way_to_have_none_is_said()
    {
        Passwords("*:*:*:policydaemon:wrong\n");
        Refused("password authentication failed", "passfile");

        Passwords($"127.0.0.1:{server.Port}:other:policydaemon:first\\:one\n");
        Refused($"no line of passfile={file} begins with 127.0.0.1:{server.Port}:postgres:policydaemon");

        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.OtherRead);
        Refused($"chmod o= {file}");

        File.Delete(file);
        Refused($"passfile={file} does not exist");

        var none = Assert.Throws<StoreException>(() => PolicyStore.Open(Words.Split(" passfile")[0], StoreAccess.Read, TimeProvider.System));
        Assert.Contains("name that with passfile=FILE", none.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_password_that_is_changed_counts_with_the_next_connection()
    {
        using var open = PolicyStore.Open(Words, StoreAccess.Read, TimeProvider.System);
        server.Sql("ALTER ROLE policydaemon PASSWORD 'second'");
        Refused("password authentication failed");
        Assert.Equal(1, open.Head().Sequence);

        Passwords("*:*:*:policydaemon:second");
        PolicyStore.Open(Words, StoreAccess.Write, TimeProvider.System).Dispose();
    }

    [Fact]
    public void Who_is_another_on_the_machine_is_not_let_in_over_the_socket()
    {
        var fault = Assert.Throws<StoreException>(() => PolicyStore.Open(
            $"postgresql:host={server.Directory} port={server.Port} dbname=postgres user=policydaemon", StoreAccess.Read, TimeProvider.System));
        Assert.Equal(StoreFault.Permission, fault.Kind);
        Assert.Contains("pg_ident.conf", fault.Message, StringComparison.Ordinal);

        server.Sql($"CREATE ROLE \"{Environment.UserName}\" LOGIN; GRANT SELECT ON ALL TABLES IN SCHEMA public TO \"{Environment.UserName}\"");
        using var store = PolicyStore.Open($"postgresql:host={server.Directory} port={server.Port} dbname=postgres", StoreAccess.Read, TimeProvider.System);
        Assert.Equal(1, store.Head().Sequence);
    }

    public void Dispose()
    {
        server.Dispose();
        File.Delete(file);
    }

    private void Passwords(string lines)
    {
        File.WriteAllText(file, lines);
        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead);
    }

    private void Refused(params string[] says)
    {
        var refused = Assert.Throws<StoreException>(() => PolicyStore.Open(Words, StoreAccess.Read, TimeProvider.System));
        TestContext.Current.TestOutputHelper?.WriteLine(refused.Message);
        Assert.Equal(StoreFault.Permission, refused.Kind);
        Assert.All(says, text => Assert.Contains(text, refused.Message, StringComparison.Ordinal));
    }
}
