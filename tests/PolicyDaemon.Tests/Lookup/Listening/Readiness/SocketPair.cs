using System.Net;
using System.Net.Sockets;
using PolicyDaemon.Lookup.Listening.Readiness;

namespace PolicyDaemon.Tests.Lookup.Listening.Readiness;

/// <summary>Two ends of one connection, over TCP on loopback or a unix socket.</summary>
internal sealed class SocketPair : IDisposable
{
    private int near;

    private SocketPair(int near, Socket far)
    {
        this.near = near;
        Far = far;
    }

    /// <summary>The peer's end, blocking.</summary>
    public Socket Far { get; }

    public static SocketPair Connect(bool isUnix)
    {
        var path = Path.Combine(Path.GetTempPath(), Path.GetRandomFileName());
        using var listener = isUnix
            ? new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified)
            : new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(isUnix ? new UnixDomainSocketEndPoint(path) : new IPEndPoint(IPAddress.Loopback, 0));
        if (!isUnix)
            listener.NoDelay = true; // which the accepted one takes over
        listener.Listen();
        var far = new Socket(listener.AddressFamily, SocketType.Stream, listener.ProtocolType);
        far.Connect(listener.LocalEndPoint!);
        var near = NativeMethods.Accept(listener.SafeHandle);
        if (!isUnix)
            far.NoDelay = true;
        far.ReceiveTimeout = far.SendTimeout = 60_000; // what never comes is a failed test
        return new(near, far);
    }

    /// <summary>The end under test: its descriptor, which does not block and belongs to the caller.</summary>
    public int TakeNear()
    {
        var taken = near;
        near = -1;
        return taken;
    }

    public void Dispose()
    {
        if (near >= 0)
            _ = NativeMethods.Close(near);
        Far.Dispose();
    }
}
