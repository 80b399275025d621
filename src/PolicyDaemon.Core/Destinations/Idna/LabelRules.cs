using PolicyDaemon.Core.Destinations.Idna.Tables;

namespace PolicyDaemon.Core.Destinations.Idna;

/// <summary>The validity criteria of UTS #46 section 4.1 that ICU applies in Postfix's configuration.</summary>
internal static class LabelRules
{
    /// <summary>Octets of a label, and so code points of one.</summary>
    internal const int MaxLength = 63; // RFC 1035 section 2.3.4

    internal static bool HasAcePrefix(ReadOnlySpan<uint> label) => label.StartsWith([(uint)'x', 'n', '-', '-']);

    /// <summary>Decodes an A-label and checks that it could have come from a U-label; ICU leaves such a label as it is.</summary>
    /// <param name="label">The label in lower case, with its "xn--", at most <see cref="MaxLength"/> code points.</param>
    /// <param name="decoded">Room for <see cref="MaxLength"/> code points.</param>
    /// <param name="count">Code points decoded.</param>
    internal static bool TryDecodeALabel(ReadOnlySpan<uint> label, Span<uint> decoded, out int count)
    {
        // An A-label of ASCII alone ("xn--abc-") passes in older ICU, but not valid_hostname(), which wants no hyphen at the end.
        if (!Punycode.TryDecode(label[4..], decoded, out count)
            || !decoded[..count].ContainsAnyExceptInRange(0u, 0x7Fu)
            || !IsValid(decoded[..count]))
        {
            return false;
        }

        Span<uint> normalized = stackalloc uint[MaxLength * Nfc.MaxExpansion];
        int length = 0;
        foreach (uint code in decoded[..count])
        {
            if (!IdnaMapping.IsValid(code) || !Nfc.TryAppend(code, normalized, ref length))
                return false;
        }
        return normalized[..Nfc.Compose(normalized[..length])].SequenceEqual(decoded[..count]);
    }

    /// <summary>Hyphens and the leading combining mark: UIDNA_ERROR_HYPHEN_3_4, LEADING_HYPHEN, TRAILING_HYPHEN, LEADING_COMBINING_MARK.</summary>
    internal static bool IsValid(ReadOnlySpan<uint> label) =>
        label[0] != '-'
        && label[^1] != '-'
        && !HasHyphensInThirdAndFourth(label)
        && !IsMark(label[0]);

    // ICU counts places in UTF-16 units, unlike UTS #46, which counts characters. We follow ICU, since Postfix does.
    private static bool HasHyphensInThirdAndFourth(ReadOnlySpan<uint> label)
    {
        int third = label[0] > 0xFFFF ? 1 : 2;
        return label.Length >= third + 2
            && label[third] == '-' && label[third + 1] == '-'
            && (third == 1 || label[1] <= 0xFFFF);
    }

    /// <summary>General category M.</summary>
    private static bool IsMark(uint code)
    {
        int index = IdnaTables.MarkStarts.BinarySearch(code);
        if (index >= 0)
            return true;
        index = ~index - 1;
        return index >= 0 && code <= IdnaTables.MarkEnds[index];
    }
}
