using System.Globalization;
using System.Net.Sockets;
using System.Text;
using PolicyDaemon.Administration.Changes;
using PolicyDaemon.Core.Audit;
using PolicyDaemon.Core.Runtime;

namespace PolicyDaemon.Cli.Hosting;

/// <summary>Writes to the system's log socket, behind which systemd-journald or a syslog daemon reads.</summary>
/// <remarks>
/// One datagram: <c>&lt;PRI&gt;Mmm dd hh:mm:ss TAG[PID]: MESSAGE</c> (RFC 3164 section 4.1; syslog(3) sends the same).
/// No socket, nobody reading, a full queue: nothing is written and nothing is said.
/// </remarks>
internal sealed class SyslogJournal(string socketPath) : IChangeJournal
{
    internal const string DefaultSocket = "/dev/log";

    private const int Priority = (10 << 3) | 6; // facility authpriv, severity info: <syslog.h>
    private const int MaxMessage = 1024; // RFC 3164 section 4.1: what every receiver takes

    public void Note(long change, Actor actor, string headHash, string summary)
    {
        var text = string.Create(
            CultureInfo.InvariantCulture, $"change={change} actor=\"{actor}\" head={headHash} {summary}");
        Send(ShownText.Escape(text));
    }

    private void Send(string message)
    {
        var stamp = TimeProvider.System.GetUtcNow().ToString("MMM dd HH:mm:ss", CultureInfo.InvariantCulture);
        // RFC 3164 section 4.1.2: a day below ten has a blank before it.
        if (stamp[4] == '0')
            stamp = stamp[..4] + " " + stamp[5..];
        var line = string.Create(
            CultureInfo.InvariantCulture, $"<{Priority}>{stamp} policyctl[{Environment.ProcessId}]: {message}");
        var bytes = Encoding.UTF8.GetBytes(line);
        try
        {
            using var socket = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified) { Blocking = false };
            socket.Connect(new UnixDomainSocketEndPoint(socketPath));
            socket.Send(bytes.AsSpan(0, Math.Min(bytes.Length, MaxMessage)));
        }
        catch (SocketException)
        {
            // The daemon logs the head hash of what it loads, so the chain has its witness without us.
        }
    }
}
