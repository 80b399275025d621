using PolicyDaemon.Administration;
using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Runtime;
using PolicyDaemon.Core.Serving;
using PolicyDaemon.Store.Snapshots;
using Xunit;

namespace PolicyDaemon.Tests.Administration;

public sealed class LocalDaemonTests : IDisposable
{
    private const string Loaded = "store-1";

    private readonly string directory = Directory.CreateTempSubdirectory("policydaemon-local").FullName;

    /// <summary>The daemon of this machine runs, and has loaded a store.</summary>
    [Theory]
    [InlineData("host=db1 dbname=p user=mx1", null, Loaded, false)]
    [InlineData("host=db1 dbname=p user=mx1", "postgresql:host=db1 dbname=p user=mx1", "other", false)]
    [InlineData("host=db1 dbname=p user=mx1", "postgresql:dbname=p host=db1 user=alice", "other", false)] // replaced there
    [InlineData("host=db1 dbname=p user=mx1", "postgresql:host=192.0.2.1 dbname=p user=alice", Loaded, false)] // another name of it
    [InlineData("host=db1 dbname=p user=mx1", "postgresql:host=db9 dbname=p", "other", true)]
    [InlineData("host=db1 dbname=p user=mx1", "postgresql:host=db9 dbname=p", null, true)]
    [InlineData("host=db1 dbname=p user=mx1", "/elsewhere/policy.db", Loaded, true)] // a copy
    [InlineData(null, "postgresql:host=db1 dbname=p", Loaded, true)] // moved there, and this machine was not told
    [InlineData(null, "/elsewhere/policy.db", Loaded, true)]
    public void Whether_the_daemon_answers_from_a_store_is_told_by_its_place_and_its_identity(string? configured, string? named, string? storeId, bool elsewhere)
    {
        var settings = Settings(configured, named);
        using var running = DaemonLock.TryTake(directory + "/status");
        SnapshotFile.Write(directory + "/policy.db.snapshot", PolicySnapshot.Build(new SnapshotIdentity(Loaded, 1, new string('0', 64), DigestAlgorithm.Sha256, PostfixVersion.Oldest), []));

        var said = LocalDaemon.Elsewhere(settings, storeId);

        if (elsewhere)
            Assert.StartsWith("policyd on this machine answers from another store, ", said, StringComparison.Ordinal);
        else
            Assert.Null(said);
    }

    [Fact]
    public void Who_administers_from_a_machine_without_a_daemon_is_not_told_that_mail_waits()
    {
        Assert.Equal("no policyd on this machine answers from this store", LocalDaemon.Elsewhere(Settings(null, "postgresql:host=db1 dbname=p"), Loaded));
        Assert.Null(LocalDaemon.Elsewhere(Settings(null, "/elsewhere/policy.db"), Loaded));
        Assert.Null(LocalDaemon.Elsewhere(Settings("host=db1 dbname=p user=mx1", "postgresql:host=db1 dbname=p user=alice"), Loaded));
    }

    [Fact]
    public void A_daemon_beside_the_file_that_is_named_has_a_configuration_of_its_own()
    {
        var settings = Settings(null, directory + "/other.db");
        using var running = DaemonLock.TryTake(directory + "/status");
        Assert.NotNull(LocalDaemon.Elsewhere(settings, Loaded));

        using var beside = DaemonLock.TryTake(directory + "/other.db.status");
        Assert.Null(LocalDaemon.Elsewhere(settings, Loaded));
    }

    public void Dispose() => Directory.Delete(directory, recursive: true);

    private Settings Settings(string? server, string? named)
    {
        var file = Path.Combine(directory, "policydaemon.conf");
        File.WriteAllText(file, $"[store]\n{(server is null ? "" : $"engine = postgresql\npostgresql = {server}\n")}database = {directory}/policy.db\nstatus_file = {directory}/status\n");
        return SettingsReader.Load(file, named);
    }
}
