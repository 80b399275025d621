using System.Net;
using System.Net.Sockets;

namespace PolicyDaemon.Tests.Lookup.Listening.Readiness;

/// <summary>Two ends of one connection, over TCP on loopback or a unix socket.</summary>
internal sealed class SocketPair : IDisposable
{
    private SocketPair(Socket near, Socket far)
    {
        Near = near;
        Far = far;
    }

    /// <summary>The end under test.</summary>
    public Socket Near { get; }

    /// <summary>The peer's end, blocking.</summary>
    public Socket Far { get; }

    public static SocketPair Connect(bool isUnix)
    {
        var path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        using var listener = isUnix
            ? new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified)
            : new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(isUnix ? new UnixDomainSocketEndPoint(path) : new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen();
        var far = new Socket(listener.AddressFamily, SocketType.Stream, listener.ProtocolType);
        far.Connect(listener.LocalEndPoint!);
        var near = listener.Accept();
        if (!isUnix)
            near.NoDelay = far.NoDelay = true;
        far.ReceiveTimeout = far.SendTimeout = 60_000; // what never comes is a failed test
        return new(near, far);
    }

    public void Dispose()
    {
        Near.Dispose();
        Far.Dispose();
    }
}
