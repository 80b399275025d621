using PolicyDaemon.Core.Destinations.Idna.Tables;

namespace PolicyDaemon.Core.Destinations.Idna;

/// <summary>The mapping step: UTS #46 section 4, with the table of section 5, non-transitional, without the STD3 rules.</summary>
internal static class IdnaMapping
{
    /// <summary>What a range does with its code points; make-tables.py writes these numbers.</summary>
    private enum Kind
    {
        Valid = 0,
        Disallowed = 1,
        Ignored = 2,

        /// <summary>Each code point of the range becomes itself plus the payload.</summary>
        Delta = 3,

        /// <summary>The first, third, fifth... become their successor, which is valid: capital and small letter in turn.</summary>
        Alternating = 4,

        /// <summary>Each code point of the range becomes a string of its own; the payload is the number of the first one's.</summary>
        Strings = 5,
    }

    /// <summary>The code point may stand in a U-label: status valid or deviation.</summary>
    internal static bool IsValid(uint code)
    {
        (Kind kind, _, uint start) = Find(code);
        return kind switch
        {
            Kind.Valid => true,
            Kind.Alternating => (code - start & 1) != 0,
            _ => false,
        };
    }

    /// <summary>Appends what a code point maps to, decomposed and in canonical order.</summary>
    /// <returns>false: the code point is disallowed, or the text is too long for any name.</returns>
    internal static bool TryAppend(uint code, Span<uint> text, ref int length)
    {
        (Kind kind, int payload, uint start) = Find(code);
        switch (kind)
        {
            case Kind.Valid:
                return Nfc.TryAppend(code, text, ref length);
            case Kind.Ignored:
                return true;
            case Kind.Delta:
                return Nfc.TryAppend((uint)(code + payload), text, ref length);
            case Kind.Alternating:
                return Nfc.TryAppend(code + (~(code - start) & 1), text, ref length);
            case Kind.Strings:
                uint reference = IdnaTables.Strings[payload + (int)(code - start)];
                return TryAppend(IdnaTables.Pool.Slice((int)(reference >> 5), (int)(reference & 31)), text, ref length);
            default:
                return false;
        }
    }

    private static bool TryAppend(ReadOnlySpan<ushort> mapping, Span<uint> text, ref int length)
    {
        for (int i = 0; i < mapping.Length; i++)
        {
            uint code = mapping[i];
            if (char.IsHighSurrogate((char)code))
                code = (uint)char.ConvertToUtf32((char)code, (char)mapping[++i]);
            if (!Nfc.TryAppend(code, text, ref length))
                return false;
        }
        return true;
    }

    private static (Kind Kind, int Payload, uint Start) Find(uint code)
    {
        int index = IdnaTables.RangeStarts.BinarySearch(code);
        if (index < 0)
            index = ~index - 1; // the first range starts at 0, so there is always one before
        uint value = IdnaTables.RangeValues[index];
        return ((Kind)(value & 7), (int)value >> 3, IdnaTables.RangeStarts[index]);
    }
}
