using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Store.Snapshots;
using PolicyDaemon.Tests.Support;
using Xunit;

namespace PolicyDaemon.Tests.Store.Snapshots;

/// <summary>A start while the server of the store takes connections, and answers none.</summary>
public sealed class StalledServerTests : IDisposable
{
    private readonly FakeTimeProvider time = new(new DateTimeOffset(2026, 11, 30, 12, 0, 0, TimeSpan.Zero));
    private readonly TemporaryStore store = new();
    private readonly TcpListener server = new(IPAddress.Loopback, 0);

    public StalledServerTests() => server.Start();

    public void Dispose()
    {
        server.Dispose();
        store.Dispose();
    }

    [Fact]
    public async Task What_the_disk_has_is_served_before_the_server_is_given_up()
    {
        var stop = TestContext.Current.CancellationToken;
        store.Put(TemporaryStore.Secure("a.example"));
        using (var fixture = new LoaderFixture(store))
            await fixture.Loader.RunAsync(new CancellationToken(canceled: true));
        using var loader = Loader();

        var started = loader.StartAsync(stop);
        using var asked = await server.AcceptTcpClientAsync(stop);
        await ReadAsync(asked);
        Assert.False(started.IsCompleted);
        Assert.Null(loader.Current);
        await Until.TrueAsync(() =>
        {
            time.Advance(TimeSpan.FromSeconds(1));
            return started.IsCompleted;
        });
        await started;

        Assert.NotNull(loader.Current!.Find("a.example"));
        Assert.False(loader.Status!.IsOfStore());
        // Still waited for.
        Assert.False(asked.Client.Poll(0, SelectMode.SelectRead));
        server.Stop();
    }

    /// <summary>Without anything to answer from there is nothing to listen for; who stops the daemon does not wait.</summary>
    [Fact]
    public async Task A_start_that_waits_can_be_stopped()
    {
        using var stopped = new CancellationTokenSource();
        using var loader = Loader();
        var started = loader.StartAsync(stopped.Token);
        using var asked = await server.AcceptTcpClientAsync(TestContext.Current.CancellationToken);
        await ReadAsync(asked);
        Assert.False(started.IsCompleted);

        await stopped.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => started);
        Assert.False(asked.Client.Poll(0, SelectMode.SelectRead));
        server.Stop();
    }

    // What begins a connection; nothing more comes before an answer.
    private static async Task ReadAsync(TcpClient asked) => Assert.NotEqual(0, await asked.GetStream().ReadAsync(new byte[4096], TestContext.Current.CancellationToken));

    private SnapshotLoader Loader() => new(
        new SnapshotLoaderOptions(
            $"postgresql:host=127.0.0.1 port={((IPEndPoint)server.LocalEndpoint).Port} dbname=policydaemon user=mx7 sslmode=disable connect_timeout=60", LoaderFixture.SnapshotPath(store)),
        PostfixSettings.Default, time, NullLogger<SnapshotLoader>.Instance);
}
