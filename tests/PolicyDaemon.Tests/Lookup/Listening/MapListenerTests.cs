using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using PolicyDaemon.Lookup.Listening;
using PolicyDaemon.Lookup.Listening.Readiness;
using PolicyDaemon.Lookup.Protocols;
using Xunit;

namespace PolicyDaemon.Tests.Lookup.Listening;

/// <summary>The three tiers of accept errors, with a socket that fails as the kernel would.</summary>
public sealed class MapListenerTests : IDisposable
{
    private readonly LookupTestData data = new();
    private readonly FakeTimeProvider time = new();
    private readonly ConnectionRegistry registry;

    public MapListenerTests() => registry = TestConnections.Registry(data);

    public void Dispose() => registry.Dispose();

    [Theory]
    [InlineData(SystemError.ProcessDescriptors)]
    [InlineData(SystemError.SystemDescriptors)]
    [InlineData(SystemError.NoMemory)]
    [InlineData(SystemError.NoBuffers)]
    internal async Task Out_of_descriptors_or_memory_it_waits_ever_longer_and_then_accepts_again(SystemError error)
    {
        var script = new ScriptedSocket();
        await using var listener = Listener(script);
        listener.Start();
        foreach (var pause in (double[])[0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5, 5])
        {
            script.Report(error);
            Assert.False(script.IsWatched);
            time.Advance(TimeSpan.FromSeconds(pause - 0.05));
            Assert.False(script.IsWatched);
            time.Advance(TimeSpan.FromSeconds(0.05));
            Assert.True(script.IsWatched);
        }

        Assert.Equal(8, data.Service.Counters.AcceptErrors);
        script.Report(SystemError.None);
        Assert.Equal(1, data.Service.Counters.ConnectionsAccepted);
        Assert.True(script.IsWatched);
        Assert.False(listener.Completion.IsCompleted);

        // What follows begins with the shortest pause again.
        script.Report(error);
        time.Advance(TimeSpan.FromSeconds(0.1));
        Assert.True(script.IsWatched);
    }

    [Theory]
    [InlineData(SystemError.Aborted)]
    [InlineData(SystemError.Interrupted)]
    [InlineData((SystemError)71)] // EPROTO
    internal async Task A_client_that_went_away_does_not_delay_the_next_one(SystemError error)
    {
        var script = new ScriptedSocket();
        await using var listener = Listener(script);
        listener.Start();
        script.Report(error, error, error, error, error, SystemError.None);
        Assert.Equal((5, 1), (data.Service.Counters.AcceptErrors, data.Service.Counters.ConnectionsAccepted));
        Assert.True(script.IsWatched);
    }

    [Fact]
    public async Task An_error_that_comes_back_for_ever_does_not_spin()
    {
        var script = new ScriptedSocket();
        await using var listener = Listener(script);
        listener.Start();
        for (var i = 1; i < 100; i++)
            script.Report(SystemError.NetworkDown);
        Assert.True(script.IsWatched);
        script.Report(SystemError.NetworkDown);
        Assert.False(script.IsWatched);
        time.Advance(TimeSpan.FromSeconds(0.1));
        Assert.True(script.IsWatched);
    }

    [Theory]
    [InlineData(SystemError.BadDescriptor)]
    [InlineData(SystemError.InvalidArgument)]
    [InlineData(SystemError.NotSocket)]
    [InlineData(SystemError.NotSupported)]
    internal async Task A_listener_that_cannot_accept_any_more_faults(SystemError error)
    {
        var script = new ScriptedSocket();
        await using var listener = Listener(script);
        listener.Start();
        script.Report(error);
        Assert.False(script.IsWatched);
        await Assert.ThrowsAsync<IOException>(() => listener.Completion.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_flood_of_clients_leaves_the_thread_to_the_others()
    {
        var script = new ScriptedSocket();
        await using var listener = Listener(script);
        listener.Start();
        script.Report([.. Enumerable.Repeat(SystemError.Aborted, 40)]);
        Assert.Equal(16, data.Service.Counters.AcceptErrors);
        script.Report();
        script.Report();
        Assert.Equal(40, data.Service.Counters.AcceptErrors);
    }

    [Fact]
    public async Task Stopping_is_no_fault()
    {
        var script = new ScriptedSocket();
        var listener = Listener(script);
        listener.Start();
        await listener.DisposeAsync();
        Assert.True(listener.Completion.IsCompletedSuccessfully);
        Assert.True(script.IsClosed);
        Assert.False(script.IsWatched);
    }

    [Fact]
    public async Task A_report_that_is_under_way_while_it_stops_accepts_nobody()
    {
        var script = new ScriptedSocket();
        var listener = Listener(script);
        listener.Start();
        var report = script.Ready;
        await listener.DisposeAsync();
        script.Outcomes.Enqueue(SystemError.Aborted);
        report();
        Assert.Single(script.Outcomes);
    }

    [Fact]
    public async Task Stopping_ends_a_pause()
    {
        var script = new ScriptedSocket();
        var listener = Listener(script);
        listener.Start();
        script.Report(SystemError.ProcessDescriptors);
        await listener.DisposeAsync();
        Assert.True(listener.Completion.IsCompletedSuccessfully);
        time.Advance(TimeSpan.FromSeconds(10));
        Assert.False(script.IsWatched);
    }

    private MapListener Listener(ScriptedSocket script) =>
        new(TestConnections.Endpoint(MapProtocol.Socketmap), "test", script, registry, data.Service.Counters, NullLogger.Instance, time);

    /// <summary>A listening socket whose outcomes the test decides.</summary>
    private sealed class ScriptedSocket : IListeningSocket
    {
        // They say nothing and stay, so that the loop has nothing to do with them.
        private readonly List<Socket> clients = [];
        private Action? ready;

        public Queue<SystemError> Outcomes { get; } = new();

        public bool IsWatched => ready is not null;

        public bool IsClosed { get; private set; }

        public Action Ready => ready!;

        /// <summary>Reports once that clients wait.</summary>
        public void Report(params ReadOnlySpan<SystemError> outcomes)
        {
            foreach (var outcome in outcomes)
                Outcomes.Enqueue(outcome);
            Ready();
        }

        public void Watch(Action ready)
        {
            Assert.Null(this.ready);
            this.ready = ready;
        }

        public void Unwatch() => ready = null;

        public SystemError Accept(out int descriptor)
        {
            descriptor = -1;
            if (!Outcomes.TryDequeue(out var outcome))
                return SystemError.TryAgain;
            if (outcome == SystemError.None)
                descriptor = Connected();
            return outcome;
        }

        public void Close() => IsClosed = true;

        private int Connected()
        {
            using var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
            listener.Listen();
            var client = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            client.Connect(listener.LocalEndPoint!);
            clients.Add(client);
            return NativeMethods.Accept(listener.SafeHandle);
        }
    }
}
