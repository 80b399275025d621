using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.IO.Pipelines;
using System.Net.Sockets;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Serving;
using PolicyDaemon.Lookup.Answering;
using PolicyDaemon.Lookup.Listening.Readiness;
using PolicyDaemon.Lookup.Protocols;

namespace PolicyDaemon.Lookup.Listening;

/// <summary>One connection: reads requests and answers them in order, until the peer closes it or breaks the protocol.</summary>
/// <remarks>
/// <para>Works on two pipes and knows nothing of what moves the bytes; <see cref="IConnectionTransport"/> does.</para>
/// <para>An answer that comes later (<see cref="ParkedLookup"/>) has its place where a flush has it: answering stops behind its request, what was
/// written is flushed, the outcome is awaited, <see cref="IConnectionTransport.YieldAsync"/> leads back to the thread of all connections, and its
/// reply is written before anything more is answered. Meanwhile nothing is read from this peer, and nobody else waits.</para>
/// </remarks>
internal sealed class MapConnection
{
    // Pipelined replies go out together, but not without bound: with the last of them this is all that a peer can leave unread, and all that
    // it gets before others have their turn.
    private const int FlushThreshold = 8 * 1024;

    private readonly IConnectionTransport transport;
    private readonly LookupService service;
    private readonly ConnectionContext context;
    private long requestSince;
    private long replySince;
    private long held;
    private long lastActivity;
    private bool hasAsked;
    private volatile bool leaving;
    private volatile bool timedOut;

    public MapConnection(IConnectionTransport transport, ListenerRoom room, LookupService service, ConnectionContext context)
    {
        this.transport = transport;
        this.service = service;
        this.context = context;
        Room = room;
        Protocol = room.Endpoint.Protocol;
        lastActivity = context.Time.GetTimestamp();
    }

    public MapProtocol Protocol { get; }

    /// <summary>The listener's part of the connections that this one counts in.</summary>
    public ListenerRoom Room { get; }

    /// <summary>The timestamp of the last request, or of the begin of the connection before the first one.</summary>
    public long LastActivity => Volatile.Read(ref lastActivity);

    /// <summary>True where the peer has sent a whole request before, and so is more likely a Postfix than a peer that only takes up room.</summary>
    public bool HasAsked => Volatile.Read(ref hasAsked);

    /// <summary>True where the connection ends as soon as no request is under way.</summary>
    public bool IsLeaving => leaving;

    /// <summary>The timestamp since when a part of a request has been here; 0 where there is none.</summary>
    public long RequestSince => Volatile.Read(ref requestSince);

    /// <summary>The timestamp since when the peer has not taken a reply; 0 where it has taken all.</summary>
    public long ReplySince => Volatile.Read(ref replySince);

    /// <summary>The timestamp since when this side waits for the peer, to take a reply or to send the rest of a request; 0 where it does not wait.</summary>
    public long WaitsSince => ReplySince is not 0 and var reply ? reply : RequestSince;

    /// <summary>Octets of replies that the peer has not taken, and of a request that is not whole.</summary>
    public long Held => Volatile.Read(ref held);

    /// <summary>Ends the connection as soon as no request is under way.</summary>
    public void Leave()
    {
        leaving = true;
        transport.Input.CancelPendingRead();
    }

    /// <summary>Ends the connection now, whatever is under way.</summary>
    public void Abort(bool isTimeout)
    {
        leaving = true;
        timedOut |= isTimeout;
        transport.Dispose();
    }

    /// <summary>Serves until the end; never throws.</summary>
    [SuppressMessage("Design", "CA1031", Justification = "The outermost catch of a connection: whatever happened ends this one only.")]
    public async Task RunAsync()
    {
        var input = transport.Input;
        var output = transport.Output;
        try
        {
            while (true)
            {
                // What outlives an await is memory of every connection.
                var status = Answer(await input.ReadAsync(), input, output, out var written, out var left, out var isLast, out var parked);
                while (written > 0 || parked is not null)
                {
                    if (written > 0)
                    {
                        var flush = output.FlushAsync();
                        var waits = !flush.IsCompletedSuccessfully;
                        if (waits)
                            BeginReply(written);
                        var isGone = (await flush).IsCompleted;
                        if (waits)
                            EndReply(written);
                        if (isGone)
                            return;
                    }

                    written = parked is null ? 0 : await ConcludeAsync(parked, output);
                    parked = null;
                }

                if (status == FrameStatus.Malformed || (status == FrameStatus.Incomplete && (isLast || (leaving && left == 0))))
                    return;
                if (status == FrameStatus.Complete && left > 0)
                    await transport.YieldAsync();
            }
        }
        catch (Exception exception) when (exception is IOException or SocketException or ObjectDisposedException or OperationCanceledException)
        {
            if (!timedOut)
                context.Logger.ConnectionLost(Protocol.Name(), exception.Message);
        }
        catch (Exception exception)
        {
            if (context.Faults.TryPass(out var suppressed))
                context.Logger.ConnectionFailed(exception, suppressed);
        }
        finally
        {
            Hold(0);
            output.Complete();
            input.Complete();
            transport.Dispose();
            context.Ended(this);
        }
    }

    /// <summary>Answers what was read, and notes what the peer still owes.</summary>
    /// <param name="written">Octets of replies.</param>
    /// <param name="left">Octets that were not consumed.</param>
    /// <param name="isLast">The peer sends no more.</param>
    /// <param name="parked">The lookup whose answer comes later; the last one that was looked at.</param>
    private FrameStatus Answer(
        ReadResult read, PipeReader input, PipeWriter output, out int written, out long left, out bool isLast, out ParkedLookup? parked)
    {
        var buffer = read.Buffer;
        isLast = read.IsCompleted;
        var received = buffer.Length;
        var status = AnswerAll(ref buffer, output, out written, out parked);
        left = buffer.Length;
        // More requests may be here when the replies had to be flushed first: those are not examined yet.
        input.AdvanceTo(buffer.Start, status == FrameStatus.Incomplete ? buffer.End : buffer.Start);

        // Requests that are whole wait for us, not for the peer.
        NoteProgress(status == FrameStatus.Incomplete ? left : 0, left != received);
        return status;
    }

