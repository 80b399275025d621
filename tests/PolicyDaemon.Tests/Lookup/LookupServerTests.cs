using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Lookup;
using PolicyDaemon.Lookup.Clients;
using PolicyDaemon.Lookup.Listening;
using PolicyDaemon.Lookup.Protocols;
using PolicyDaemon.Tests.Support;
using Xunit;

namespace PolicyDaemon.Tests.Lookup;

/// <summary>Over real sockets, on loopback and in a directory of the test's own.</summary>
[Collection(MeasuredAlone.Name)]
public sealed class LookupServerTests : IAsyncLifetime
{

    private readonly LookupTestData data = new();
    private readonly string directory = Directory.CreateTempSubdirectory("lookup-").FullName;
    private readonly List<LookupServer> servers = [];

    private string SocketPath => Path.Combine(directory, "socketmap");

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        foreach (var server in servers)
            await server.DisposeAsync();
        Directory.Delete(directory, recursive: true);
    }

    [Fact]
    public async Task All_endpoints_answer_at_the_same_time()
    {
        var server = await StartAsync($"unix:{SocketPath} inet:127.0.0.1:0 inet:[::1]:0", "inet:127.0.0.1:0");
        foreach (var name in server.Listening.Take(3))
        {
            var result = await AskAsync(MapProtocol.Socketmap, name, "example.com");
            Assert.Equal(LookupAnswer.Found(LookupTestData.Table["example.com"]), result.Answer);
        }

        var tcp = await AskAsync(MapProtocol.TcpTable, server.Listening[3], "M\u00dcNCHEN.example");
        Assert.Equal(LookupAnswer.Found("secure"), tcp.Answer);
    }

    [Fact]
    public async Task Clients_tell_every_kind_of_answer()
    {
        var server = await StartAsync("inet:127.0.0.1:0", "inet:127.0.0.1:0");
        Assert.Equal(LookupAnswer.NotFound, (await AskAsync(MapProtocol.Socketmap, server.Listening[0], "unknown.example")).Answer);
        Assert.Equal(LookupAnswer.NotFound, (await AskAsync(MapProtocol.TcpTable, server.Listening[1], "unknown.example")).Answer);
        Assert.Equal(LookupAnswer.Found(LookupTestData.Pins1500), (await AskAsync(MapProtocol.Socketmap, server.Listening[0], "most.example")).Answer);
        Assert.Equal(LookupAnswer.Found(LookupTestData.Pins60), (await AskAsync(MapProtocol.TcpTable, server.Listening[1], "many.example")).Answer);
        Assert.Equal(LookupAnswerKind.Temporary, (await AskAsync(MapProtocol.TcpTable, server.Listening[1], "most.example")).Answer.Kind);
        Assert.Equal(LookupAnswerKind.Permanent, (await AskAsync(MapProtocol.Socketmap, server.Listening[0], "example.com", "nope")).Answer.Kind);
        data.Current = null;
        Assert.Equal(LookupAnswerKind.Temporary, (await AskAsync(MapProtocol.Socketmap, server.Listening[0], "example.com")).Answer.Kind);
    }

    [Fact]
    public async Task A_client_says_when_nobody_listens()
    {
        var result = await AskAsync(MapProtocol.Socketmap, $"unix:{SocketPath}", "example.com");
        Assert.Equal(QueryStatus.NotRunning, result.Status);
        Assert.Equal(LookupAnswerKind.Temporary, result.Answer.Kind);

        using var bound = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        bound.Bind(new IPEndPoint(IPAddress.Loopback, 0)); // bound, so that nobody else gets it, but not listening
        result = await AskAsync(MapProtocol.TcpTable, $"inet:{bound.LocalEndPoint}", "example.com");
        Assert.Equal(QueryStatus.NotRunning, result.Status);
    }

    [Fact]
    public async Task A_client_does_not_wait_for_ever()
    {
        using var silent = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        silent.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        silent.Listen();
        Assert.True(MapEndpoint.TryParse(MapProtocol.Socketmap, $"inet:{silent.LocalEndPoint}", out var endpoint, out _));
        var result = await SocketmapClient.AskAsync(
            endpoint, "tlspolicy", "a.example", TimeSpan.FromMilliseconds(50), TimeProvider.System, TestContext.Current.CancellationToken);
        Assert.Equal(QueryStatus.TimedOut, result.Status);
    }

    [Fact]
    public async Task A_client_says_when_the_reply_is_none()
    {
        var server = await StartAsync("", "inet:127.0.0.1:0");
        // A socketmap question to a tcp_table port has no line feed: nothing comes back.
        Assert.True(MapEndpoint.TryParse(MapProtocol.Socketmap, server.Listening[0], out var wrong, out _));
        var result = await SocketmapClient.AskAsync(
            wrong, "tlspolicy", "a.example\n", Until.Deadline, TimeProvider.System, TestContext.Current.CancellationToken);
        Assert.Equal(QueryStatus.Malformed, result.Status);
    }

    [Fact]
    public async Task The_socket_file_has_its_mode_and_leaves_with_the_server()
    {
        var server = await StartAsync($"unix:{SocketPath}");
        Assert.Equal(
            UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.GroupWrite, File.GetUnixFileMode(SocketPath));
        Assert.Equal([SocketPath], Directory.GetFileSystemEntries(directory));
        await server.StopAsync(CancellationToken.None);
        Assert.Empty(Directory.GetFileSystemEntries(directory));
    }

    [Fact]
    public async Task A_stale_socket_file_is_replaced()
    {
        // Bound and closed by a process that could not clean up: renamed, so that closing does not find it.
        using (var dead = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
        {
            dead.Bind(new UnixDomainSocketEndPoint(SocketPath + ".old"));
            dead.Listen();
            File.Move(SocketPath + ".old", SocketPath);
        }

        Assert.True(File.Exists(SocketPath));
        await StartAsync($"unix:{SocketPath}");
        Assert.Equal(QueryStatus.Answered, (await AskAsync(MapProtocol.Socketmap, $"unix:{SocketPath}", "example.com")).Status);
    }

    [Fact]
    public async Task A_socket_on_which_somebody_answers_is_left_alone()
    {
        await StartAsync($"unix:{SocketPath}");
        var failure = await Assert.ThrowsAsync<IOException>(() => StartAsync($"unix:{SocketPath}"));
        Assert.Contains("another process answers there", failure.Message, StringComparison.Ordinal);
        Assert.Equal(QueryStatus.Answered, (await AskAsync(MapProtocol.Socketmap, $"unix:{SocketPath}", "example.com")).Status);
    }

    [Fact]
    public async Task A_file_that_is_no_socket_is_left_alone()
    {
        await File.WriteAllTextAsync(SocketPath, "precious", TestContext.Current.CancellationToken);
        await Assert.ThrowsAsync<IOException>(() => StartAsync($"unix:{SocketPath}"));
        Assert.Equal("precious", await File.ReadAllTextAsync(SocketPath, TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task A_successors_socket_is_not_removed()
    {
        var first = await StartAsync($"unix:{SocketPath}");
        File.Move(SocketPath, SocketPath + ".first"); // as if the file had been replaced behind its back
        await StartAsync($"unix:{SocketPath}");
        await first.StopAsync(CancellationToken.None);
        Assert.Equal(QueryStatus.Answered, (await AskAsync(MapProtocol.Socketmap, $"unix:{SocketPath}", "example.com")).Status);
    }

    [Fact]
    public async Task A_socket_file_that_was_removed_is_made_again_and_no_connection_is_dropped()
    {
        var server = await StartAsync($"unix:{SocketPath} inet:127.0.0.1:0");
        using var held = await ConnectAsync($"unix:{SocketPath}");
        await SayAsync(held, "14:tlspolicy .com,", "9:NOTFOUND ,");
        var mode = File.GetUnixFileMode(SocketPath);
        await server.RestoreAsync();
        Assert.Equal(1, data.Service.Counters.ConnectionsOpen); // nothing was lost, so nothing was tried

        File.Delete(SocketPath);
        await server.RestoreAsync();

        Assert.Equal(QueryStatus.Answered, (await AskAsync(MapProtocol.Socketmap, $"unix:{SocketPath}", "example.com")).Status);
        Assert.Equal(mode, File.GetUnixFileMode(SocketPath));
        await SayAsync(held, "14:tlspolicy .com,", "9:NOTFOUND ,");
        Assert.Equal(2, server.Listening.Count);

        // A dead socket in its place is no better than none.
        File.Move(SocketPath, SocketPath + ".away");
        using (var dead = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified))
        {
            dead.Bind(new UnixDomainSocketEndPoint(SocketPath + ".new"));
            File.Move(SocketPath + ".new", SocketPath);
        }

        await server.RestoreAsync();
        Assert.Equal(QueryStatus.Answered, (await AskAsync(MapProtocol.Socketmap, $"unix:{SocketPath}", "example.com")).Status);
        await server.StopAsync(CancellationToken.None);
        Assert.False(File.Exists(SocketPath));
    }

    [Fact]
    public async Task A_socket_that_cannot_be_made_again_is_said_once_and_made_when_it_can_be()
    {
        var below = Directory.CreateDirectory(Path.Combine(directory, "below")).FullName;
        var logger = new CollectingLogger<LookupServer>();
        var server = new LookupServer(
            data.Service, new LookupOptions { Endpoints = Endpoints($"unix:{below}/socketmap", "") }, logger, TimeProvider.System);
        servers.Add(server);
        await server.StartAsync();
        Directory.Delete(below, recursive: true);
        for (var i = 0; i < 10; i++)
            await server.RestoreAsync();
        Assert.Contains($"there is no directory {below}", Assert.Single(logger.Lines, line => line.Level == LogLevel.Error).Message, StringComparison.Ordinal);

        Directory.CreateDirectory(below);
        await server.RestoreAsync();
        Assert.Equal(QueryStatus.Answered, (await AskAsync(MapProtocol.Socketmap, $"unix:{below}/socketmap", "example.com")).Status);
    }

    [Fact]
    public async Task An_endpoint_that_cannot_be_bound_is_named_and_nothing_stays_open()
    {
        using var taken = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        taken.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        taken.Listen();
        var failure = await Assert.ThrowsAsync<IOException>(() => StartAsync($"unix:{SocketPath} inet:{taken.LocalEndPoint}"));
        Assert.Contains($"{taken.LocalEndPoint}", failure.Message, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(directory));
    }

    [Fact]
    public async Task Listeners_come_and_go_without_dropping_a_connection()
    {
        var server = await StartAsync($"unix:{SocketPath}");
        using var held = await ConnectAsync($"unix:{SocketPath}");
        await SayAsync(held, "14:tlspolicy .com,", "9:NOTFOUND ,");

        await server.ApplyAsync(Endpoints($"inet:127.0.0.1:0 unix:{SocketPath}.2", ""));
        await SayAsync(held, "14:tlspolicy .com,", "9:NOTFOUND ,");
        Assert.False(File.Exists(SocketPath));
        Assert.Equal(QueryStatus.NotRunning, (await AskAsync(MapProtocol.Socketmap, $"unix:{SocketPath}", "example.com")).Status);
        foreach (var name in server.Listening)
            Assert.Equal(QueryStatus.Answered, (await AskAsync(MapProtocol.Socketmap, name, "example.com")).Status);

        // What cannot be bound changes nothing.
        var before = server.Listening;
        var failure = await Assert.ThrowsAsync<IOException>(() => server.ApplyAsync(Endpoints($"unix:{directory}/missing/socket", "")));
        Assert.Contains($"there is no directory {directory}/missing", failure.Message, StringComparison.Ordinal);
        Assert.Equal(before, server.Listening);
        await SayAsync(held, "14:tlspolicy .com,", "9:NOTFOUND ,");
    }

    [Fact]
    public async Task A_peer_that_closes_its_side_first_still_gets_its_answers()
    {
        var server = await StartAsync("inet:127.0.0.1:0", "inet:127.0.0.1:0");
        using var socketmap = await ConnectAsync(server.Listening[0]);
        await SendAsync(socketmap, "14:tlspolicy .com,22:tlspolicy .example.com,14:tlsp");
        socketmap.Shutdown(SocketShutdown.Send);
        Assert.Equal("9:NOTFOUND ,10:OK encrypt,", await ReadToEndAsync(socketmap));

        using var tcpTable = await ConnectAsync(server.Listening[1]);
        await SendAsync(tcpTable, "get .example.com\nget .c");
        tcpTable.Shutdown(SocketShutdown.Send);
        Assert.Equal("200 encrypt\n", await ReadToEndAsync(tcpTable));
        await Until.TrueAsync(() => data.Service.Counters.ConnectionsOpen == 0);
    }

    [Fact]
    public async Task A_request_in_single_octets_is_answered()
    {
        var server = await StartAsync($"unix:{SocketPath}");
        using var peer = await ConnectAsync(server.Listening[0]);
        foreach (var character in "14:tlspolicy .com,")
            await SendAsync(peer, character.ToString());
        Assert.Equal("9:NOTFOUND ,", await ReadAsync(peer, 12));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Binary_and_huge_requests_end_one_connection_only(bool huge)
    {
        var server = await StartAsync("inet:127.0.0.1:0", "inet:127.0.0.1:0");
        using var good = await ConnectAsync(server.Listening[0]);
        var random = new Random(7);
        var octets = new byte[huge ? 4 * 1024 * 1024 : 2000];
        random.NextBytes(octets);
        octets.AsSpan().Replace((byte)'\n', (byte)'x');
        foreach (var name in server.Listening)
        {
            using var bad = await ConnectAsync(name);
            var sending = SendAllAsync(bad, octets);
            if (!huge && name == server.Listening[1])
                await SendAsync(bad, "\n"); // a line of rubbish is answered 400 and the connection kept
            else
                await EndedAsync(bad);
            await sending;
        }

        await SayAsync(good, "14:tlspolicy .com,", "9:NOTFOUND ,");
        await Until.TrueAsync(() => data.Service.Counters.ConnectionsOpen == 1);
    }

    [Fact]
    public async Task A_peer_that_never_reads_its_replies_holds_up_nobody()
    {
        var server = await StartAsync($"unix:{SocketPath}");
        using var deaf = await ConnectAsync(server.Listening[0]);
        deaf.Blocking = false;
        var requests = Encoding.ASCII.GetBytes(string.Concat(Enumerable.Repeat("22:tlspolicy most.example,", 2000)));
        try
        {
            for (var i = 0; i < 1000; i++)
                deaf.Send(requests);
        }
        catch (SocketException exception) when (exception.SocketErrorCode == SocketError.WouldBlock)
        {
            // The server has stopped reading from it, as it should.
        }

        using var good = await ConnectAsync(server.Listening[0]);
        for (var i = 0; i < 100; i++)
            await SayAsync(good, "14:tlspolicy .com,", "9:NOTFOUND ,");
    }

    [Fact]
    public async Task A_thousand_connections_are_held_while_a_hundred_are_busy()
    {
        var server = await StartAsync($"unix:{SocketPath}", "inet:127.0.0.1:0");
        var idle = new List<Socket>();
        try
        {
            for (var i = 0; i < 500; i++)
            {
                idle.Add(await ConnectAsync(server.Listening[0]));
                idle.Add(await ConnectAsync(server.Listening[1]));
            }

            await Task.WhenAll(Enumerable.Range(0, 100).Select(async _ =>
            {
                using var busy = await ConnectAsync(server.Listening[0]);
                for (var i = 0; i < 50; i++)
                    await SayAsync(busy, "22:tlspolicy .example.com,", "10:OK encrypt,");
            }));

            // Every one of them still is served.
            for (var i = 0; i < idle.Count; i += 2)
            {
                await SayAsync(idle[i], "14:tlspolicy .com,", "9:NOTFOUND ,");
                await SayAsync(idle[i + 1], "get .com\n", "500 not%20found\n");
            }

            Assert.InRange(data.Service.Counters.ConnectionsOpen, 1000, 1100);
        }
        finally
        {
            idle.ForEach(socket => socket.Dispose());
        }

        await Until.TrueAsync(() => data.Service.Counters.ConnectionsOpen == 0);
        Assert.Equal(100 * 50 + 1000, data.Service.Counters.Lookups);
    }

    [Fact]
    public async Task A_flood_of_connections_that_ask_and_close_leaves_nothing_behind()
    {
        var server = await StartAsync($"unix:{SocketPath}");
        await FloodAsync(500);
        await Until.TrueAsync(() => data.Service.Counters.ConnectionsOpen == 0);
        var before = GC.GetTotalMemory(forceFullCollection: true);
        await FloodAsync(3000);
        await Until.TrueAsync(() => data.Service.Counters.ConnectionsOpen == 0);
        Assert.InRange(GC.GetTotalMemory(forceFullCollection: true) - before, long.MinValue, 32L * 1024 * 1024);
        Assert.Equal(3500, data.Service.Counters.ConnectionsAccepted);

        Task FloodAsync(int count) => Parallel.ForAsync(
            0, count, new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (i, _) =>
            {
                using var peer = await ConnectAsync(server.Listening[0]);
                if (i % 3 == 0)
                    return; // some say nothing at all
                await SendAsync(peer, "14:tlspolicy .com,");
                if (i % 3 == 1)
                    Assert.Equal("9:NOTFOUND ,", await ReadAsync(peer, 12));
            });
    }

    [Fact]
    public async Task At_the_limit_old_socketmap_connections_make_way_and_tcp_table_ones_stay()
    {
        var server = Server(new LookupOptions { MaxConnections = 20, Endpoints = Endpoints($"unix:{SocketPath}", "inet:127.0.0.1:0") });
        await server.StartAsync();
        using var tcpTable = await ConnectAsync(server.Listening[1]);
        await SayAsync(tcpTable, "get .com\n", "500 not%20found\n");
        var sockets = new List<Socket>();
        for (var i = 0; i < 60; i++)
        {
            sockets.Add(await ConnectAsync(server.Listening[0]));
            await SayAsync(sockets[^1], "14:tlspolicy .com,", "9:NOTFOUND ,");
        }

        await SayAsync(tcpTable, "get .com\n", "500 not%20found\n");
        await Until.TrueAsync(() => data.Service.Counters.ConnectionsOpen <= 20);
        Assert.InRange(data.Service.Counters.ConnectionsEvicted, 40, 60);
        Assert.Equal("", await ReadToEndAsync(sockets[0])); // closed in an orderly way, so that Postfix asks again elsewhere
        await SayAsync(sockets[^1], "14:tlspolicy .com,", "9:NOTFOUND ,");
        sockets.ForEach(socket => socket.Dispose());
    }

    [Theory]
    [InlineData("idle on socketmap", 1, "", "", 0)]
    [InlineData("asked once on socketmap", 1, "14:tlspolicy .com,", "9:NOTFOUND ,", 0)]
    [InlineData("one octet sent", 1, "2", "", 0)]
    [InlineData("idle on tcp_table", 2, "", "", 0)]
    [InlineData("asked once on tcp_table", 2, "get .com\n", "500 not%20found\n", 0)]
    [InlineData("idle on socketmap, the client on tcp_table", 1, "", "", 2)]
    [InlineData("asked once on socketmap, the client on unix", 1, "14:tlspolicy .com,", "9:NOTFOUND ,", 1)]
    [InlineData("idle on tcp_table, the client on unix", 2, "", "", 1)]
    public async Task No_local_process_locks_the_others_out(string held, int attacked, string sent, string reply, int asked)
    {
        var server = Server(new LookupOptions { MaxConnections = 24, Endpoints = Endpoints($"unix:{SocketPath} inet:127.0.0.1:0", "inet:127.0.0.1:0") });
        await server.StartAsync();
        var names = new[] { server.Listening[1], server.Listening[0], server.Listening[2] };
        var attackers = new List<Socket>();
        try
        {
            for (var i = 0; i < 60; i++)
            {
                attackers.Add(await ConnectAsync(attacked == 1 ? names[0] : names[2]));
                await SayAsync(attackers[^1], sent, reply);
            }

            await Until.TrueAsync(() => data.Service.Counters.ConnectionsAccepted == 60);
            for (var i = 0; i < 60; i++)
            {
                using var client = await ConnectAsync(names[asked]);
                await SayAsync(client, asked == 2 ? "get .com\n" : "14:tlspolicy .com,", asked == 2 ? "500 not%20found\n" : "9:NOTFOUND ,");
            }
        }
        finally
        {
            attackers.ForEach(socket => socket.Dispose());
        }

        Assert.Equal((held, 0), (held, data.Service.Counters.ConnectionsRefused));
    }

    [Fact]
    public async Task Stopping_answers_what_was_asked_and_closes_the_rest()
    {
        var server = await StartAsync($"unix:{SocketPath}");
        using var idle = await ConnectAsync(server.Listening[0]);
        await SayAsync(idle, "14:tlspolicy .com,", "9:NOTFOUND ,");
        using var late = await ConnectAsync(server.Listening[0]);
        await SendAsync(late, "14:tlspolicy");
        await Until.TrueAsync(() => data.Service.Counters.ConnectionsOpen == 2);
        using var deadline = new CancellationTokenSource(Until.Deadline);
        var stop = server.StopAsync(deadline.Token);
        Assert.Equal("", await ReadToEndAsync(idle));
        await SendAsync(late, " .com,");
        var reply = await ReadToEndAsync(late);
        // The rest of the request may have come when the connection was already gone, if no octet of it had been read.
        Assert.True(reply is "9:NOTFOUND ," or "", reply);
        await stop.WaitAsync(Until.Deadline, TestContext.Current.CancellationToken);
        await server.Completion.WaitAsync(Until.Deadline, TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task A_restart_on_the_same_places_answers_again()
    {
        var first = await StartAsync($"unix:{SocketPath} inet:127.0.0.1:0");
        var inet = first.Listening[1];
        using var held = await ConnectAsync(inet);
        await SayAsync(held, "14:tlspolicy .com,", "9:NOTFOUND ,");
        await first.StopAsync(CancellationToken.None);
        await StartAsync($"unix:{SocketPath} {inet}");
        Assert.Equal(QueryStatus.Answered, (await AskAsync(MapProtocol.Socketmap, inet, "example.com")).Status);
        Assert.Equal(QueryStatus.Answered, (await AskAsync(MapProtocol.Socketmap, $"unix:{SocketPath}", "example.com")).Status);
    }

    private async Task<LookupServer> StartAsync(string socketmap, string tcpTable = "")
    {
        var server = Server(new LookupOptions { Endpoints = Endpoints(socketmap, tcpTable) });
        await server.StartAsync();
        return server;
    }

    private LookupServer Server(LookupOptions options)
    {
        var server = new LookupServer(data.Service, options, NullLogger<LookupServer>.Instance, TimeProvider.System);
        servers.Add(server);
        return server;
    }

    private static List<MapEndpoint> Endpoints(string socketmap, string tcpTable)
    {
        var endpoints = new List<MapEndpoint>();
        Add(MapProtocol.Socketmap, socketmap);
        Add(MapProtocol.TcpTable, tcpTable);
        return endpoints;

        void Add(MapProtocol protocol, string names)
        {
            foreach (var name in names.Split(' ', StringSplitOptions.RemoveEmptyEntries))
            {
                Assert.True(MapEndpoint.TryParse(protocol, name, out var endpoint, out var reason), reason);
                endpoints.Add(endpoint);
            }
        }
    }

    private static async Task<QueryResult> AskAsync(MapProtocol protocol, string name, string key, string map = "tlspolicy")
    {
        Assert.True(MapEndpoint.TryParse(protocol, name, out var endpoint, out var reason), reason);
        return protocol == MapProtocol.Socketmap
            ? await SocketmapClient.AskAsync(endpoint, map, key, Until.Deadline, TimeProvider.System, TestContext.Current.CancellationToken)
            : await TcpTableClient.AskAsync(endpoint, key, Until.Deadline, TimeProvider.System, TestContext.Current.CancellationToken);
    }

    private static async Task<Socket> ConnectAsync(string name)
    {
        Assert.True(MapEndpoint.TryParse(MapProtocol.Socketmap, name, out var endpoint, out _));
        EndPoint target = endpoint.Path is { } path ? new UnixDomainSocketEndPoint(path) : endpoint.Address!;
        var socket = new Socket(target.AddressFamily, SocketType.Stream, endpoint.Path is null ? ProtocolType.Tcp : ProtocolType.Unspecified);
        await socket.ConnectAsync(target, TestContext.Current.CancellationToken);
        return socket;
    }

    private static async Task SendAsync(Socket socket, string text) =>
        await socket.SendAsync(Encoding.Latin1.GetBytes(text), SocketFlags.None, TestContext.Current.CancellationToken);

    private static async Task SayAsync(Socket socket, string request, string reply)
    {
        await SendAsync(socket, request);
        Assert.Equal(reply, await ReadAsync(socket, reply.Length));
    }

    private static async Task<string> ReadAsync(Socket socket, int length)
    {
        var buffer = new byte[length];
        using var deadline = new CancellationTokenSource(Until.Deadline);
        for (var count = 0; count < length;)
        {
            var received = await socket.ReceiveAsync(buffer.AsMemory(count), SocketFlags.None, deadline.Token);
            Assert.NotEqual(0, received);
            count += received;
        }

        return Encoding.Latin1.GetString(buffer);
    }

    private static async Task<string> ReadToEndAsync(Socket socket)
    {
        var text = new StringBuilder();
        var buffer = new byte[4096];
        using var deadline = new CancellationTokenSource(Until.Deadline);
        while (await socket.ReceiveAsync(buffer, SocketFlags.None, deadline.Token) is var received and > 0)
            text.Append(Encoding.Latin1.GetString(buffer, 0, received));
        return text.ToString();
    }

    private static async Task EndedAsync(Socket socket)
    {
        try
        {
            await ReadToEndAsync(socket);
        }
        catch (SocketException)
        {
            // Reset, because octets were left unread: an end as good as any.
        }
    }

    private static async Task SendAllAsync(Socket socket, byte[] octets)
    {
        try
        {
            for (var sent = 0; sent < octets.Length;)
                sent += await socket.SendAsync(octets.AsMemory(sent), SocketFlags.None, TestContext.Current.CancellationToken);
        }
        catch (SocketException)
        {
            // The server has had enough.
        }
    }
}
