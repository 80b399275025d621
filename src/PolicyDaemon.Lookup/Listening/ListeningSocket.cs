using System.Net.Sockets;
using System.Runtime.InteropServices;
using PolicyDaemon.Lookup.Listening.Readiness;

namespace PolicyDaemon.Lookup.Listening;

/// <summary>What a listener needs of its socket. Not to be used from several threads at once.</summary>
internal interface IListeningSocket
{
    /// <summary>Begins to report that clients wait, again and again while some do.</summary>
    /// <exception cref="IOException">The kernel refuses.</exception>
    void Watch(Action ready);

    /// <summary>Reports nothing more; a report may still be under way.</summary>
    void Unwatch();

    /// <summary>Takes a client that waits.</summary>
    /// <returns><see cref="SystemError.TryAgain"/> where none does.</returns>
    SystemError Accept(out int descriptor);

    void Close();
}

/// <summary>A socket that listens, watched by the loop that serves its clients: a client that comes wakes no other thread.</summary>
internal sealed class ListeningSocket : Watched, IListeningSocket
{
    private readonly ReadinessLoop loop;
    private readonly Socket socket;
    private readonly Action<Socket> close;
    private Action? ready;

    /// <param name="loop">Watches it.</param>
    /// <param name="socket">Bound and listening.</param>
    /// <param name="close">Closes it.</param>
    public ListeningSocket(ReadinessLoop loop, Socket socket, Action<Socket> close)
    {
        this.loop = loop;
        this.socket = socket;
        this.close = close;
        socket.Blocking = false;
    }

    public void Watch(Action ready)
    {
        // Not edge-triggered: who was not accepted yet, for lack of descriptors or for the others' sake, is reported again.
        loop.Watch(this, (int)socket.SafeHandle.DangerousGetHandle(), SocketEvents.Readable);
        this.ready = ready;
    }

    public void Unwatch()
    {
        if (ready is not null)
            loop.Forget(this, (int)socket.SafeHandle.DangerousGetHandle());
        ready = null;
    }

    public SystemError Accept(out int descriptor)
    {
        descriptor = NativeMethods.Accept(socket.SafeHandle);
        return descriptor >= 0 ? SystemError.None : (SystemError)Marshal.GetLastPInvokeError();
    }

    public void Close() => close(socket);

    public override void OnReady(SocketEvents events) => ready?.Invoke();

    public override void OnLoopEnded()
    {
    }
}
