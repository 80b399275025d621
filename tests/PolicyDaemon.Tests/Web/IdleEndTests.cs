using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Web.Hosting;
using Xunit;

namespace PolicyDaemon.Tests.Web;

public sealed class IdleEndTests
{
    private readonly FakeTimeProvider time = new();

    [Fact]
    public async Task Ten_minutes_without_a_request_are_the_end_and_a_request_under_way_is_none_of_them()
    {
        using var end = new IdleEnd(TimeSpan.FromMinutes(10), time, NullLogger.Instance);
        time.Advance(TimeSpan.FromMinutes(9));
        var answered = new TaskCompletionSource();
        var request = end.CountAsync(new DefaultHttpContext(), _ => answered.Task);
        time.Advance(TimeSpan.FromMinutes(30));
        Assert.False(end.IsDue);

        answered.SetResult();
        await request;
        time.Advance(TimeSpan.FromMinutes(10) - TimeSpan.FromSeconds(1));
        Assert.False(end.IsDue);
        time.Advance(TimeSpan.FromSeconds(1));

        Assert.True(end.IsDue);
    }

    [Fact]
    public void Zero_is_never()
    {
        using var end = new IdleEnd(TimeSpan.Zero, time, NullLogger.Instance);
        time.Advance(TimeSpan.FromDays(30));

        Assert.False(end.IsDue);
    }

    [Fact]
    public async Task Memory_is_given_back_a_moment_after_the_last_request_of_several()
    {
        var given = 0;
        using var end = new IdleEnd(TimeSpan.Zero, time, NullLogger.Instance, () => given++);
        var answered = new TaskCompletionSource();
        var slow = end.CountAsync(new DefaultHttpContext(), _ => answered.Task);
        await end.CountAsync(new DefaultHttpContext(), _ => Task.CompletedTask);
        time.Advance(TimeSpan.FromMinutes(1));
        Assert.Equal(0, given);

        answered.SetResult();
        await slow;
        time.Advance(TimeSpan.FromSeconds(1));
        await end.CountAsync(new DefaultHttpContext(), _ => Task.CompletedTask);
        time.Advance(TimeSpan.FromSeconds(1.5));
        Assert.Equal(0, given);
        time.Advance(TimeSpan.FromSeconds(1));

        Assert.Equal(1, given);
    }

    [Fact]
    public async Task Where_requests_never_pause_memory_is_given_back_between_them()
    {
        var (given, between) = (0, 0);
        using var end = new IdleEnd(TimeSpan.Zero, time, NullLogger.Instance, () => given++, () => between++);
        var answered = new TaskCompletionSource();
        var slow = end.CountAsync(new DefaultHttpContext(), _ => answered.Task);
        await end.CountAsync(new DefaultHttpContext(), _ => Task.CompletedTask);
        Assert.Equal(0, between);
        answered.SetResult();
        await slow;
        time.Advance(TimeSpan.FromSeconds(1));
        await end.CountAsync(new DefaultHttpContext(), _ => Task.CompletedTask);

        Assert.Equal((0, 2), (given, between));
    }

    [Fact]
    public void A_port_that_is_taken_is_said_with_what_to_do()
    {
        using var other = new TcpListener(IPAddress.Loopback, 0);
        other.Start();
        var port = ((IPEndPoint)other.LocalEndpoint).Port.ToString(CultureInfo.InvariantCulture);
        var settings = SettingsReader.Parse("test.conf", Encoding.UTF8.GetBytes($"[web]\nlisten = inet:127.0.0.1:{port}\n"));

        var fault = Assert.Throws<IOException>(() => ListeningSocket.Open(settings.Web));

        Assert.Contains($"ss -ltnp 'sport = :{port}'", fault.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("7", "1", 7, 1)]
    [InlineData("7", "99", 7, 16)]
    [InlineData("8", "1", 7, 0)]
    [InlineData(null, "1", 7, 0)]
    [InlineData("7", "x", 7, 0)]
    public void Sockets_are_taken_over_only_where_they_are_meant_for_this_process(string? pid, string? fds, int process, int count) =>
        Assert.Equal(count, ListeningSocket.Count(pid, fds, process));
}
