using System.Globalization;
using System.Net.Sockets;
using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Core.Runtime;

namespace PolicyDaemon.Web.Hosting;

/// <summary>The socket on which pages are served: one that systemd hands over, else the one that the configuration names.</summary>
/// <remarks>
/// Protocol  descriptor 3 is ours if LISTEN_PID is our process id and LISTEN_FDS is not 0; of several all are served
/// Own       a unix socket is made with mode 0660 before its name appears; who may enter it is its group's affair
/// See       sd_listen_fds(3); policyd-web(8)
/// </remarks>
internal sealed class ListeningSocket : IDisposable
{
    private const int FirstDescriptor = 3; // sd_listen_fds(3): SD_LISTEN_FDS_START
    private const int MostDescriptors = 16;
    private const int Backlog = 64;
    private const UnixFileMode Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.GroupWrite;

    private readonly Socket? made;
    private readonly string? path;

    private ListeningSocket(IReadOnlyList<ulong> handles, bool isHandedOver)
    {
        Handles = handles;
        IsHandedOver = isHandedOver;
    }

    private ListeningSocket(Socket made, string? path)
        : this([(ulong)made.Handle], isHandedOver: false)
    {
        this.made = made;
        this.path = path;
    }

    /// <summary>The descriptors to accept connections on.</summary>
    internal IReadOnlyList<ulong> Handles { get; }

    /// <summary>True where systemd holds the socket, and starts the program again when somebody connects.</summary>
    internal bool IsHandedOver { get; }

    /// <exception cref="IOException">Nothing can be listened on; the message says why.</exception>
    internal static ListeningSocket Open(WebSettings settings)
    {
        var count = Count(Environment.GetEnvironmentVariable("LISTEN_PID"), Environment.GetEnvironmentVariable("LISTEN_FDS"), Environment.ProcessId);
        foreach (var name in (string[])["LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES"])
            Environment.SetEnvironmentVariable(name, null);
        if (count > 0)
            return new ListeningSocket([.. Enumerable.Range(FirstDescriptor, count).Select(descriptor => (ulong)descriptor)], isHandedOver: true);
        if (settings.Socket is not { } path)
            return new ListeningSocket(Bind(settings), path: null);
        if (!UnixSocketFile.Fits(path))
            throw new IOException($"{path} is too long for a unix socket; set listen in [web] to a path of {UnixSocketFile.MaxPath} octets at most");
        return new ListeningSocket(UnixSocketFile.Listen(path, Mode, Backlog), path);
    }

    /// <summary>How many descriptors systemd has passed to this process.</summary>
    internal static int Count(string? listenPid, string? listenFds, int processId) =>
        int.TryParse(listenPid, NumberStyles.None, CultureInfo.InvariantCulture, out var forProcess) && forProcess == processId
        && int.TryParse(listenFds, NumberStyles.None, CultureInfo.InvariantCulture, out var count)
            ? Math.Min(count, MostDescriptors)
            : 0;

    /// <summary>Closes what was opened here, and removes its name.</summary>
    public void Dispose()
    {
        made?.Dispose();
        if (path is null)
            return;
        try
        {
            UnixSocketFile.Remove(path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // The next start takes its place.
        }
    }

    private static Socket Bind(WebSettings settings)
    {
        var socket = new Socket(settings.Address!.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReuseAddress, true);
            socket.Bind(settings.Address);
            socket.Listen(Backlog);
            return socket;
        }
        catch (SocketException exception)
        {
            socket.Dispose();
            var port = settings.Address.Port;
            var remedy = exception.SocketErrorCode switch
            {
                SocketError.AddressAlreadyInUse => FormattableString.Invariant($"; who does: ss -ltnp 'sport = :{port}'; otherwise set listen in [web] to another port"),
                SocketError.AccessDenied => "; set listen in [web] to a port above 1023",
                _ => "",
            };
            throw new IOException($"cannot listen on inet:{settings.Address}: {exception.Message}{remedy}", exception);
        }
    }
}
