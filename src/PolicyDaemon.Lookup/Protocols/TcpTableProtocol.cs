using System.Buffers;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Runtime;
using PolicyDaemon.Core.Serving;

namespace PolicyDaemon.Lookup.Protocols;

/// <summary>tcp_table: one line in, one line out, strictly in turn.</summary>
/// <remarks>
/// Request  get SP KEY LF         KEY: %, blanks, controls and everything beyond ASCII as %XX, any letter case
/// Reply    200 SP TEXT LF | 500 SP TEXT LF (not found) | 400 SP TEXT LF (error, ask again)
/// Limits   reply 4096 octets with the line feed (Postfix: DICT_TCP_MAXLEN); request: <see cref="MaxRequestLine"/>
/// Failure  a line without an end ends the connection; every other broken request is answered 400 and the next line read
/// Traps    three digits and the blank are mandatory; an empty 200 is an error to Postfix; %00 cuts the text;
///          after a closed idle connection Postfix sleeps a second, so none is ever closed for being idle
/// Choice   500 means "not found" and nothing else here. Other commands ("put" in older manuals) and broken keys get 400:
///          whatever they were meant to be, they are not a lookup that found nothing
/// See      tcp_table(5), REQUEST FORMAT, REPLY FORMAT and ENCODING; Postfix util/dict_tcp.c, util/hex_quote.c
/// </remarks>
internal static class TcpTableProtocol
{
    /// <summary>Octets of a request line with its line feed: the longest key that socketmap takes, every octet encoded.</summary>
    public const int MaxRequestLine = 4 + (3 * SocketmapProtocol.MaxKeyBytes) + 1;

    private const int CodeLength = 4;

    /// <summary>Takes one whole line off the buffer.</summary>
    /// <param name="buffer">Moved behind the line feed when the line is complete, else untouched.</param>
    /// <param name="line">The line without its line feed, for <see cref="TryDecodeKey"/>.</param>
    public static FrameStatus TryReadRequest(ref ReadOnlySequence<byte> buffer, out ReadOnlySequence<byte> line) =>
        TryReadLine(ref buffer, MaxRequestLine, out line);

    /// <summary>Takes one whole reply off the buffer, for a client.</summary>
    public static FrameStatus TryReadReply(ref ReadOnlySequence<byte> buffer, out ReadOnlySequence<byte> line) =>
        TryReadLine(ref buffer, AnswerLimits.TcpTableLine, out line);

    /// <summary>Reads a reply as Postfix does: three digits of which the first counts, a blank, an encoded text.</summary>
    /// <returns>Null with the problem where Postfix would defer the mail over it.</returns>
    public static LookupAnswer? ParseReply(ReadOnlySpan<byte> line, out string problem)
    {
        problem = "no three digits and a blank at its start";
        if (line.Length < CodeLength || line[..3].ContainsAnyExceptInRange((byte)'0', (byte)'9') || line[3] is not ((byte)' ' or (byte)'\t'))
            return null;
        var text = new byte[line.Length];
        problem = "a percent sign without two hexadecimal digits";
        if (!TryDecode(line[CodeLength..], text, out var length))
            return null;
        switch (line[0])
        {
            case (byte)'2':
                return ReplyData.Found(text.AsSpan(0, length), out problem);
            case (byte)'4':
                return LookupAnswer.Temporary(ReplyData.Reason(text.AsSpan(0, length)));
            case (byte)'5':
                return LookupAnswer.NotFound;
            default:
                problem = $"unknown code {PeerText.Escape(line[..3])}";
                return null;
        }
    }

    private static FrameStatus TryReadLine(ref ReadOnlySequence<byte> buffer, int maxLine, out ReadOnlySequence<byte> line)
    {
        line = default;
        var feed = buffer.FirstSpan.IndexOf((byte)'\n');
        long length = feed;
        if (feed < 0)
        {
            var position = buffer.IsSingleSegment ? null : buffer.PositionOf((byte)'\n');
            if (position is null)
                return buffer.Length >= maxLine ? FrameStatus.Malformed : FrameStatus.Incomplete;
            length = buffer.GetOffset(position.Value) - buffer.GetOffset(buffer.Start);
        }

        if (length >= maxLine)
            return FrameStatus.Malformed;
        line = buffer.Slice(0, length);
        buffer = buffer.Slice(length + 1);
        return FrameStatus.Complete;
    }

