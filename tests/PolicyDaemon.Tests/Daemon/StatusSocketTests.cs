using System.Net.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using PolicyDaemon.Core.Audit;
using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Core.Runtime;
using PolicyDaemon.Daemon;
using PolicyDaemon.Daemon.Hosting;
using PolicyDaemon.Lookup;
using PolicyDaemon.Lookup.Answering;
using PolicyDaemon.Lookup.Listening;
using PolicyDaemon.Store;
using PolicyDaemon.Store.Snapshots;
using PolicyDaemon.Tests.Support;
using Xunit;

namespace PolicyDaemon.Tests.Daemon;

/// <summary>The status socket: what it says, to whom, and what peers cannot do to it.</summary>
public sealed class StatusSocketTests : IAsyncDisposable
{
    private readonly string directory = Directory.CreateTempSubdirectory("policydaemon-socket").FullName;
    private readonly FakeTimeProvider time = new(new DateTimeOffset(2026, 11, 23, 12, 0, 0, TimeSpan.Zero));
    private readonly CollectingLogger<StatusSocket> logger = new();
    private readonly LookupServer server;
    private readonly SnapshotLoader loader;
    private readonly LookupService service;
    private readonly StatusWriter writer;
    private readonly StatusSocket socket;
    private volatile DaemonStatus? large;

    public StatusSocketTests()
    {
        var configuration = new RunningConfiguration(SettingsReader.Parse(
            "x.conf", System.Text.Encoding.UTF8.GetBytes($"[store]\ndatabase = {directory}/policy.db\nstatus_socket = {Path}\n")));
        var settings = configuration.Settings;
        PolicyStore.Create(settings.Database, Actor.Daemon, time).Dispose();
        loader = new SnapshotLoader(new SnapshotLoaderOptions(settings.Database, settings.Snapshot), settings.Postfix, time, NullLogger<SnapshotLoader>.Instance);
        loader.Start();
        service = new LookupService(loader, settings.Postfix, new LookupDemand(), new LookupCounters(), NullLogger<LookupService>.Instance, time);
        server = new LookupServer(service, new LookupOptions { Endpoints = [] }, NullLogger<LookupServer>.Instance, time);
        writer = new StatusWriter(configuration, loader, server, service.Counters, NullLogger<StatusWriter>.Instance, time);
        socket = new StatusSocket(configuration, () => large ?? writer.Latest, writer.History, logger, time);
    }

    private string Path => System.IO.Path.Combine(directory, "s");

    [Fact]
    public async Task It_says_the_status_the_counters_by_answer_and_the_lookups_of_the_last_seconds()
    {
        service.Answer("tlspolicy"u8, "a.example"u8);
        service.Answer("nosuchmap"u8, "a.example"u8);
        time.Advance(TimeSpan.FromSeconds(1));
        writer.WriteIfNews();
        await StartAsync();

        var said = Ask();

        Assert.Equal(("store", time.GetUtcNow()), (said.Daemon.Snapshot?.Source, said.Daemon.WrittenAt));
        Assert.Equal(
            [new("socketmap", "tlspolicy", "not-found", null, 1), new AnswerCount("socketmap", "other", "permanent", null, 1)], said.Daemon.Counters.Answers);
        Assert.Equal((1, 1), (said.Seconds.NotFound.Single(), said.Seconds.Permanent.Single()));
        Assert.Equal((1, 60), (said.Seconds.Step, said.Minutes.Step));
    }

    [Fact]
    public async Task It_says_what_is_new_at_the_next_turn()
    {
        writer.WriteIfNews();
        await StartAsync();
        Assert.Equal(0, Ask().Daemon.Counters.NotFound);

        service.Answer("tlspolicy"u8, "a.example"u8);
        time.Advance(TimeSpan.FromSeconds(1));
        writer.WriteIfNews();

        Assert.Equal(1, Ask().Daemon.Counters.NotFound);
    }

    [Fact]
    public async Task Its_file_is_the_group_s_and_nobody_else_s_and_goes_with_it()
    {
        await StartAsync();
        Assert.Equal(
            UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.GroupWrite, File.GetUnixFileMode(Path));

        await socket.StopAsync(TestContext.Current.CancellationToken);

        Assert.False(File.Exists(Path));
    }

