using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Daemon.Alerts;
using PolicyDaemon.Daemon.Hosting;
using PolicyDaemon.Tests.Support;
using Xunit;

namespace PolicyDaemon.Tests.Daemon.Alerts;

public sealed class ChannelTests : IDisposable
{
    private readonly string directory = Directory.CreateTempSubdirectory("policydaemon-channel").FullName;

    [Fact]
    public async Task The_webhook_posts_the_alert_as_JSON()
    {
        using var server = Listen(out var port);
        var posting = new WebhookChannel(Configured($"alert_webhook = http://me:secret@127.0.0.1:{port}/hook?x=1"), TimeProvider.System)
            .SendAsync(AlertProcessTests.Message, TestContext.Current.CancellationToken);

        var request = await Answer(server, "HTTP/1.1 204 No Content\r\n\r\n");

        Assert.True((await posting).IsDone);
        Assert.StartsWith("POST /hook?x=1 HTTP/1.1\r\n", request, StringComparison.Ordinal);
        Assert.Contains("Content-Type: application/json\r\n", request, StringComparison.Ordinal);
        Assert.Contains("Authorization: Basic bWU6c2VjcmV0\r\n", request, StringComparison.Ordinal);
        using var json = JsonDocument.Parse(request[request.IndexOf("\r\n\r\n", StringComparison.Ordinal)..]);
        Assert.Equal("pin-mismatch", json.RootElement.GetProperty("finding").GetProperty("kind").GetString());
    }

