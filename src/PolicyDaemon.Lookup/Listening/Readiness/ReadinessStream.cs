using System.Net.Sockets;
using System.Threading.Tasks.Sources;

namespace PolicyDaemon.Lookup.Listening.Readiness;

/// <summary>A socket as a stream for pipes. A read or write completes at once where the kernel allows it; otherwise the readiness loop completes it.</summary>
/// <remarks>
/// <para>One read and one write at a time, as pipes do it; they may come from different threads. Whoever takes a waiting
/// operation out of its field under the lock is the one who completes it.</para>
/// <para>After a read that did not fill its buffer the socket is empty (epoll(7), question 9), so the next read waits without
/// asking the kernel - unless the peer closed: that is reported once, and perhaps together with its last octets.</para>
/// </remarks>
internal sealed class ReadinessStream : Stream, IValueTaskSource<int>, IValueTaskSource, IValueTaskSource<bool>
{
    /// <summary>Writability is watched only while a write waits for it: each reply that a peer takes would be reported.</summary>
    public const SocketEvents UsualInterest = SocketEvents.Readable | SocketEvents.PeerClosed | SocketEvents.EdgeTriggered;

    // A peer that always has something to read lets the others have a turn after this many reads.
    private const int ReadsPerTurn = 16;

    private readonly ReadinessLoop loop;
    private readonly Socket socket;
    private readonly Lock sync = new();
    private ManualResetValueTaskSourceCore<int> reading;
    private ManualResetValueTaskSourceCore<int> writing;
    private ManualResetValueTaskSourceCore<bool> yielding;
    private Memory<byte> readBuffer;
    private ReadOnlyMemory<byte> writeRest;
    private int readsThisTurn;
    private bool readable;
    private bool peerClosed;
    private bool readWaits;
    private bool writeWaits;
    private bool yieldWaits;
    private bool closed;

    internal ReadinessStream(ReadinessLoop loop, Socket socket, ulong token)
    {
        this.loop = loop;
        this.socket = socket;
        Token = token;
    }

    internal ulong Token { get; }

    public override bool CanRead => true;

    public override bool CanWrite => true;

    public override bool CanSeek => false;