    [Fact]
    public async Task A_file_that_a_killed_predecessor_left_is_taken_over()
    {
        using (var left = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
        {
            left.Bind(new UnixDomainSocketEndPoint(Path + "~"));
            File.Move(Path + "~", Path);
        }

        Assert.True(File.Exists(Path));
        writer.WriteIfNews();

        await StartAsync();

        Assert.NotNull(Ask());
    }

    [Fact]
    public async Task A_file_that_was_removed_is_made_again()
    {
        writer.WriteIfNews();
        await StartAsync();
        File.Delete(Path);

        await Until.TrueAsync(() => File.Exists(Path) && StatusDocument.TryAsk(Path, TimeProvider.System) is not null, () => time.Advance(StatusSocket.Upkeep));
    }

    [Fact]
    public async Task What_stands_in_its_way_is_said_once_and_it_comes_when_that_is_gone()
    {
        await File.WriteAllTextAsync(Path, "no socket", TestContext.Current.CancellationToken);
        writer.WriteIfNews();
        await socket.StartAsync(TestContext.Current.CancellationToken);
        await Until.TrueAsync(() => logger.Lines.Count > 0);
        Assert.Contains("a file of that name exists and is no socket; move it away", logger.Lines[0].Message, StringComparison.Ordinal);
        for (var turn = 0; turn < 3; turn++)
            time.Advance(StatusSocket.Upkeep);
        File.Delete(Path);

        await Until.TrueAsync(() => StatusDocument.TryAsk(Path, TimeProvider.System) is not null, () => time.Advance(StatusSocket.Upkeep));

        Assert.Single(logger.Lines, line => line.Message.Contains("cannot be told", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_peer_that_does_not_read_is_cut_off_after_its_time_and_others_do_not_wait_for_it()
    {
        SayMuch();
        await StartAsync();
        using var silent = Connect();

        Assert.Equal(large!.Endpoints.Count, Ask().Daemon.Endpoints.Count);
        time.Advance(StatusSocket.PeerTimeout);

        await Until.TrueAsync(() => IsCutOff(silent));
    }

    [Fact]
    public async Task Of_too_many_peers_the_first_makes_way()
    {
        SayMuch();
        await StartAsync();
        var silent = new List<Socket>();
        try
        {
            for (var count = 0; count < StatusSocket.MaxPeers; count++)
                silent.Add(Connect());
            Assert.NotNull(Ask());

            await Until.TrueAsync(() => IsCutOff(silent[0]));
        }
        finally
        {
            silent.ForEach(peer => peer.Dispose());
        }
    }

    [Fact]
    public async Task What_a_peer_sends_is_not_read()
    {
        SayMuch();
        await StartAsync();
        using var peer = Connect();
        await peer.SendAsync("tlspolicy a.example"u8.ToArray(), TestContext.Current.CancellationToken);

        Assert.NotNull(Ask());
        Assert.Equal(0, service.Counters.Lookups);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{}")]
    [InlineData("null")]
    [InlineData("{\"daemon\":null,\"seconds\":null,\"minutes\":null}")]
    [InlineData("[")]
    public async Task An_answer_that_is_none_is_not_taken(string text)
    {
        using var other = UnixSocketFile.Listen(Path, UnixFileMode.UserRead | UnixFileMode.UserWrite, 1);
        var asked = Task.Run(() => StatusDocument.TryAsk(Path, TimeProvider.System));
        using (var peer = await other.AcceptAsync(TestContext.Current.CancellationToken))
            await peer.SendAsync(System.Text.Encoding.UTF8.GetBytes(text), TestContext.Current.CancellationToken);

        Assert.Null(await asked);
    }

    [Fact]
    public void Where_nobody_listens_nothing_is_said()
    {
        Assert.Null(StatusDocument.TryAsk(Path, time));
        Assert.Null(StatusDocument.TryAsk("/" + new string('x', 200), time));
    }

    public async ValueTask DisposeAsync()
    {
        await socket.StopAsync(CancellationToken.None);
        socket.Dispose();
        writer.Dispose();
        await server.DisposeAsync();
        loader.Dispose();
        Directory.Delete(directory, recursive: true);
    }

    /// <summary>More than the kernel keeps for a peer that does not read.</summary>
    private void SayMuch()
    {
        writer.WriteIfNews();
        large = writer.Latest! with { Endpoints = [.. Enumerable.Repeat("socketmap inet:127.0.0.1:8461", 100_000)] };
    }

    /// <summary>True where the connection was closed. It is not read from: a peer that reads would get on.</summary>
    private static bool IsCutOff(Socket peer)
    {
        peer.Blocking = false;
        try
        {
            peer.Send([0]);
            return false;
        }
        catch (SocketException fault)
        {
            return fault.SocketErrorCode is SocketError.Shutdown or SocketError.ConnectionReset;
        }
    }

    private async Task StartAsync()
    {
        await socket.StartAsync(TestContext.Current.CancellationToken);
        await Until.TrueAsync(() => File.Exists(Path) && UnixSocketFile.Answers(Path));
    }

    private Socket Connect()
    {
        var peer = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        peer.Connect(new UnixDomainSocketEndPoint(Path));
        return peer;
    }

    private StatusDocument Ask()
    {
        var said = StatusDocument.TryAsk(Path, TimeProvider.System);
        Assert.NotNull(said);
        return said;
    }
}
