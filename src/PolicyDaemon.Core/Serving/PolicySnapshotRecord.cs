using System.Buffers.Binary;
using PolicyDaemon.Core.Policies;

namespace PolicyDaemon.Core.Serving;

/// <summary>One key with its answers as it lies in an arena.</summary>
/// <remarks>
/// <code>
/// octet 0  2  length of the key
///       2  1  kind of the answer in the low three bits, on tlspolicy-tlsrpt in bits 4 to 6; 8 its end has come
///       3  1  flags: 1 removed, 2 tlspolicy-tlsrpt has a text of its own, 4 enforced with pins, 8 has an end,
///             16 answers that the key is not found, 32 leaves the answer to discovery, above the floor in the two highest bits;
///             of the entry * they are what mail is certain of by its answer
///       4  4  position of the answer's text, 0 for none
///          4  with flag 2: position of the other text
///          4  with flag 8: the second in which it ends, Unix time
///          4  with flag 8: position of the record of what holds then, 0 for nothing
///          n  the key
/// </code>
/// A text is its length in an octet, of 255 and more 255 and then the length in four, and its octets. Everything begins at a multiple of two.
/// </remarks>
internal readonly ref struct PolicySnapshotRecord(ReadOnlySpan<byte> octets)
{
    public const byte RemovedFlag = 1;
    public const byte TlsRptTextFlag = 2;
    public const byte PinnedFlag = 4;
    public const byte EndFlag = 8;
    public const byte DefaultFlag = 16;
    public const byte DiscoversFlag = 32;
    public const int FloorShift = 6;
    public const int ProtectionShift = 6;
    public const int HeaderLength = 8;

    private const int EndLength = 8;
    private const byte LapsedBit = 8;
    private const byte KindBits = 7;

    private readonly ReadOnlySpan<byte> octets = octets;

    /// <summary>The key is gone: only in an overlay, where it hides a record of the base.</summary>
    public bool IsRemoved => (octets[3] & RemovedFlag) != 0;

    public bool IsPinned => (octets[3] & PinnedFlag) != 0;

    /// <summary>What the entry does while it is in force.</summary>
    public EntryRole Role => (octets[3] & DiscoversFlag) != 0 ? EntryRole.Discovers
        : (octets[3] & DefaultFlag) != 0 || (octets[2] & KindBits) != (byte)LookupAnswerKind.NotFound ? EntryRole.Answers
        : EntryRole.Absent;

    public DiscoveryFloor Floor => (octets[3] & DiscoversFlag) != 0 ? (DiscoveryFloor)(octets[3] >> FloorShift) : DiscoveryFloor.None;

    /// <summary>Of the entry <c>*</c>: what mail is certain of by its answer.</summary>
    public Protection Protection => (octets[3] & DiscoversFlag) != 0 ? Protection.PlainTextPossible : (Protection)(octets[3] >> ProtectionShift);

    public ReadOnlySpan<byte> Key => octets.Slice(KeyOffset, BinaryPrimitives.ReadUInt16LittleEndian(octets));

    public int Length => KeyOffset + BinaryPrimitives.ReadUInt16LittleEndian(octets);

    public LookupAnswerKind Kind(MapName map) => (LookupAnswerKind)((map == MapName.TlsPolicyTlsRpt ? octets[2] >> 4 : octets[2]) & KindBits);

    public uint TextPosition(MapName map) =>
        BinaryPrimitives.ReadUInt32LittleEndian(octets[(map == MapName.TlsPolicyTlsRpt && HasTlsRptText ? 8 : 4)..]);

    public bool HasEnd => (octets[3] & EndFlag) != 0;

    /// <summary>True where the end of the entry was seen to have passed, whatever the clock says since.</summary>
    public bool HasLapsed => (octets[2] & LapsedBit) != 0;

    /// <summary>The second in which it ends, in Unix time; only of one that has an end.</summary>
    public uint ValidUntil => BinaryPrimitives.ReadUInt32LittleEndian(octets[(KeyOffset - EndLength)..]);

    /// <summary>The position of the record of what holds after the end; 0: nothing does. Only of one that has an end.</summary>
    public uint Then => BinaryPrimitives.ReadUInt32LittleEndian(octets[(KeyOffset - (EndLength / 2))..]);

    private bool HasTlsRptText => (octets[3] & TlsRptTextFlag) != 0;

    private int KeyOffset => HeaderLength + ((octets[3] & TlsRptTextFlag) << 1) + (octets[3] & EndFlag);

    /// <summary>The octet of flags without those that the layout decides.</summary>
    public byte Flags => (byte)(octets[3] & ~(TlsRptTextFlag | EndFlag));

    /// <summary>Writes a record; the destination is exactly <see cref="LengthFor"/> octets.</summary>
    public static void Write(Span<byte> destination, ReadOnlySpan<byte> key, in PolicySnapshotFields fields)
    {
        var second = fields.Text != fields.TlsRptText;
        BinaryPrimitives.WriteUInt16LittleEndian(destination, (ushort)key.Length);
        destination[2] = (byte)((int)fields.Kind | ((int)fields.TlsRptKind << 4) | (fields.HasLapsed ? LapsedBit : 0));
        destination[3] = (byte)(fields.Flags | (second ? TlsRptTextFlag : 0) | (fields.ValidUntil != 0 ? EndFlag : 0));
        BinaryPrimitives.WriteUInt32LittleEndian(destination[4..], fields.Text);
        if (second)
            BinaryPrimitives.WriteUInt32LittleEndian(destination[8..], fields.TlsRptText);
        if (fields.ValidUntil != 0)
        {
            var end = destination[(second ? 12 : 8)..];
            BinaryPrimitives.WriteUInt32LittleEndian(end, fields.ValidUntil);
            BinaryPrimitives.WriteUInt32LittleEndian(end[4..], fields.Then);
        }

        key.CopyTo(destination[^key.Length..]);
    }

    public static int LengthFor(int keyLength, in PolicySnapshotFields fields) =>
        HeaderLength + (fields.Text != fields.TlsRptText ? 4 : 0) + (fields.ValidUntil != 0 ? EndLength : 0) + keyLength;
}

/// <summary>What a record says beside its key.</summary>
/// <param name="Flags">Those of <see cref="PolicySnapshotRecord"/>, without what the layout decides.</param>
internal readonly record struct PolicySnapshotFields(LookupAnswerKind Kind, uint Text, LookupAnswerKind TlsRptKind, uint TlsRptText, byte Flags)
{
    /// <summary>The second in which it ends, Unix time; 0: never.</summary>
    public uint ValidUntil { get; init; }

    /// <summary>The position of the record of what holds then; 0: nothing does.</summary>
    public uint Then { get; init; }

    public bool HasLapsed { get; init; }
}
