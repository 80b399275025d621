using System.Diagnostics.CodeAnalysis;
using System.IO.Pipelines;
using System.Net.Sockets;
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
    private readonly IConnectionTransport transport;
    private readonly MapRequests requests;
    private readonly ConnectionContext context;
    private ParkedLookup? parked;
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
        this.context = context;
        requests = new MapRequests(room.Endpoint.Protocol, service, context);
        Room = room;
        lastActivity = context.Time.GetTimestamp();
    }

    public MapProtocol Protocol => requests.Protocol;

    /// <summary>The listener's part of the connections that this one counts in.</summary>
    public ListenerRoom Room { get; }

    /// <summary>True while it counts in its <see cref="Room"/>: until it ends, or has made way. The registry's, under its lock.</summary>
    public bool HasPlace { get; set; } = true;

    /// <summary>The timestamp of the last request, or of its reply where that came later, or of the begin of the connection before the first one.</summary>
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
                var status = Answer(await input.ReadAsync(), input, output, out var written, out var left, out var isLast);
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
            // The peer left before its turn came: its place is another lookup's.
            if (parked is not null)
                requests.GiveUp(parked);
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
    private FrameStatus Answer(ReadResult read, PipeReader input, PipeWriter output, out int written, out long left, out bool isLast)
    {
        var buffer = read.Buffer;
        isLast = read.IsCompleted;
        var received = buffer.Length;
        var status = requests.Answer(ref buffer, output, out written, out parked);
        left = buffer.Length;
        // More requests may be here when the replies had to be flushed first: those are not examined yet.
        input.AdvanceTo(buffer.Start, status == FrameStatus.Incomplete ? buffer.End : buffer.Start);

        // Requests that are whole wait for us, not for the peer.
        NoteProgress(status == FrameStatus.Incomplete ? left : 0, left != received);
        return status;
    }

    /// <summary>Waits, on no thread, until the parked lookup can be answered, and answers it.</summary>
    private async ValueTask<int> ConcludeAsync(ParkedLookup lookup, PipeWriter output)
    {
        await lookup.Outcome;
        // Whoever concluded it has another thread; connections are served on one.
        await transport.YieldAsync();
        // Until now the peer waited for us; what it has to take the reply begins here.
        Volatile.Write(ref lastActivity, context.Time.GetTimestamp());
        parked = null;
        // Also where the peer has left meanwhile, which writing tells.
        return requests.Conclude(lookup, output);
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
}
