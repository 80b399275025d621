using System.Buffers.Binary;
using PolicyDaemon.Core.Policies;

namespace PolicyDaemon.Core.Serving;

/// <summary>One key with its answers as it lies in an arena.</summary>
/// <remarks>
/// <code>
/// octet 0  2  length of the key
///       2  1  kind of the answer in the low four bits, on tlspolicy-tlsrpt in the high four
///       3  1  flags: 1 removed, 2 tlspolicy-tlsrpt has a text of its own, 4 enforced with pins, 8 has an end
///       4  4  position of the answer's text, 0 for none
///          4  with flag 2: position of the other text
///          4  with flag 8: the second in which the entry lapses, Unix time
///          n  the key
/// </code>
/// A text is its length in four octets and its octets. Everything begins at a multiple of four.
/// </remarks>
internal readonly ref struct PolicySnapshotRecord(ReadOnlySpan<byte> octets)
{
    public const byte RemovedFlag = 1;
    public const byte TlsRptTextFlag = 2;
    public const byte PinnedFlag = 4;
    public const byte EndFlag = 8;
    public const int HeaderLength = 8;

    private readonly ReadOnlySpan<byte> octets = octets;

    /// <summary>The key is gone: only in an overlay, where it hides a record of the base.</summary>
    public bool IsRemoved => (octets[3] & RemovedFlag) != 0;

    public bool IsPinned => (octets[3] & PinnedFlag) != 0;

    public ReadOnlySpan<byte> Key => octets.Slice(KeyOffset, BinaryPrimitives.ReadUInt16LittleEndian(octets));

    public int Length => KeyOffset + BinaryPrimitives.ReadUInt16LittleEndian(octets);

    public LookupAnswerKind Kind(MapName map) => (LookupAnswerKind)(map == MapName.TlsPolicyTlsRpt ? octets[2] >> 4 : octets[2] & 15);

    public uint TextPosition(MapName map) =>
        BinaryPrimitives.ReadUInt32LittleEndian(octets[(map == MapName.TlsPolicyTlsRpt && HasTlsRptText ? 8 : 4)..]);

    public bool HasEnd => (octets[3] & EndFlag) != 0;

    /// <summary>The second in which the entry lapses, in Unix time; only of one that has an end.</summary>
    public uint ValidUntil => BinaryPrimitives.ReadUInt32LittleEndian(octets[(KeyOffset - 4)..]);

    private bool HasTlsRptText => (octets[3] & TlsRptTextFlag) != 0;

    // Four octets for each of the two flags.
    private int KeyOffset => HeaderLength + ((octets[3] & TlsRptTextFlag) << 1) + ((octets[3] & EndFlag) >> 1);

    /// <summary>Writes a record; the destination is exactly <see cref="LengthFor"/> octets.</summary>
    /// <param name="flags"><see cref="RemovedFlag"/>, <see cref="PinnedFlag"/> or none.</param>
    /// <param name="validUntil">0 for an entry without an end.</param>
    public static void Write(
        Span<byte> destination, ReadOnlySpan<byte> key, LookupAnswerKind kind, uint text, LookupAnswerKind tlsRptKind, uint tlsRptText,
        byte flags, uint validUntil)
    {
        var second = text != tlsRptText;
        BinaryPrimitives.WriteUInt16LittleEndian(destination, (ushort)key.Length);
        destination[2] = (byte)((int)kind | ((int)tlsRptKind << 4));
        destination[3] = (byte)(flags | (second ? TlsRptTextFlag : 0) | (validUntil != 0 ? EndFlag : 0));
        BinaryPrimitives.WriteUInt32LittleEndian(destination[4..], text);
        if (second)
            BinaryPrimitives.WriteUInt32LittleEndian(destination[8..], tlsRptText);
        if (validUntil != 0)
            BinaryPrimitives.WriteUInt32LittleEndian(destination[(second ? 12 : 8)..], validUntil);
        key.CopyTo(destination[^key.Length..]);
    }

    public static int LengthFor(int keyLength, uint text, uint tlsRptText, uint validUntil) =>
        HeaderLength + (text != tlsRptText ? 4 : 0) + (validUntil != 0 ? 4 : 0) + keyLength;
}
