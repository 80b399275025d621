using System.Buffers;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Runtime;
using PolicyDaemon.Core.Serving;

namespace PolicyDaemon.Lookup.Protocols;

/// <summary>Socketmap: one netstring in, one netstring out, strictly in turn.</summary>
/// <remarks>
/// Request  NAME SP KEY           raw octets; split at the first space; KEY may contain spaces
/// Reply    OK SP TEXT | NOTFOUND SP | TEMP SP REASON | PERM SP REASON
/// Limits   reply payload 100 000 octets, larger is an error to Postfix; request: <see cref="MaxRequestBytes"/>
/// Failure  bad framing ends the connection: there is no way to resynchronise
/// Traps    "OK" without its space is "not found" to Postfix up to 3.8.15, 3.9.9, 3.10.8, 3.11.1 and to all of 3.7;
///          octets behind the reply's comma are dropped; a NUL cuts the text
/// See      socketmap_table(5), PROTOCOL, REQUEST FORMAT and REPLY FORMAT; Postfix util/dict_sockmap.c
/// </remarks>
internal static class SocketmapProtocol
{
    // Postfix 3.12: socketmap_max_query_size default; earlier versions have no limit.
    public const int MaxKeyBytes = 10_000;

    /// <summary>The longest key, a blank, and more than any map's name.</summary>
    public const int MaxRequestBytes = MaxKeyBytes + 240;


    /// <summary>Takes one whole request off the buffer.</summary>
    /// <param name="buffer">Moved behind the request when it is complete, else untouched.</param>
    /// <param name="request">The payload, for <see cref="Split"/>.</param>
    public static FrameStatus TryReadRequest(ref ReadOnlySequence<byte> buffer, out ReadOnlySequence<byte> request) =>
        Netstring.TryRead(ref buffer, MaxRequestBytes, out request);

    /// <summary>Splits a request at its first space.</summary>
    /// <returns>False where there is none: a request without a key.</returns>
    public static bool Split(ReadOnlySpan<byte> request, out ReadOnlySpan<byte> mapName, out ReadOnlySpan<byte> key)
    {
        var space = request.IndexOf((byte)' ');
        mapName = space < 0 ? request : request[..space];
        key = space < 0 ? default : request[(space + 1)..];
        return space >= 0;
    }

    /// <summary>Writes a reply: the only place where a status word is written. What may not be sent becomes <c>TEMP</c>.</summary>
    public static void WriteReply(IBufferWriter<byte> writer, LookupReply reply)
    {
        reply = Sendable(reply);
        var word = reply.Kind switch
        {
            LookupAnswerKind.Found => "OK "u8,
            LookupAnswerKind.NotFound => "NOTFOUND "u8,
            LookupAnswerKind.Permanent => "PERM "u8,
            _ => "TEMP "u8,
        };
        var text = reply.Kind == LookupAnswerKind.NotFound ? default : reply.Text;
        var length = word.Length + text.Length;

        // All of it in one piece: what drives the socket sends each piece of the pipe by itself.
        var span = writer.GetSpan(Netstring.Overhead(length) + length);
        var at = Netstring.WriteHeader(span, length);
        word.CopyTo(span[at..]);
        at += word.Length;
        text.CopyTo(span[at..]);
        at += text.Length;
        span[at++] = (byte)',';
        writer.Advance(at);
    }

    /// <summary>Takes one whole reply off the buffer, for a client.</summary>
    public static FrameStatus TryReadReply(ref ReadOnlySequence<byte> buffer, out ReadOnlySequence<byte> reply) =>
        Netstring.TryRead(ref buffer, AnswerLimits.SocketmapPayload, out reply);

    /// <summary>Reads a reply as Postfix does: exact letter case, split at the first space.</summary>
    /// <returns>Null with the problem where Postfix would defer the mail over it, or worse.</returns>
    public static LookupAnswer? ParseReply(ReadOnlySpan<byte> reply, out string problem)
    {
        problem = "";
        var space = reply.IndexOf((byte)' ');
        var word = space < 0 ? reply : reply[..space];
        var text = space < 0 ? default : reply[(space + 1)..];
        if (word.SequenceEqual("OK"u8))
        {
            if (space >= 0)
                return ReplyData.Found(text, out problem);
            problem = "OK without a space, which many Postfix releases take for \"not found\"";
            return null;
        }

        if (word.SequenceEqual("NOTFOUND"u8))
            return LookupAnswer.NotFound;
        if (word.SequenceEqual("TEMP"u8) || word.SequenceEqual("TIMEOUT"u8))
            return LookupAnswer.Temporary(ReplyData.Reason(text));
        if (word.SequenceEqual("PERM"u8))
            return LookupAnswer.Permanent(ReplyData.Reason(text));
        problem = $"unknown status '{PeerText.Escape(word)}'";
        return null;
    }

    private static LookupReply Sendable(LookupReply reply)
    {
        if (reply.Text.ContainsAnyExceptInRange((byte)' ', (byte)'~'))
            return new(LookupAnswerKind.Temporary, "the answer has characters that cannot be sent; see policyctl explain"u8);
        return reply.Kind switch
        {
            LookupAnswerKind.Found when reply.Text.Trim((byte)' ').IsEmpty =>
                new(LookupAnswerKind.Temporary, "the answer is empty; see policyctl explain"u8),
            LookupAnswerKind.Found when reply.Text.Length > AnswerLimits.SocketmapText =>
                new(LookupAnswerKind.Temporary, "the policy is too long for socketmap; see policyctl explain"u8),
            LookupAnswerKind.Temporary or LookupAnswerKind.Permanent when reply.Text.IsEmpty =>
                new(reply.Kind, "no reason known; see the journal of policyd"u8),
            LookupAnswerKind.Temporary or LookupAnswerKind.Permanent when reply.Text.Length > AnswerLimits.Reason =>
                new(reply.Kind, reply.Text[..AnswerLimits.Reason]),
            _ => reply,
        };
    }
}
