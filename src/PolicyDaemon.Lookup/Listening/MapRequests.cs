using System.Buffers;
using System.IO.Pipelines;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Runtime;
using PolicyDaemon.Core.Serving;
using PolicyDaemon.Lookup.Answering;
using PolicyDaemon.Lookup.Protocols;

namespace PolicyDaemon.Lookup.Listening;

/// <summary>The requests of a connection in its protocol: reads them out of what came, has them answered, and writes the replies.</summary>
/// <remarks>Knows nothing of waiting: when a reply is sent, and for whom, is the matter of <see cref="MapConnection"/>.</remarks>
internal readonly struct MapRequests(MapProtocol protocol, LookupService service, ConnectionContext context)
{
    // Pipelined replies go out together, but not without bound: with the last of them this is all that a peer can leave unread, and all that
    // it gets before others have their turn.
    private const int FlushThreshold = 8 * 1024;

    public MapProtocol Protocol => protocol;

    /// <summary>Answers the whole requests at the start of the buffer, in order.</summary>
    /// <param name="written">Octets of replies.</param>
    /// <param name="parked">The lookup whose answer comes later; the last one that was looked at.</param>
    /// <returns><see cref="FrameStatus.Complete"/> where a flush, or a lookup whose answer is not known yet, comes before the next request; otherwise the parser's status of the rest.</returns>
    public FrameStatus Answer(ref ReadOnlySequence<byte> buffer, PipeWriter output, out int written, out ParkedLookup? parked)
    {
        written = 0;
        parked = null;
        while (written < FlushThreshold && parked is null)
        {
            if (buffer.IsEmpty)
                return FrameStatus.Incomplete;
            var status = protocol == MapProtocol.Socketmap
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

    /// <summary>Answers a parked lookup with what is known now.</summary>
    /// <returns>Octets of the reply.</returns>
    public int Conclude(ParkedLookup parked, PipeWriter output) => Write(output, service.Conclude(parked));

    /// <summary>Lets a parked lookup go whose peer is gone.</summary>
    public void GiveUp(ParkedLookup parked) => service.Conclude(parked);

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
        if (protocol == MapProtocol.Socketmap)
        {
            parked = null;
            var reply = SocketmapProtocol.Split(request, out var mapName, out var key)
                ? service.Answer(mapName, key, out parked)
                : service.Refuse(protocol, LookupAnswerKind.Permanent, "a request is a map name, a space and a key (socketmap_table(5))"u8);
            return parked is null ? Write(output, reply) : 0;
        }

        return AnswerTcpTable(request, output, out parked);
    }

    private int Write(PipeWriter output, LookupReply reply)
    {
        if (protocol == MapProtocol.Socketmap)
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
                : service.Refuse(protocol, LookupAnswerKind.Temporary, "a request is: get KEY, with %XX for what is not printable (tcp_table(5))"u8);
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
        context.Logger.BadRequest(protocol.Name(), PeerText.Escape(excerpt), suppressed);
    }
}
