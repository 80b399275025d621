using System.Buffers;

namespace PolicyDaemon.Lookup.Protocols;

/// <summary>A netstring: a decimal length, a colon, that many octets, a comma.</summary>
/// <remarks>
/// As strict as Postfix (util/netstring.c): decimal digits then the colon; leading zeros are accepted; a leading blank,
/// no digits, another character among them or another octet than the comma at the end is an error. The limit is applied
/// to the declared length, before the octets arrive.
/// </remarks>
internal static class Netstring
{
    // Postfix accepts any number of leading zeros and sends none; a bound keeps an endless run of them from being read for ever.
    private const int MaxLengthDigits = 16;

    /// <param name="buffer">What was received; moved behind the netstring when one is complete, else untouched.</param>
    /// <param name="maxLength">The largest payload accepted, in octets.</param>
    /// <param name="payload">The octets between colon and comma; empty unless complete.</param>
    public static FrameStatus TryRead(ref ReadOnlySequence<byte> buffer, int maxLength, out ReadOnlySequence<byte> payload)
    {
        payload = default;
        var first = buffer.FirstSpan;
        var header = ReadHeader(buffer, first, maxLength, out var digits, out var length);
        if (header != FrameStatus.Complete)
            return header;

        var end = digits + 1 + (long)length;
        if (buffer.Length <= end)
            return FrameStatus.Incomplete;
        if ((end < first.Length ? first[(int)end] : buffer.Slice(end, 1).FirstSpan[0]) != ',')
            return FrameStatus.Malformed;
        payload = buffer.Slice(digits + 1, length);
        buffer = buffer.Slice(end + 1);
        return FrameStatus.Complete;
    }

    /// <summary>The octets of a netstring around a payload of this length.</summary>
    public static int Overhead(int length) => Digits(length) + 2;

    /// <summary>Writes the length and the colon.</summary>
    /// <returns>The number of octets written.</returns>
    public static int WriteHeader(Span<byte> destination, int length)
    {
        var digits = Digits(length);
        for (var at = digits - 1; at >= 0; at--, length /= 10)
            destination[at] = (byte)('0' + (length % 10));
        destination[digits] = (byte)':';
        return digits + 1;
    }

    private static FrameStatus ReadHeader(in ReadOnlySequence<byte> buffer, ReadOnlySpan<byte> first, int maxLength, out int digits, out int length)
    {
        if (first.Length > MaxLengthDigits || buffer.IsSingleSegment)
            return ReadHeader(first, maxLength, out digits, out length);

        // Cut inside the length: bring what matters together.
        Span<byte> header = stackalloc byte[MaxLengthDigits + 1];
        var count = (int)Math.Min(buffer.Length, header.Length);
        buffer.Slice(0, count).CopyTo(header);
        return ReadHeader(header[..count], maxLength, out digits, out length);
    }

    private static FrameStatus ReadHeader(ReadOnlySpan<byte> octets, int maxLength, out int digits, out int length)
    {
        length = 0;
        for (digits = 0; digits < octets.Length && digits <= MaxLengthDigits; digits++)
        {
            var octet = octets[digits];
            if (octet == ':')
                return digits == 0 ? FrameStatus.Malformed : FrameStatus.Complete;
            if (!char.IsAsciiDigit((char)octet))
                return FrameStatus.Malformed;
            // At most maxLength before, so this cannot overflow.
            length = (length * 10) + (octet - '0');
            if (length > maxLength)
                return FrameStatus.Malformed;
        }

        return digits > MaxLengthDigits ? FrameStatus.Malformed : FrameStatus.Incomplete;
    }

    private static int Digits(int length) => length switch
    {
        < 10 => 1,
        < 100 => 2,
        < 1000 => 3,
        < 10_000 => 4,
        < 100_000 => 5,
        < 1_000_000 => 6,
        _ => throw new ArgumentOutOfRangeException(nameof(length), length, "no netstring of ours is that long"),
    };
}

/// <summary>What a parser found at the start of a buffer.</summary>
internal enum FrameStatus
{
    /// <summary>The beginning of something valid; more bytes are needed.</summary>
    Incomplete,

    /// <summary>One whole frame, which was consumed.</summary>
    Complete,

    /// <summary>Something that cannot become valid: the connection ends, there is no way to resynchronise.</summary>
    Malformed,
}