    /// <summary>The key of a <c>get</c> line, decoded.</summary>
    /// <param name="line">The line without its line feed.</param>
    /// <param name="scratch">At least as long as the line; used where something must be decoded.</param>
    /// <returns>False for another command and for a broken encoding.</returns>
    public static bool TryDecodeKey(ReadOnlySpan<byte> line, Span<byte> scratch, out ReadOnlySpan<byte> key)
    {
        key = default;
        if (!line.StartsWith("get "u8))
            return false;
        line = line[4..];
        // The last line of somebody who types with telnet.
        if (line.EndsWith("\r"u8))
            line = line[..^1];
        if (!line.Contains((byte)'%'))
        {
            key = line;
            return true;
        }

        if (!TryDecode(line, scratch, out var length))
            return false;
        key = scratch[..length];
        return true;
    }

    /// <summary>Undoes %XX.</summary>
    /// <returns>False where a percent sign is not followed by two hexadecimal digits.</returns>
    public static bool TryDecode(ReadOnlySpan<byte> text, Span<byte> destination, out int length)
    {
        length = 0;
        for (var at = 0; at < text.Length; at++)
        {
            var octet = text[at];
            if (octet == '%')
            {
                if (text.Length - at < 3 || !char.IsAsciiHexDigit((char)text[at + 1]) || !char.IsAsciiHexDigit((char)text[at + 2]))
                    return false;
                octet = (byte)((HexValue(text[at + 1]) << 4) | HexValue(text[at + 2]));
                at += 2;
            }

            destination[length++] = octet;
        }

        return true;
    }

    /// <summary>Writes a reply: the only place where a status code is written. What may not be sent becomes <c>400</c>.</summary>
    public static void WriteReply(IBufferWriter<byte> writer, LookupReply reply)
    {
        var encoded = EncodedLength(reply.Text);
        reply = Sendable(reply, ref encoded);
        var span = writer.GetSpan(CodeLength + encoded + 1);
        var code = reply.Kind switch
        {
            LookupAnswerKind.Found => "200 "u8,
            LookupAnswerKind.NotFound => "500 "u8,
            _ => "400 "u8,
        };
        code.CopyTo(span);
        Encode(reply.Text, span[CodeLength..]);
        span[CodeLength + encoded] = (byte)'\n';
        writer.Advance(CodeLength + encoded + 1);
    }

    private static LookupReply Sendable(LookupReply reply, scoped ref int encoded)
    {
        LookupReply sendable;
        if (reply.Kind == LookupAnswerKind.NotFound)
            sendable = new(LookupAnswerKind.NotFound, "not found"u8);
        else if (reply.Text.ContainsAnyExceptInRange((byte)' ', (byte)'~'))
            sendable = new(LookupAnswerKind.Temporary, "the answer has characters that cannot be sent; see policyctl explain"u8);
        else if (reply.Text.Trim((byte)' ').IsEmpty)
            sendable = new(LookupAnswerKind.Temporary, "the answer is empty; see policyctl explain"u8);
        else if (CodeLength + encoded + 1 > AnswerLimits.TcpTableLine)
            sendable = new(LookupAnswerKind.Temporary, "the policy is too long for tcp_table: use socketmap"u8);
        else
            return reply;
        encoded = EncodedLength(sendable.Text);
        return sendable;
    }

    private static bool MustEncode(byte octet) => octet is <= (byte)' ' or (byte)'%' or >= 0x7f;

    private static int EncodedLength(ReadOnlySpan<byte> text)
    {
        var length = text.Length;
        foreach (var octet in text)
        {
            if (MustEncode(octet))
                length += 2;
        }

        return length;
    }

    private static void Encode(ReadOnlySpan<byte> text, Span<byte> destination)
    {
        var at = 0;
        foreach (var octet in text)
        {
            if (!MustEncode(octet))
            {
                destination[at++] = octet;
                continue;
            }

            destination[at++] = (byte)'%';
            destination[at++] = "0123456789ABCDEF"u8[octet >> 4];
            destination[at++] = "0123456789ABCDEF"u8[octet & 15];
        }
    }

    private static int HexValue(byte digit) => digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10;

    /// <summary>Encodes a key as Postfix does, for a client.</summary>
    public static byte[] EncodeRequest(ReadOnlySpan<byte> key)
    {
        var line = new byte[4 + EncodedLength(key) + 1];
        "get "u8.CopyTo(line);
        Encode(key, line.AsSpan(4));
        line[^1] = (byte)'\n';
        return line;
    }
}
