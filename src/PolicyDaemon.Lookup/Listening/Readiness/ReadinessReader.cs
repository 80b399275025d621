using System.Buffers;
using System.IO.Pipelines;
using System.Threading.Tasks.Sources;

namespace PolicyDaemon.Lookup.Listening.Readiness;

/// <summary>What a connection's peer sends, as a pipe: received when the loop says that it is there.</summary>
/// <remarks>
/// <para>All of it on the loop's thread, but <see cref="CancelPendingRead"/>. Octets are always in one piece: those of a receive, behind those
/// that were not consumed before.</para>
/// <para>After a receive that did not fill its buffer the socket is empty (epoll(7), question 9), so the next read waits without
/// asking the kernel - unless the peer closed: that is reported once, and perhaps together with its last octets.</para>
/// </remarks>
internal sealed class ReadinessReader(ReadinessTransport transport, ReadinessLoop loop) : PipeReader, IValueTaskSource<ReadResult>
{
    private const int LeastKept = 256;

    private ManualResetValueTaskSourceCore<bool> reading;
    private Action? turn;

    // Its own, from the shared pool, while something is kept between two reads; else the loop's, or none.
    private byte[] octets = [];
    private int start;
    private int end;
    private bool isExamined = true;
    private bool isBeingRead;
    private bool readable;
    private bool peerClosed;
    private bool hasEnded;
    private bool waits;
    private bool turnIsPosted;
    private volatile bool isCanceled;

    public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
    {
        if (TryRead(out var result))
            return new(result);
        reading.Reset();
        waits = true;
        // One receive in a turn: a peer that always has something to read lets the others have theirs.
        if (readable)
            PostTurn();
        return new(this, reading.Version);
    }

    public override bool TryRead(out ReadResult result)
    {
        transport.ThrowIfClosed();
        var isHere = !isExamined || hasEnded || isCanceled;
        result = isHere ? Take() : default;
        return isHere;
    }

    public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

    public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
    {
        isBeingRead = false;
        start = consumed.GetInteger();
        isExamined = examined.GetInteger() == end;
        if (start == end)
            Release();
        else if (octets == loop.Buffers.Received)
            MoveTo(Math.Max(LeastKept, end - start));
    }

    /// <summary>From any thread.</summary>
    public override void CancelPendingRead()
    {
        isCanceled = true;
        loop.Post(OnTurn);
    }

    public override void Complete(Exception? exception = null) => Release();

    /// <param name="isLast">No octets will come beyond those that are here.</param>
    public void OnReadable(bool isLast)
    {
        readable = true;
        peerClosed |= isLast;
        if (waits && !turnIsPosted)
            Receive();
    }

    public void OnClosed()
    {
        Release();
        if (waits)
            Fail(new ObjectDisposedException(nameof(ReadinessTransport)));
    }

    private void PostTurn()
    {
        if (turnIsPosted)
            return;
        turnIsPosted = true;
        loop.Post(turn ??= () =>
        {
            turnIsPosted = false;
            OnTurn();
        });
    }

    private void OnTurn()
    {
        if (waits && isCanceled)
            Complete();
        else if (waits && readable)
            Receive();
    }

    private void Receive()
    {
        var room = Room();
        int count;
        try
        {
            count = transport.Receive(room);
        }
        catch (IOException exception)
        {
            Fail(exception);
            return;
        }

        readable = count == room.Length || (peerClosed && count > 0);
        if (count < 0)
        {
            if (start == end)
                Release();
            return;
        }

        hasEnded = count == 0;
        isExamined = false;
        end += count;
        Complete();
    }

    private void Complete()
    {
        waits = false;
        reading.SetResult(true);
        // Whoever waits for something else before it says what it consumed keeps the array.
        if (isBeingRead && octets == loop.Buffers.Received)
            loop.Buffers.LeaveReceived();
    }

    private void Fail(Exception exception)
    {
        waits = false;
        reading.SetException(exception);
    }

    private ReadResult Take()
    {
        var wasCanceled = isCanceled;
        if (wasCanceled)
            isCanceled = false;
        isBeingRead = true;
        return new(new ReadOnlySequence<byte>(octets, start, end - start), wasCanceled, hasEnded);
    }

    private Span<byte> Room()
    {
        if (start == end)
        {
            Release();
            octets = loop.Buffers.Received;
        }
        else if (end == octets.Length)
        {
            MoveTo(start > 0 ? octets.Length : 2 * octets.Length);
        }

        return octets.AsSpan(end, Math.Min(octets.Length - end, ReadinessBuffers.ReceivedOctets));
    }

    /// <summary>Keeps what was not consumed in an array of its own.</summary>
    private void MoveTo(int size)
    {
        var own = size == octets.Length && octets != loop.Buffers.Received ? octets : ArrayPool<byte>.Shared.Rent(size);
        var count = end - start;
        octets.AsSpan(start, count).CopyTo(own);
        if (own != octets)
            Release();
        (octets, start, end) = (own, 0, count);
    }

    private void Release()
    {
        if (octets.Length > 0 && octets != loop.Buffers.Received && !isBeingRead)
            ArrayPool<byte>.Shared.Return(octets);
        else if (isBeingRead && octets == loop.Buffers.Received)
            loop.Buffers.LeaveReceived();
        (octets, start, end) = ([], 0, 0);
    }

    ReadResult IValueTaskSource<ReadResult>.GetResult(short token)
    {
        reading.GetResult(token);
        return Take();
    }

    ValueTaskSourceStatus IValueTaskSource<ReadResult>.GetStatus(short token) => reading.GetStatus(token);

    void IValueTaskSource<ReadResult>.OnCompleted(Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        reading.OnCompleted(continuation, state, token, flags);
}