    private void NoteProgress(long left, bool consumed)
    {
        if (consumed)
        {
            Volatile.Write(ref lastActivity, context.Time.GetTimestamp());
            Volatile.Write(ref hasAsked, true);
        }

        if (left == 0)
        {
            if (requestSince != 0)
                Volatile.Write(ref requestSince, 0);
        }
        else if (consumed || requestSince == 0)
        {
            Volatile.Write(ref requestSince, Math.Max(1, context.Time.GetTimestamp()));
            context.Deadlines.Arm();
        }

        // Last: it may end whoever waits longest.
        if (left != held)
            Hold(left);
    }

    /// <summary>The peer has to take a reply now; usually that takes until the end of a turn of all connections.</summary>
    private void BeginReply(int octets)
    {
        Volatile.Write(ref replySince, Math.Max(1, lastActivity));
        context.Deadlines.Arm();
        Hold(held + octets);
    }

    private void EndReply(int octets)
    {
        Hold(held - octets);
        Volatile.Write(ref replySince, 0);
    }

    private void Hold(long octets)
    {
        var change = octets - held;
        Volatile.Write(ref held, octets);
        context.Memory.Change(change);
    }

    /// <summary>Answers the whole requests at the start of the buffer, in order.</summary>
    /// <returns><see cref="FrameStatus.Complete"/> where a flush, or a lookup whose answer is not known yet, comes before the next request; otherwise the parser's status of the rest.</returns>
    private FrameStatus AnswerAll(ref ReadOnlySequence<byte> buffer, PipeWriter output, out int written, out ParkedLookup? parked)
    {
        written = 0;
        parked = null;
        while (written < FlushThreshold && parked is null)
        {
            if (buffer.IsEmpty)
                return FrameStatus.Incomplete;
            var status = Protocol == MapProtocol.Socketmap
                ? SocketmapProtocol.TryReadRequest(ref buffer, out var request)
                : TcpTableProtocol.TryReadRequest(ref buffer, out request);
            if (status == FrameStatus.Malformed)
                Malformed(buffer);
            if (status != FrameStatus.Complete)
                return status;
            written += Answer(request, output, out parked);
        }

        return FrameStatus.Complete;
    }

    private int Answer(in ReadOnlySequence<byte> request, PipeWriter output, out ParkedLookup? parked)
    {
        if (request.IsSingleSegment)
            return Answer(request.FirstSpan, output, out parked);

        var copy = ArrayPool<byte>.Shared.Rent((int)request.Length);
        try
        {
            request.CopyTo(copy);
            return Answer(copy.AsSpan(0, (int)request.Length), output, out parked);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(copy);
        }
    }

    private int Answer(ReadOnlySpan<byte> request, PipeWriter output, out ParkedLookup? parked)
    {
        if (Protocol == MapProtocol.Socketmap)
        {
            parked = null;
            var reply = SocketmapProtocol.Split(request, out var mapName, out var key)
                ? service.Answer(mapName, key, out parked)
                : service.Refuse(LookupAnswerKind.Permanent, "a request is a map name, a space and a key (socketmap_table(5))"u8);
            return parked is null ? Write(output, reply) : 0;
        }

        return AnswerTcpTable(request, output, out parked);
    }

    /// <summary>Waits, on no thread, until a parked lookup can be answered, and answers it.</summary>
    private async ValueTask<int> ConcludeAsync(ParkedLookup parked, PipeWriter output)
    {
        await parked.Outcome;
        try
        {
            // Whoever concluded it has another thread; connections are served on one.
            await transport.YieldAsync();
        }
        catch (ObjectDisposedException)
        {
            service.Conclude(parked);
            throw;
        }

        // Also where the peer has left meanwhile, which writing tells: its place is another lookup's.
        return Write(output, service.Conclude(parked));
    }

    private int Write(PipeWriter output, LookupReply reply)
    {
        if (Protocol == MapProtocol.Socketmap)
            SocketmapProtocol.WriteReply(output, reply);
        else
            TcpTableProtocol.WriteReply(output, reply);
        return reply.Text.Length + 32;
    }

    private int AnswerTcpTable(ReadOnlySpan<byte> line, PipeWriter output, out ParkedLookup? parked)
    {
        byte[]? rented = null;
        parked = null;
        try
        {
            const int onStack = 1024;
            var scratch = line.Length <= onStack ? stackalloc byte[onStack] : (rented = ArrayPool<byte>.Shared.Rent(line.Length));
            var reply = TcpTableProtocol.TryDecodeKey(line, scratch, out var key)
                ? service.Answer(MapName.TlsPolicy, key, out parked)
                : service.Refuse(LookupAnswerKind.Temporary, "a request is: get KEY, with %XX for what is not printable (tcp_table(5))"u8);
            return parked is null ? Write(output, reply) : 0;
        }
        finally
        {
            if (rented is not null)
                ArrayPool<byte>.Shared.Return(rented);
        }
    }

    private void Malformed(in ReadOnlySequence<byte> buffer)
    {
        service.Counters.ProtocolError();
        if (!context.Faults.TryPass(out var suppressed))
            return;
        var excerpt = buffer.Slice(0, Math.Min(buffer.Length, 128)).ToArray();
        context.Logger.BadRequest(Protocol.Name(), PeerText.Escape(excerpt), suppressed);
    }
}