    public override long Length => throw new NotSupportedException();

    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        while (true)
        {
            lock (sync)
            {
                ObjectDisposedException.ThrowIf(closed, this);
                if (!readable || readsThisTurn >= ReadsPerTurn)
                {
                    reading.Reset();
                    readBuffer = buffer;
                    readWaits = true;
                    if (readable)
                        loop.Resume(this);
                    return new ValueTask<int>(this, reading.Version);
                }

                // Before the read: what is reported from now on is not lost.
                readable = false;
            }

            readsThisTurn++;
            if (TryReceive(buffer.Span, out var count))
                return ValueTask.FromResult(count);
        }
    }

    public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
    {
        if (TrySend(ref buffer))
            return ValueTask.CompletedTask;

        lock (sync)
        {
            ObjectDisposedException.ThrowIf(closed, this);
            writing.Reset();
            writeRest = buffer;
            writeWaits = true;
        }

        var pending = new ValueTask(this, writing.Version);
        // After the write is in its place: writable may be reported before this returns.
        WatchWritability(true);
        return pending;
    }

    public override Task FlushAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public override void Flush()
    {
    }

    public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    public override void SetLength(long value) => throw new NotSupportedException();

    /// <summary>Completes after the other connections had a turn.</summary>
    public async ValueTask YieldAsync()
    {
        lock (sync)
        {
            ObjectDisposedException.ThrowIf(closed, this);
            yielding.Reset();
            yieldWaits = true;
        }

        loop.Resume(this);
        await new ValueTask<bool>(this, yielding.Version);
    }

    /// <summary>Ends a <see cref="YieldAsync"/>. Called by the loop on its thread, once for each call.</summary>
    internal void OnTurn()
    {
        bool yields;
        lock (sync)
            (yields, yieldWaits) = (yieldWaits, false);
        if (yields)
            yielding.SetResult(true);
        else
            OnReadable(isLast: false);
    }

    /// <summary>Handles a report of the kernel. Called by the loop on its thread.</summary>
    internal void OnReady(SocketEvents events)
    {
        if ((events & ~SocketEvents.Writable) != 0)
            OnReadable((events & ~(SocketEvents.Writable | SocketEvents.Readable)) != 0);
        if ((events & ~SocketEvents.Readable) != 0)
            OnWritable();
    }

    protected override void Dispose(bool disposing)
    {
        bool read, write, yields;
        lock (sync)
        {
            if (closed)
                return;
            closed = true;
            (read, readWaits) = (readWaits, false);
            (write, writeWaits) = (writeWaits, false);
            (yields, yieldWaits) = (yieldWaits, false);
        }

        loop.Forget(this, socket.SafeHandle);
        socket.Dispose();
        if (read)
            reading.SetException(new ObjectDisposedException(nameof(ReadinessStream)));
        if (write)
            writing.SetException(new ObjectDisposedException(nameof(ReadinessStream)));
        if (yields)
            yielding.SetException(new ObjectDisposedException(nameof(ReadinessStream)));
        base.Dispose(disposing);
    }

    private void OnReadable(bool isLast)
    {
        lock (sync)
        {
            peerClosed |= isLast;
            readable = true;
            readsThisTurn = 0;
            if (!readWaits)
                return;
            readWaits = false;
            readable = false;
        }

        try
        {
            if (TryReceive(readBuffer.Span, out var count))
                reading.SetResult(count);
            else if (!TryWait(ref readWaits))
                reading.SetException(new ObjectDisposedException(nameof(ReadinessStream)));
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            reading.SetException(exception);
        }
    }

    private void OnWritable()
    {
        lock (sync)
        {
            if (!writeWaits)
                return;
            writeWaits = false;
        }

        try
        {
            if (!TrySend(ref writeRest))
            {
                if (!TryWait(ref writeWaits))
                    writing.SetException(new ObjectDisposedException(nameof(ReadinessStream)));
                return;
            }

            WatchWritability(false);
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException or IOException)
        {
            writing.SetException(exception);
            return;
        }

        writing.SetResult(0);
    }

    /// <summary>Puts an operation back that could not go on; false where the stream was closed meanwhile.</summary>
    private bool TryWait(ref bool waits)
    {
        lock (sync)
        {
            waits = !closed;
            return waits;
        }
    }

    private void WatchWritability(bool watch) =>
        loop.Modify(this, socket.SafeHandle, watch ? UsualInterest | SocketEvents.Writable : UsualInterest);

    /// <returns>False where no octets have arrived yet.</returns>
    private bool TryReceive(Span<byte> buffer, out int count)
    {
        count = socket.Receive(buffer, SocketFlags.None, out var error);
        if (error == SocketError.WouldBlock)
            return false;
        if (error != SocketError.Success)
            throw new SocketException((int)error);
        if (count < buffer.Length && !Volatile.Read(ref peerClosed))
            return true;
        lock (sync)
            readable = true;
        return true;
    }

    /// <returns>False where the peer has to take octets first; the buffer then holds the rest.</returns>
    private bool TrySend(ref ReadOnlyMemory<byte> buffer)
    {
        while (!buffer.IsEmpty)
        {
            var count = socket.Send(buffer.Span, SocketFlags.None, out var error);
            if (error == SocketError.WouldBlock)
                return false;
            if (error != SocketError.Success)
                throw new SocketException((int)error);
            buffer = buffer[count..];
        }

        return true;
    }

    bool IValueTaskSource<bool>.GetResult(short token) => yielding.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource<bool>.GetStatus(short token) => yielding.GetStatus(token);

    void IValueTaskSource<bool>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        yielding.OnCompleted(continuation, state, token, flags);

    int IValueTaskSource<int>.GetResult(short token) => reading.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource<int>.GetStatus(short token) => reading.GetStatus(token);

    void IValueTaskSource<int>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        reading.OnCompleted(continuation, state, token, flags);

    void IValueTaskSource.GetResult(short token) => writing.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource.GetStatus(short token) => writing.GetStatus(token);

    void IValueTaskSource.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        writing.OnCompleted(continuation, state, token, flags);
}
