using System.IO.Pipelines;
using System.Threading.Tasks.Sources;

namespace PolicyDaemon.Lookup.Listening.Readiness;

/// <summary>What a connection's peer is sent, as a pipe: a flush is over when the octets are with the kernel.</summary>
/// <remarks>Short replies are sent together at the end of the loop's turn, long ones at once. What the peer does not take waits until it does; that
/// the socket can be written to is watched only then, for else each reply that a peer takes would be reported.</remarks>
internal sealed class ReadinessWriter(ReadinessTransport transport, ReadinessLoop loop) : PipeWriter, IValueTaskSource<FlushResult>
{
    private ManualResetValueTaskSourceCore<FlushResult> flushing;
    private byte[] octets = [];
    private int start;
    private int end;
    private bool waits;
    private bool watchesWritability;

    public override Span<byte> GetSpan(int sizeHint = 0)
    {
        MakeRoom(Math.Max(1, sizeHint));
        return octets.AsSpan(end);
    }

    public override Memory<byte> GetMemory(int sizeHint = 0)
    {
        MakeRoom(Math.Max(1, sizeHint));
        return octets.AsMemory(end);
    }

    public override void Advance(int bytes) => end += bytes;

    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default)
    {
        transport.ThrowIfClosed();
        flushing.Reset();
        waits = true;
        if (octets.Length == ReadinessBuffers.ReplyOctets)
            loop.Gather(this);
        else if (TrySend())
            return default;
        return new(this, flushing.Version);
    }

    /// <summary>A flush that waits is ended by closing the connection, and in no other way.</summary>
    public override void CancelPendingFlush() => throw new NotSupportedException();

    public override void Complete(Exception? exception = null) => Release();

    public void OnTurnEnds() => Continue();

    public void OnWritable() => Continue();

    public void OnClosed()
    {
        Release();
        if (waits)
            Fail(new ObjectDisposedException(nameof(ReadinessTransport)));
    }

    private void Continue()
    {
        if (!waits)
            return;
        try
        {
            if (TrySend())
                flushing.SetResult(default);
        }
        catch (IOException exception)
        {
            Fail(exception);
        }
    }

    private void Fail(Exception exception)
    {
        waits = false;
        flushing.SetException(exception);
    }

    /// <returns>False where the peer has to take something first.</returns>
    private bool TrySend()
    {
        while (start < end)
        {
            var count = transport.Send(octets.AsSpan(start, end - start));
            if (count < 0)
            {
                WatchWritability(true);
                return false;
            }

            start += count;
        }

        WatchWritability(false);
        Release();
        waits = false;
        return true;
    }

    private void WatchWritability(bool watch)
    {
        if (watch == watchesWritability)
            return;
        watchesWritability = watch;
        transport.WatchWritability(watch);
    }

    private void MakeRoom(int size)
    {
        transport.ThrowIfClosed();
        if (octets.Length - end >= size)
            return;
        var count = end - start;
        var larger = loop.Buffers.RentForReply(count == 0 ? size : Math.Max(count + size, 2 * octets.Length));
        octets.AsSpan(start, count).CopyTo(larger);
        loop.Buffers.ReturnFromReply(octets);
        (octets, start, end) = (larger, 0, count);
    }

    private void Release()
    {
        loop.Buffers.ReturnFromReply(octets);
        (octets, start, end) = ([], 0, 0);
    }

    FlushResult IValueTaskSource<FlushResult>.GetResult(short token) => flushing.GetResult(token);

    ValueTaskSourceStatus IValueTaskSource<FlushResult>.GetStatus(short token) => flushing.GetStatus(token);

    void IValueTaskSource<FlushResult>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        flushing.OnCompleted(continuation, state, token, flags);
}
