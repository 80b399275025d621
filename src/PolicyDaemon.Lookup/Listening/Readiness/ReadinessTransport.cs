using System.IO.Pipelines;

namespace PolicyDaemon.Lookup.Listening.Readiness;

/// <summary>A connected socket that the loop watches, as two pipes of its own.</summary>
/// <remarks>Made, read, written and closed on the loop's thread; other threads may cancel a read and dispose, which happens there a little later.
/// So the descriptor is a number that nobody else can close, and nobody else gets while it is in use.</remarks>
internal sealed class ReadinessTransport : Watched, IConnectionTransport
{
    private const SocketEvents UsualInterest = SocketEvents.Readable | SocketEvents.PeerClosed | SocketEvents.EdgeTriggered;

    private readonly ReadinessLoop loop;
    private readonly ReadinessReader reader;
    private readonly ReadinessWriter writer;
    private int descriptor;

    /// <param name="loop">Watches it.</param>
    /// <param name="descriptor">Connected and non-blocking; belongs to the new object, unless an exception says that there is none.</param>
    /// <exception cref="IOException">The kernel refuses to watch it.</exception>
    public ReadinessTransport(ReadinessLoop loop, int descriptor)
    {
        this.loop = loop;
        this.descriptor = descriptor;
        reader = new(this, loop);
        writer = new(this, loop);
        loop.Watch(this, descriptor, UsualInterest);
    }

    public PipeReader Input => reader;

    public PipeWriter Output => writer;

    public ValueTask YieldAsync() => loop.YieldAsync();

    public override void OnReady(SocketEvents events)
    {
        if ((events & ~SocketEvents.Writable) != 0)
            reader.OnReadable((events & ~(SocketEvents.Writable | SocketEvents.Readable)) != 0);
        if ((events & ~SocketEvents.Readable) != 0)
            writer.OnWritable();
    }

    public override void OnLoopEnded() => Close();

    public void Dispose()
    {
        if (loop.IsCurrent)
            Close();
        else
            loop.Post(Close);
    }

    internal void ThrowIfClosed() => ObjectDisposedException.ThrowIf(descriptor < 0, this);

    internal int Receive(Span<byte> buffer) => NativeMethods.Receive(descriptor, buffer);

    internal int Send(ReadOnlySpan<byte> octets) => NativeMethods.Send(descriptor, octets);

    internal void WatchWritability(bool watch) => loop.Modify(this, descriptor, watch ? UsualInterest | SocketEvents.Writable : UsualInterest);

    private void Close()
    {
        if (descriptor < 0)
            return;
        loop.Forget(this);
        _ = NativeMethods.Close(descriptor);
        descriptor = -1;
        reader.OnClosed();
        writer.OnClosed();
    }
}
