using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace PolicyDaemon.Benchmarks.Loads;

/// <summary>Where a server answers, and in which protocol.</summary>
/// <param name="Protocol"><c>socketmap</c> or <c>tcp_table</c>.</param>
/// <param name="Text"><c>unix:/path</c> or <c>inet:127.0.0.1:port</c>.</param>
internal sealed record Endpoint(string Protocol, string Text)
{
    internal bool IsUnix => Text.StartsWith("unix:", StringComparison.Ordinal);

    /// <summary>For a table's heading.</summary>
    internal string Name => Protocol == "socketmap" ? IsUnix ? "socketmap, unix" : "socketmap, TCP" : "tcp_table";

    internal EndPoint Address => IsUnix
        ? new UnixDomainSocketEndPoint(Text[5..])
        : new IPEndPoint(IPAddress.Loopback, int.Parse(Text[(Text.LastIndexOf(':') + 1)..], CultureInfo.InvariantCulture));

    internal Socket NewSocket() => IsUnix
        ? new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified)
        : new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };

    internal byte[] Request(string key) => Encoding.ASCII.GetBytes(Protocol == "socketmap"
        ? FormattableString.Invariant($"{10 + key.Length}:tlspolicy {key},")
        : $"get {key}\n");
}
