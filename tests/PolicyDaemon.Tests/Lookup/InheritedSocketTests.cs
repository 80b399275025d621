using System.Net;
using System.Net.Sockets;
using Microsoft.Extensions.Logging.Abstractions;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Lookup;
using PolicyDaemon.Lookup.Clients;
using PolicyDaemon.Lookup.Listening;
using PolicyDaemon.Lookup.Protocols;
using Xunit;

namespace PolicyDaemon.Tests.Lookup;

public sealed class InheritedSocketTests : IDisposable
{
    private static readonly TimeSpan Generous = TimeSpan.FromSeconds(30);

    private readonly Socket socket = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly MapEndpoint endpoint;

    public InheritedSocketTests()
    {
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        socket.Listen();
        endpoint = Endpoint($"inet:127.0.0.1:{((IPEndPoint)socket.LocalEndPoint!).Port}");
    }

    [Fact]
    public async Task A_client_that_asks_between_two_daemons_is_answered_by_the_second()
    {
        await using (var first = Server())
        {
            await first.StartAsync((socket, endpoint));
            Assert.Equal(LookupAnswerKind.Found, (await AskAsync()).Answer.Kind);
            await first.StopAsync(TestContext.Current.CancellationToken);
        }

        var waiting = AskAsync();
        await using var second = Server();
        await second.StartAsync((socket, endpoint));
        Assert.Equal(LookupAnswerKind.Found, (await waiting).Answer.Kind);
    }

    [Fact]
    public async Task What_was_handed_over_is_not_bound_again_and_not_closed_when_its_endpoint_goes()
    {
        await using var server = Server();
        await server.StartAsync((socket, endpoint));
        Assert.Single(server.Listening);

        await server.ApplyAsync([]);
        Assert.Equal(LookupAnswerKind.Found, (await AskAsync()).Answer.Kind);

        // Another spelling of the same address.
        await server.ApplyAsync([Endpoint(endpoint.Text.Replace("127.0.0.1", "localhost", StringComparison.Ordinal))]);
        Assert.Single(server.Listening);
    }

    [Fact]
    public async Task An_endpoint_that_was_not_handed_over_is_bound()
    {
        await using var server = Server(endpoint, Endpoint("inet:127.0.0.1:0"));
        await server.StartAsync((socket, endpoint));
        Assert.Equal(2, server.Listening.Count);
    }

    [Theory]
    [InlineData("inet:127.0.0.1:25", "127.0.0.1:25", true)]
    [InlineData("inet:localhost:25", "127.0.0.1:25", true)]
    [InlineData("inet:127.0.0.1:25", "127.0.0.1:26", false)]
    [InlineData("inet:127.0.0.1:25", "127.0.0.2:25", false)]
    [InlineData("inet:[::1]:25", "[::1]:25", true)]
    [InlineData("inet:[::]:25", "0.0.0.0:25", false)]
    [InlineData("inet:*:25", "0.0.0.0:25", true)]
    [InlineData("inet:*:25", "[::]:25", true)]
    [InlineData("inet:*:25", "127.0.0.1:25", false)]
    [InlineData("unix:/run/a", "127.0.0.1:25", false)]
    public void An_address_serves_the_endpoint_that_names_it(string text, string address, bool served) =>
        Assert.Equal(served, Endpoint(text).IsServedAt(IPEndPoint.Parse(address)));

    [Fact]
    public void A_path_serves_the_endpoint_that_names_it()
    {
        Assert.True(Endpoint("unix:/run/a").IsServedAt(new UnixDomainSocketEndPoint("/run/a")));
        Assert.False(Endpoint("unix:/run/a").IsServedAt(new UnixDomainSocketEndPoint("/run/b")));
    }

    public void Dispose() => socket.Dispose();

    private static MapEndpoint Endpoint(string text)
    {
        Assert.True(MapEndpoint.TryParse(MapProtocol.Socketmap, text, out var endpoint, out var reason), reason);
        return endpoint;
    }

    private LookupServer Server(params MapEndpoint[] endpoints) => new(
        new LookupTestData().Service, new LookupOptions { Endpoints = endpoints.Length > 0 ? endpoints : [endpoint] },
        NullLogger<LookupServer>.Instance, TimeProvider.System);

    private Task<QueryResult> AskAsync() =>
        SocketmapClient.AskAsync(endpoint, "tlspolicy", "example.com", Generous, TimeProvider.System, TestContext.Current.CancellationToken);
}
