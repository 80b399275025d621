using Microsoft.Extensions.Logging.Abstractions;
using PolicyDaemon.Cli.Hosting;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Lookup;
using PolicyDaemon.Lookup.Listening;
using PolicyDaemon.Lookup.Protocols;
using PolicyDaemon.Tests.Lookup;
using Xunit;

namespace PolicyDaemon.Tests.Cli;

public class QueryTests
{
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task The_text_alone_is_printed_as_postmap_does(bool tcp)
    {
        await using var server = await ServeAsync(tcp);
        using var session = new CliSession(init: false);

        var result = Ask(session, server, tcp, "Example.COM");

        Assert.Equal("secure match=mx.example.com servername=hostname\n", result.Out);
        Assert.Empty(result.Error);
        Assert.Equal(ExitCode.Done, result.Code);
        Assert.Equal("answer\n" + result.Out, Ask(session, server, tcp, "Example.COM", "--header").Out);
        Assert.Equal("answer\n", Ask(session, server, tcp, "missing.example", "--header").Out);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Not_found_is_1_and_prints_nothing(bool tcp)
    {
        await using var server = await ServeAsync(tcp);
        using var session = new CliSession(init: false);

        var result = Ask(session, server, tcp, "missing.example");

        Assert.Equal(ExitCode.Negative, result.Code);
        Assert.Empty(result.Out);
        Assert.Contains("not found; Postfix goes on to the parent domain", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_map_that_policyd_does_not_have_is_a_word_that_is_none()
    {
        using var session = new CliSession();

        var result = session.Run("query", "example.com", "--map", "tlspolcy");

        Assert.Contains("policyd has no map 'tlspolcy', and answers a question for it with a permanent error; did you mean 'tlspolicy'?", result.Error, StringComparison.Ordinal);
        Assert.Equal(ExitCode.Usage, result.Code);
    }

    [Fact]
    public async Task A_temporary_error_is_6_with_its_reason()
    {
        await using var server = await ServeAsync(false, new LookupTestData(NearMissAnswer.Temporary));
        using var session = new CliSession(init: false);

        var result = Ask(session, server, false, "mx.example.net");

        Assert.Equal(ExitCode.Inconclusive, result.Code);
        Assert.Contains("policyctl: temporary error: this host is configured in another form", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_map_that_is_not_served_is_6()
    {
        await using var server = await ServeAsync(false);
        using var session = new CliSession(init: false);

        var result = session.Run("query", "example.com", "--server", server.Listening[0].Split(' ')[^1], "--map", "pins");

        Assert.Equal(ExitCode.Inconclusive, result.Code);
        Assert.Contains("permanent error: no such map here", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_configured_endpoint_is_asked_by_default()
    {
        await using var server = await ServeAsync(false);
        using var session = new CliSession(init: false, lookup: "socketmap = " + server.Listening[0].Split(' ')[^1]);

        var result = session.Run("query", "example.com", "--format", "json");

        Assert.Equal(ExitCode.Done, result.Code);
        Assert.Equal(
            $$"""
            {
              "server": "{{server.Listening[0].Split(' ')[^1]}}",
              "map": "tlspolicy",
              "key": "example.com",
              "answer": {
                "kind": "found",
                "text": "secure match=mx.example.com servername=hostname"
              }
            }

            """, result.Out);
    }

    private static CliResult Ask(CliSession session, LookupServer server, bool tcp, string key, params string[] more) =>
        session.Run(["query", key, .. more, "--server", server.Listening[0].Split(' ')[^1], .. tcp ? ["--tcp"] : Array.Empty<string>()]);

    private static async Task<LookupServer> ServeAsync(bool tcp, LookupTestData? data = null)
    {
        Assert.True(MapEndpoint.TryParse(tcp ? MapProtocol.TcpTable : MapProtocol.Socketmap, "inet:127.0.0.1:0", out var endpoint, out _));
        var server = new LookupServer(
            (data ?? new LookupTestData()).Service, new LookupOptions { Endpoints = [endpoint] }, NullLogger<LookupServer>.Instance, TimeProvider.System);
        await server.StartAsync();
        return server;
    }
}
