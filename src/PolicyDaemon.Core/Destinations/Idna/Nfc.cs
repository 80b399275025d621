using PolicyDaemon.Core.Destinations.Idna.Tables;

namespace PolicyDaemon.Core.Destinations.Idna;

/// <summary>Normalization Form C of mapped text, in place and without allocation.</summary>
/// <remarks>
/// Why      string.Normalize returns its input unchanged when the build is globalisation-invariant, as ours is
/// Scope    knows primary composites and Hangul, which is all that the UTS #46 mapping leaves over (make-tables.py checks it)
/// Units    while a text grows, a unit is a code point in the low 24 bits and its combining class above them; Compose removes it
/// See      UAX #15 section 1.3, Unicode Standard section 3.11 (D108 to D117) and 3.12 (Hangul)
/// </remarks>
internal static class Nfc
{
    /// <summary>No code point decomposes into more code points than this.</summary>
    internal const int MaxExpansion = 4;

    // A label has no room for more marks in a row; a longer run would only make ordering expensive.
    private const int MaxMarksInARow = LabelRules.MaxLength + MaxExpansion;

    private const uint LBase = 0x1100, VBase = 0x1161, TBase = 0x11A7, SBase = 0xAC00;
    private const uint LCount = 19, VCount = 21, TCount = 28, SCount = LCount * VCount * TCount;

    /// <summary>Appends the canonical decomposition of a code point and keeps the text in canonical order.</summary>
    /// <returns>false: no room, or more combining marks in a row than a label can hold.</returns>
    internal static bool TryAppend(uint code, Span<uint> text, ref int length)
    {
        if (code - SBase < SCount)
        {
            uint index = code - SBase;
            return TryPut(LBase + index / (VCount * TCount), text, ref length)
                && TryPut(VBase + index % (VCount * TCount) / TCount, text, ref length)
                && (index % TCount == 0 || TryPut(TBase + index % TCount, text, ref length));
        }

        int composite = code < 0xC0 ? -1 : IdnaTables.Composites.BinarySearch(code); // 0xC0: A with grave, the first one
        if (composite < 0)
            return TryPut(code, text, ref length);
        // Only first halves decompose again, at most twice.
        return TryAppend(IdnaTables.CompositeFirsts[composite], text, ref length)
            && TryPut(IdnaTables.CompositeSeconds[composite], text, ref length);
    }

    /// <summary>Composes a text that <see cref="TryAppend"/> built, in place.</summary>
    /// <returns>The new length; up to there the units are plain code points.</returns>
    internal static int Compose(Span<uint> text)
    {
        int starter = -1;
        int end = 0;
        uint lastClass = 0;
        foreach (uint unit in text)
        {
            uint code = unit & 0xFFFFFF;
            uint combiningClass = unit >> 24;
            bool blocked = starter < 0 || (end != starter + 1 && lastClass >= combiningClass);
            if (!blocked && TryCompose(text[starter], code, out uint composite))
            {
                text[starter] = composite;
                continue;
            }
            if (combiningClass == 0)
                starter = end;
            lastClass = combiningClass;
            text[end++] = code;
        }
        return end;
    }

    private static bool TryPut(uint code, Span<uint> text, ref int length)
    {
        if (length == text.Length)
            return false;

        uint combiningClass = CombiningClass(code);
        int at = length;
        if (combiningClass != 0)
        {
            int first = length;
            while (first > 0 && text[first - 1] >> 24 != 0)
                first--;
            if (length - first == MaxMarksInARow)
                return false;
            while (at > first && text[at - 1] >> 24 > combiningClass)
            {
                text[at] = text[at - 1];
                at--;
            }
        }
        text[at] = combiningClass << 24 | code;
        length++;
        return true;
    }

    private static uint CombiningClass(uint code)
    {
        if (code < 0x300)
            return 0;
        int index = IdnaTables.ClassStarts.BinarySearch(code);
        if (index < 0)
            index = ~index - 1;
        if (index < 0)
            return 0;
        uint value = IdnaTables.ClassValues[index];
        return code <= value >> 8 ? value & 0xFF : 0;
    }

    private static bool TryCompose(uint first, uint second, out uint composite)
    {
        composite = 0;
        if (second < 0x300) // the lowest second half
            return false;
        if (first - LBase < LCount && second - VBase < VCount)
        {
            composite = SBase + ((first - LBase) * VCount + (second - VBase)) * TCount;
            return true;
        }
        if (first - SBase < SCount && (first - SBase) % TCount == 0 && second - TBase - 1 < TCount - 1)
        {
            composite = first + (second - TBase);
            return true;
        }

        ulong wanted = (ulong)first << 32 | second;
        int low = 0;
        int high = IdnaTables.CompositesByPair.Length - 1;
        while (low <= high)
        {
            int middle = (low + high) / 2;
            int index = IdnaTables.CompositesByPair[middle];
            ulong pair = (ulong)IdnaTables.CompositeFirsts[index] << 32 | IdnaTables.CompositeSeconds[index];
            if (pair == wanted)
            {
                composite = IdnaTables.Composites[index];
                return true;
            }
            if (pair < wanted)
                low = middle + 1;
            else
                high = middle - 1;
        }
        return false;
    }
}
