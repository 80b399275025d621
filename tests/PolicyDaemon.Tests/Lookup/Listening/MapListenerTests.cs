using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using PolicyDaemon.Lookup.Listening;
using PolicyDaemon.Lookup.Protocols;
using Xunit;

namespace PolicyDaemon.Tests.Lookup.Listening;

/// <summary>The three tiers of accept errors, with an accept that fails as the kernel would.</summary>
public sealed class MapListenerTests : IDisposable
{
    private readonly LookupTestData data = new();
    private readonly FakeTimeProvider time = new();
    private readonly ConnectionRegistry registry;

    public MapListenerTests() => registry = TestConnections.Registry(data);

    public void Dispose() => registry.Dispose();

    [Theory]
    [InlineData(SocketError.TooManyOpenSockets)]
    [InlineData(SocketError.NoBufferSpaceAvailable)]
    public async Task Out_of_descriptors_or_memory_it_waits_ever_longer_and_then_accepts_again(SocketError error)
    {
        var script = new AcceptScript();
        await using var listener = Listener(script);
        listener.Start();
        foreach (var pause in (double[])[0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5, 5])
        {
            var calls = script.Calls;
            script.Fail(error);
            time.Advance(TimeSpan.FromSeconds(pause - 0.05));
            Assert.Equal(calls, script.Calls);
            time.Advance(TimeSpan.FromSeconds(0.05));
            await script.CalledAsync(calls + 1);
        }

        var accepted = data.Service.Counters.ConnectionsAccepted;
        using var client = script.Connect();
        await Until(() => data.Service.Counters.ConnectionsAccepted == accepted + 1);
        Assert.Equal(8, data.Service.Counters.AcceptErrors);
        Assert.False(listener.Completion.IsCompleted);
    }

    [Fact]
    public async Task A_client_that_went_away_does_not_delay_the_next_one()
    {
        var script = new AcceptScript();
        await using var listener = Listener(script);
        listener.Start();
        for (var i = 1; i <= 5; i++)
        {
            script.Fail(SocketError.ConnectionAborted);
            await script.CalledAsync(i + 1);
        }

        Assert.False(listener.Completion.IsCompleted);
    }

    [Fact]
    public async Task An_error_that_comes_back_for_ever_does_not_spin()
    {
        var script = new AcceptScript();
        await using var listener = Listener(script);
        listener.Start();
        for (var i = 1; i < 100; i++)
        {
            script.Fail(SocketError.NetworkDown);
            await script.CalledAsync(i + 1);
        }

        script.Fail(SocketError.NetworkDown);
        Assert.Equal(100, script.Calls);
        time.Advance(TimeSpan.FromSeconds(0.1));
        await script.CalledAsync(101);
    }

    [Fact]
    public async Task A_listener_that_cannot_accept_any_more_faults()
    {
        var script = new AcceptScript();
        await using var listener = Listener(script);
        listener.Start();
        script.Fail(SocketError.InvalidArgument);
        await Assert.ThrowsAsync<IOException>(() => listener.Completion.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Stopping_is_no_fault()
    {
        var script = new AcceptScript();
        var listener = Listener(script);
        listener.Start();
        await listener.DisposeAsync();
        Assert.True(listener.Completion.IsCompletedSuccessfully);
        Assert.True(script.IsClosed);
    }

    [Fact]
    public async Task Stopping_ends_a_pause()
    {
        var script = new AcceptScript();
        var listener = Listener(script);
        listener.Start();
        script.Fail(SocketError.TooManyOpenSockets);
        await listener.DisposeAsync();
        Assert.True(listener.Completion.IsCompletedSuccessfully);
    }

    private MapListener Listener(AcceptScript script) => new(
        Endpoint(), "test", script.AcceptAsync, script.Close, registry, data.Service.Counters, NullLogger.Instance, time);

    private static MapEndpoint Endpoint()
    {
        Assert.True(MapEndpoint.TryParse(MapProtocol.Socketmap, "inet:127.0.0.1:0", out var endpoint, out _));
        return endpoint;
    }

    private static async Task Until(Func<bool> condition)
    {
        for (var i = 0; i < 3000 && !condition(); i++)
            await Task.Delay(10, TestContext.Current.CancellationToken);
        Assert.True(condition());
    }

    /// <summary>An accept whose outcome the test decides, one call after the other.</summary>
    private sealed class AcceptScript
    {
        private TaskCompletionSource<Socket> pending = new();
        private int calls;

        public int Calls => Volatile.Read(ref calls);

        public bool IsClosed { get; private set; }

        public async ValueTask<Socket> AcceptAsync(CancellationToken stop)
        {
            var mine = new TaskCompletionSource<Socket>();
            Volatile.Write(ref pending, mine);
            Interlocked.Increment(ref calls);
            return await mine.Task.WaitAsync(stop);
        }

        public void Fail(SocketError error) => Volatile.Read(ref pending).SetException(new SocketException((int)error));

        public Socket Connect()
        {
            using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
            listener.Listen();
            var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            client.Connect(listener.LocalEndPoint!);
            Volatile.Read(ref pending).SetResult(listener.Accept());
            return client;
        }

        public void Close() => IsClosed = true;

        public Task CalledAsync(int times) => Until(() => Calls >= times);
    }
}
