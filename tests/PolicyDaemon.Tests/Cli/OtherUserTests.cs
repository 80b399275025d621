using Microsoft.Extensions.Logging.Abstractions;
using PolicyDaemon.Administration.Doctor;
using PolicyDaemon.Cli.Hosting;
using PolicyDaemon.Lookup;
using PolicyDaemon.Lookup.Listening;
using PolicyDaemon.Lookup.Protocols;
using PolicyDaemon.Tests.Lookup;
using Xunit;

namespace PolicyDaemon.Tests.Cli;

/// <summary>What a child of policyctl asks a table, and what it says of that.</summary>
public sealed class OtherUserTests : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly LookupServer daemon = new(
        new LookupTestData().Service, new LookupOptions { Endpoints = [Endpoint(MapProtocol.Socketmap), Endpoint(MapProtocol.TcpTable)] }, NullLogger<LookupServer>.Instance, TimeProvider.System);

    public async ValueTask InitializeAsync() => await daemon.StartAsync();

    public ValueTask DisposeAsync() => daemon.DisposeAsync();

    [Theory]
    [InlineData(0, "socketmap", "tlspolicy", SocketOutcome.Answered)]
    [InlineData(1, "tcp", "", SocketOutcome.Answered)]
    [InlineData(0, "socketmap", "nosuchmap", SocketOutcome.Refused)]
    public async Task A_daemon_that_answers_is_told_from_one_that_refuses(int listener, string protocol, string map, SocketOutcome expected)
    {
        var endpoint = daemon.Listening[listener].Split(' ')[^1];

        var (outcome, message) = await OtherUser.AskAsync(protocol, endpoint, map, Patience, TestContext.Current.CancellationToken);

        Assert.Equal(expected, outcome);
        Assert.Equal(expected == SocketOutcome.Answered, message.Length == 0);
    }

    [Theory]
    [InlineData("inet:127.0.0.1:1", SocketOutcome.NotRunning)]
    [InlineData("unix:/nonexistent/socketmap", SocketOutcome.NoSocket)]
    [InlineData("inet:somewhere.example:1", SocketOutcome.NotAsked)]
    public async Task What_does_not_answer_says_why(string endpoint, SocketOutcome expected)
    {
        var (outcome, message) = await OtherUser.AskAsync("socketmap", endpoint, "tlspolicy", Patience, TestContext.Current.CancellationToken);

        Assert.Equal(expected, outcome);
        Assert.NotEqual("", message);
    }

    [Theory]
    [InlineData("answered\t\n", true, SocketOutcome.Answered)]
    [InlineData("no-permission\tno permission to connect\n", true, SocketOutcome.NoPermission)]
    [InlineData("answered", false, default(SocketOutcome))]
    [InlineData("", false, default(SocketOutcome))]
    [InlineData("certainly\tnot", false, default(SocketOutcome))]
    public void What_the_child_says_is_read(string line, bool isRead, SocketOutcome expected)
    {
        Assert.Equal(isRead, OtherUser.TryRead(line, out var outcome, out _));
        if (isRead)
            Assert.Equal(expected, outcome);
    }

    [Theory]
    [InlineData("__ask")]
    [InlineData("__ask postfix / / socketmap inet:127.0.0.1:1 tlspolicy never")]
    [InlineData("__run root")]
    public void A_command_line_that_doctor_does_not_write_is_refused(string line)
    {
        using var session = new CliSession(init: false);

        Assert.Equal(ExitCode.Usage, session.RunWith(line.Split(' ')).Code);
    }

    /// <summary>Nobody types them: no shell offers them, and no help names them.</summary>
    [Fact]
    public void The_commands_of_the_child_are_hidden()
    {
        using var session = new CliSession(init: false);

        Assert.DoesNotContain("__", session.RunWith("--help").Out + session.RunWith("__complete", "policyctl __").Out, StringComparison.Ordinal);
    }

    private static MapEndpoint Endpoint(MapProtocol protocol) =>
        MapEndpoint.TryParse(protocol, "inet:127.0.0.1:0", out var endpoint, out var reason) ? endpoint : throw new InvalidOperationException(reason);
}
