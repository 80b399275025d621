using System.Globalization;
using System.Net.Sockets;
using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Lookup.Listening;

namespace PolicyDaemon.Daemon.Systemd;

/// <summary>The listening sockets that systemd hands over, so that no client is turned away while the daemon restarts.</summary>
/// <remarks>
/// Protocol  descriptors 3 to 3 + LISTEN_FDS - 1 are ours if LISTEN_PID is our process id
/// Matching  by address: a socket serves the configured endpoint that equals its own; names (LISTEN_FDNAMES) say nothing
/// Failure   a socket without such an endpoint is an error: two places disagree about where lookups are answered, and
///           clients that wait there would wait for ever
/// See       sd_listen_fds(3), systemd.socket(5); policyd(8), SOCKET ACTIVATION
/// </remarks>
internal static class InheritedSockets
{
    private const int FirstDescriptor = 3; // sd_listen_fds(3): SD_LISTEN_FDS_START

    private const int MostDescriptors = 1024;

    // A socket that is collected is closed, and closing can reach whoever shares it; these live as long as the process.
    private static readonly List<Socket> Held = [];

    /// <summary>Takes over what systemd passed to this process, once.</summary>
    /// <param name="file">The configuration's name, for messages.</param>
    /// <param name="endpoints">The configured endpoints.</param>
    /// <exception cref="ConfigurationException">A socket serves no configured endpoint, or is no listening socket.</exception>
    internal static IReadOnlyList<(Socket Socket, MapEndpoint Endpoint)> Take(string file, IReadOnlyList<MapEndpoint> endpoints)
    {
        var count = Count(
            Environment.GetEnvironmentVariable("LISTEN_PID"), Environment.GetEnvironmentVariable("LISTEN_FDS"), Environment.ProcessId);
        // Not for the programs that we start.
        Environment.SetEnvironmentVariable("LISTEN_PID", null);
        Environment.SetEnvironmentVariable("LISTEN_FDS", null);
        Environment.SetEnvironmentVariable("LISTEN_FDNAMES", null);
        for (var descriptor = FirstDescriptor; descriptor < FirstDescriptor + count; descriptor++)
        {
            try
            {
                Held.Add(new Socket(new SafeSocketHandle(descriptor, ownsHandle: false)));
            }
            catch (SocketException exception)
            {
                throw new ConfigurationException(
                    file, 0, "lookup", $"descriptor {descriptor} from systemd is no socket ({exception.Message}); see: systemctl cat policyd.socket");
            }
        }

        return Match(file, Held, endpoints);
    }

    /// <summary>How many descriptors systemd has passed to this process.</summary>
    internal static int Count(string? listenPid, string? listenFds, int processId) =>
        int.TryParse(listenPid, NumberStyles.None, CultureInfo.InvariantCulture, out var forProcess) && forProcess == processId
        && int.TryParse(listenFds, NumberStyles.None, CultureInfo.InvariantCulture, out var count)
            ? Math.Min(count, MostDescriptors)
            : 0;

    /// <summary>Finds the endpoint that each socket serves.</summary>
    internal static IReadOnlyList<(Socket Socket, MapEndpoint Endpoint)> Match(
        string file, IReadOnlyList<Socket> sockets, IReadOnlyList<MapEndpoint> endpoints)
    {
        var matched = new List<(Socket, MapEndpoint)>();
        var problems = new List<ConfigurationProblem>();
        foreach (var socket in sockets)
        {
            if (socket.LocalEndPoint is { } address && endpoints.FirstOrDefault(endpoint => endpoint.IsServedAt(address)) is { } served)
                matched.Add((socket, served));
            else
                problems.Add(new(file, 0, "lookup",
                    $"policyd.socket listens on {socket.LocalEndPoint?.ToString() ?? "no address"}, which neither socketmap nor tcp_table names; "
                    + "after a change of these: systemctl daemon-reload && systemctl restart policyd.socket"));
        }

        return problems.Count == 0 ? matched : throw new ConfigurationException(problems);
    }
}
