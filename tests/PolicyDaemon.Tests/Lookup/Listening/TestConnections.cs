using Microsoft.Extensions.Logging.Abstractions;
using PolicyDaemon.Lookup.Listening;
using PolicyDaemon.Lookup.Protocols;
using Xunit;

namespace PolicyDaemon.Tests.Lookup.Listening;

internal static class TestConnections
{
    public static ConnectionRegistry Registry(LookupTestData data) => new(data.Service, new LookupOptions(), NullLogger.Instance, TimeProvider.System);

    /// <returns>False where nobody made way.</returns>
    public static bool Admit(this ConnectionRegistry registry, PipeTransport peer, ListenerRoom room)
    {
        if (!registry.TryMakeWay(room))
            return false;
        registry.Serve(peer, room);
        return true;
    }

    public static MapEndpoint Endpoint(MapProtocol protocol, string text = "inet:127.0.0.1:0")
    {
        Assert.True(MapEndpoint.TryParse(protocol, text, out var endpoint, out var reason), reason);
        return endpoint;
    }
}