    [Theory]
    [InlineData("500 Oops", false)]
    [InlineData("429 Slowly", false)]
    [InlineData("404 No", true)]
    [InlineData("302 There\r\nLocation: http://127.0.0.1:1/", true)]
    public async Task What_the_webhook_answers_decides_whether_to_try_again(string status, bool isFinal)
    {
        using var server = Listen(out var port);
        var posting = new WebhookChannel(Configured($"alert_webhook = http://127.0.0.1:{port}/"), TimeProvider.System)
            .SendAsync(AlertProcessTests.Message, TestContext.Current.CancellationToken);

        await Answer(server, $"HTTP/1.1 {status}\r\nContent-Length: 0\r\n\r\n");

        var delivery = await posting;
        Assert.Equal((false, isFinal), (delivery.IsDone, delivery.IsFinal));
        Assert.Contains(status[..3], delivery.Problem, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_webhook_that_is_down_is_tried_again()
    {
        int port;
        using (Listen(out port))
        {
        }

        var delivery = await new WebhookChannel(Configured($"alert_webhook = http://127.0.0.1:{port}/"), TimeProvider.System)
            .SendAsync(AlertProcessTests.Message, TestContext.Current.CancellationToken);

        Assert.Equal((false, false), (delivery.IsDone, delivery.IsFinal));
    }

    [Fact]
    public async Task The_command_runs_where_its_socket_leads()
    {
        var path = Path.Combine(directory, "socket");
        using var listener = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        listener.Bind(new UnixDomainSocketEndPoint(path));
        listener.Listen();
        var sending = new CommandChannel(Configured($"alert_command = /nonexistent/here\nalert_socket = {path}"), NullLogger.Instance, TimeProvider.System)
            .SendAsync(AlertProcessTests.Message, TestContext.Current.CancellationToken);

        using var peer = await listener.AcceptAsync(TestContext.Current.CancellationToken);
        await using var stream = new NetworkStream(peer, ownsSocket: false);
        using var reader = new StreamReader(stream);
        var received = await reader.ReadToEndAsync(TestContext.Current.CancellationToken);
        await stream.WriteAsync("{\"exit_code\":4,\"problem\":null,\"output\":\"no modem\"}"u8.ToArray(), TestContext.Current.CancellationToken);
        peer.Shutdown(SocketShutdown.Send);

        Assert.Equal("/nonexistent/here ended with status 4: no modem", (await sending).Problem);
        Assert.Equal(AlertProcessTests.Message.Finding.Subject, JsonSerializer.Deserialize(received, AlertJson.Default.AlertMessage)?.Finding.Subject);
    }

    [Fact]
    public async Task Where_nobody_listens_the_daemon_runs_the_command_itself()
    {
        var delivery = await new CommandChannel(
                Configured($"alert_command = /bin/true\nalert_socket = {directory}/none"), NullLogger.Instance, TimeProvider.System)
            .SendAsync(AlertProcessTests.Message, TestContext.Current.CancellationToken);

        Assert.True(delivery.IsDone);
    }

    [Fact]
    public async Task What_the_command_printed_cannot_steer_a_terminal()
    {
        var script = Path.Combine(directory, "hostile");
        await File.WriteAllTextAsync(
            script, "#!/bin/sh\nprintf 'first\\033[31mRED\\033]0;pwn\\007\\000\\342\\200\\256\\nsecond'; exit 1\n", TestContext.Current.CancellationToken);
        File.SetUnixFileMode(script, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);

        var delivery = await new CommandChannel(Configured($"alert_command = {script}"), NullLogger.Instance, TimeProvider.System)
            .SendAsync(AlertProcessTests.Message, TestContext.Current.CancellationToken);

        Assert.Equal(
            script + @" ended with status 1: first\u{001B}[31mRED\u{001B}]0;pwn\u{0007}\u{0000}\u{202E} | second", delivery.Problem);
    }

    [Fact]
    public async Task An_alert_is_tried_again_later_and_later_until_it_is_given_up()
    {
        var time = new CountedTime();
        var channel = new FakeChannel("alert_command") { Attempts = 4, Problem = "busy" };
        var passed = 0;
        var worker = new ChannelWorker(channel, (_, _) => Interlocked.Increment(ref passed), NullLogger.Instance, time);
        using var stop = new CancellationTokenSource();
        var running = worker.RunAsync(stop.Token);
        Assert.True(worker.TryAdd(new AlertItem(AlertProcessTests.Message, new DueAlert(AlertEvent.Opened, 0, [], 1), 1)));

        for (var attempt = 1; attempt <= 4; attempt++)
        {
            // The last attempt is followed by no pause.
            await Until.TrueAsync(() => Volatile.Read(ref channel.Tried) == attempt && time.Timers == Math.Min(attempt, 3));
            Assert.Equal(attempt >= 3, worker.Problem is not null);
            if (attempt < 4)
                time.Advance(TimeSpan.FromSeconds((5 << (attempt - 1)) - 1));
            Assert.Equal(attempt, channel.Tried);
            time.Advance(TimeSpan.FromSeconds(1));
        }

        await Until.TrueAsync(() => Volatile.Read(ref passed) == 1);
        channel.Problem = null;
        Assert.True(worker.TryAdd(new AlertItem(AlertProcessTests.Message, new DueAlert(AlertEvent.Opened, 0, [], 1), 1)));
        await Until.TrueAsync(() => Volatile.Read(ref passed) == 2);
        Assert.Null(worker.Problem);
        await stop.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => running);
    }

    public void Dispose() => Directory.Delete(directory, recursive: true);

    private static RunningConfiguration Configured(string lines) =>
        new(SettingsReader.Parse("x.conf", Encoding.UTF8.GetBytes("[probe]\n" + lines)));

    private static TcpListener Listen(out int port)
    {
        var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        port = ((IPEndPoint)listener.LocalEndpoint).Port;
        return listener;
    }

    private static async Task<string> Answer(TcpListener server, string reply)
    {
        using var client = await server.AcceptTcpClientAsync(TestContext.Current.CancellationToken);
        var stream = client.GetStream();
        var request = new StringBuilder();
        var buffer = new byte[8192];
        while (!request.ToString().EndsWith('}'))
        {
            var count = await stream.ReadAsync(buffer, TestContext.Current.CancellationToken);
            Assert.NotEqual(0, count);
            request.Append(Encoding.UTF8.GetString(buffer, 0, count));
        }

        await stream.WriteAsync(Encoding.ASCII.GetBytes(reply), TestContext.Current.CancellationToken);
        return request.ToString();
    }

    /// <summary>Tells when a pause has begun, so that a test advances it neither too early nor too late.</summary>
    private sealed class CountedTime : FakeTimeProvider
    {
        private int timers;

        public int Timers => Volatile.Read(ref timers);

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            var timer = base.CreateTimer(callback, state, dueTime, period);
            Interlocked.Increment(ref timers);
            return timer;
        }
    }
}
