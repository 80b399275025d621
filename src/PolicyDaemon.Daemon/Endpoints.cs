using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Lookup.Listening;
using PolicyDaemon.Lookup.Protocols;

namespace PolicyDaemon.Daemon;

/// <summary>Parses the configured endpoints for the lookup library; an error names the line of the configuration.</summary>
internal static class Endpoints
{
    /// <exception cref="ConfigurationException">An endpoint cannot be parsed, or two are the same.</exception>
    internal static IReadOnlyList<MapEndpoint> From(Settings settings)
    {
        var problems = new List<ConfigurationProblem>();
        var endpoints = new List<MapEndpoint>();
        Add(settings.Socketmap, MapProtocol.Socketmap);
        Add(settings.TcpTable, MapProtocol.TcpTable);
        return problems.Count == 0 ? endpoints : throw new ConfigurationException(problems);

        void Add(IEnumerable<ConfiguredValue> values, MapProtocol protocol)
        {
            foreach (var value in values)
            {
                if (!MapEndpoint.TryParse(protocol, value.Text, out var endpoint, out var reason))
                    problems.Add(value.Problem(reason));
                else if (endpoints.FirstOrDefault(other => other.Overlaps(endpoint)) is { } other)
                    problems.Add(value.Problem($"'{value.Text}' is taken by '{other}' already; each endpoint serves one protocol"));
                else
                    endpoints.Add(endpoint);
            }
        }
    }
}
