using Microsoft.Extensions.Logging.Abstractions;
using PolicyDaemon.Lookup;
using PolicyDaemon.Lookup.Listening;

namespace PolicyDaemon.Tests.Lookup.Listening;

internal static class TestConnections
{
    public static ConnectionRegistry Registry(LookupTestData data) => new(data.Service, new LookupOptions(), NullLogger.Instance, TimeProvider.System);
}
