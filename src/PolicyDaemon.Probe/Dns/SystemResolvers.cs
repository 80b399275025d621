using System.Collections.Immutable;
using System.Net;

namespace PolicyDaemon.Probe.Dns;

/// <summary>The resolvers of /etc/resolv.conf, and of its copy in a chroot.</summary>
/// <remarks>
/// <code>nameserver ADDRESS      resolv.conf(5); the resolver library takes the first three, and 127.0.0.1 where there is none</code>
/// By hand: DnsClient asks for the network interfaces too, which takes a netlink socket that the sandbox does not allow, and may
/// end at a public resolver, which would send our partners' names to a stranger.
/// </remarks>
public static class SystemResolvers
{
    private const string File = "/etc/resolv.conf";
    internal const int Port = 53;
    private const int Most = 3; // resolv.conf(5): MAXNS
    private const int MostLines = 1000;

    /// <summary>The resolvers that the system asks.</summary>
    public static ImmutableArray<IPEndPoint> Read() => Of(File) ?? Parse([]);

    /// <summary>The resolvers that a file of this kind names; those of the library where it names none.</summary>
    /// <returns>Null where the file is not there, or may not be read.</returns>
    public static ImmutableArray<IPEndPoint>? Of(string file)
    {
        try
        {
            return Parse(System.IO.File.ReadLines(file).Take(MostLines));
        }
        catch (Exception fault) when (fault is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    internal static ImmutableArray<IPEndPoint> Parse(IEnumerable<string> lines)
    {
        var found = lines
            .Select(line => line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries))
            .Where(words => words is ["nameserver", _, ..])
            .Select(words => IPAddress.TryParse(words[1], out var address) ? new IPEndPoint(address, Port) : null)
            .OfType<IPEndPoint>()
            .Take(Most)
            .ToImmutableArray();
        return found.IsEmpty ? [new IPEndPoint(IPAddress.Loopback, Port)] : found;
    }
}
