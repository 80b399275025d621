using System.Text;

namespace PolicyDaemon.Core.Destinations.Idna;

/// <summary>UTS #46 ToASCII, non-transitional: the A-label form of a host name as Postfix computes it.</summary>
/// <remarks>
/// Model    Postfix util/midna_domain.c: ICU with UIDNA_NONTRANSITIONAL_TO_ASCII alone, every reported error fatal,
///          then valid_hostname(). No other flag, hence no bidi rule, no ContextJ or ContextO rule and no STD3 rule here
///          either: a joiner is kept wherever it stands. A stricter mapping would leave without an answer a name that
///          Postfix delivers to.
/// Steps    map each code point, NFC, split at dots, then per label: hyphen and leading-mark rules, Punycode
/// Not for  enable_idna2003_compatibility = yes (transitional: sharp s becomes "ss"), and not for all-ASCII names, which
///          Postfix never converts
/// Skew     newer code points than the ICU of Postfix knows are mapped here although that Postfix cannot look them up;
///          what Unicode versions map in two ways (U+1E9E) is refused
/// See      UTS #46 section 4, RFC 3492, postconf(5) enable_idna2003_compatibility
/// </remarks>
public static class Uts46
{
    /// <summary>Longest input that is looked at, in octets.</summary>
    /// <remarks>Far above any U-label form of a name that fits DNS; ends the work on hostile input.</remarks>
    public const int MaxInputBytes = 1024;

    /// <summary>Longest name that <see cref="TryToAscii"/> writes, in octets.</summary>
    public const int MaxNameBytes = 253; // RFC 1035 section 3.1: 255 on the wire, less two length octets

    // NFC never turns more than four code points into one, so a text that is longer decomposed cannot end within 253.
    private const int MaxDecomposed = 1024;

    /// <summary>
    /// Maps a host name in UTF-8 (labels separated by any of the UTS #46 dots; no port, no brackets, no leading or trailing dot)
    /// to its A-label form, lower case.
    /// </summary>
    /// <param name="utf8">The name as it came, at most <see cref="MaxInputBytes"/> octets.</param>
    /// <param name="destination">Receives the name; <see cref="MaxNameBytes"/> octets are always enough. Untouched on failure.</param>
    /// <param name="written">Octets written, 0 on failure.</param>
    /// <returns>
    /// false: not valid UTF-8, or not mappable: a disallowed code point, an invalid A-label, a label that begins with a combining
    /// mark, begins or ends with a hyphen or has hyphens in places 3 and 4, anything but letters, digits, hyphen and underscore in
    /// the result, digits alone, an empty label, a label over 63 or a name over 253 octets; or destination is too short.
    /// </returns>
    public static bool TryToAscii(ReadOnlySpan<byte> utf8, Span<byte> destination, out int written)
    {
        written = 0;
        if (utf8.Length > MaxInputBytes)
            return false;

        Span<uint> text = stackalloc uint[MaxDecomposed];
        int length = 0;
        while (!utf8.IsEmpty)
        {
            if (Rune.DecodeFromUtf8(utf8, out Rune rune, out int consumed) != System.Buffers.OperationStatus.Done
                || !IdnaMapping.TryAppend((uint)rune.Value, text, ref length))
            {
                return false;
            }
            utf8 = utf8[consumed..];
        }
        text = text[..Nfc.Compose(text[..length])];

        Span<byte> name = stackalloc byte[MaxNameBytes];
        int at = 0;
        bool hasNonDigit = false;
        while (true)
        {
            int dot = text.IndexOf('.');
            if (!TryWriteLabel(dot < 0 ? text : text[..dot], name, ref at, ref hasNonDigit))
                return false;
            if (dot < 0)
                break;
            if (at == name.Length)
                return false;
            name[at++] = (byte)'.';
            text = text[(dot + 1)..];
        }

        // Postfix: valid_hostname() takes a name of digits alone for an address.
        if (!hasNonDigit || !name[..at].TryCopyTo(destination))
            return false;
        written = at;
        return true;
    }

    /// <summary>The U-label form of a host name, for display to an administrator; never for a comparison.</summary>
    /// <param name="asciiHost">A host name in ASCII; a leading dot is kept.</param>
    /// <returns>
    /// The name with every A-label decoded; <paramref name="asciiHost"/> itself when it has no A-label or an invalid one. A label
    /// with joiners, which nobody sees, stays an A-label.
    /// </returns>
    public static string ToUnicode(string asciiHost)
    {
        ArgumentNullException.ThrowIfNull(asciiHost);
        if (asciiHost.Length > MaxNameBytes + 1 || !Ascii.IsValid(asciiHost)
            || !asciiHost.Contains("xn--", StringComparison.OrdinalIgnoreCase))
        {
            return asciiHost;
        }

        StringBuilder result = new(asciiHost.Length);
        Span<uint> label = stackalloc uint[LabelRules.MaxLength];
        Span<uint> decoded = stackalloc uint[LabelRules.MaxLength];
        foreach (Range range in asciiHost.AsSpan().Split('.'))
        {
            ReadOnlySpan<char> part = asciiHost.AsSpan(range);
            if (range.Start.Value > 0)
                result.Append('.');
            if (!part.StartsWith("xn--", StringComparison.OrdinalIgnoreCase))
            {
                result.Append(part);
                continue;
            }
            if (part.Length > LabelRules.MaxLength)
                return asciiHost;
            for (int i = 0; i < part.Length; i++)
                label[i] = char.ToLowerInvariant(part[i]);
            if (!LabelRules.TryDecodeALabel(label[..part.Length], decoded, out int count))
                return asciiHost;
            if (decoded[..count].ContainsAnyInRange(0x200Cu, 0x200Du)) // ZWNJ, ZWJ
            {
                result.Append(part);
                continue;
            }
            foreach (uint code in decoded[..count])
                result.Append(new Rune(code).ToString());
        }
        return result.ToString();
    }

    private static bool TryWriteLabel(ReadOnlySpan<uint> label, Span<byte> name, ref int at, ref bool hasNonDigit)
    {
        // Punycode writes at least one octet per code point, so this ends overlong labels before any quadratic step.
        if (label.IsEmpty || label.Length > LabelRules.MaxLength)
            return false;

        Span<uint> decoded = stackalloc uint[LabelRules.MaxLength];
        Span<byte> encoded = stackalloc byte[LabelRules.MaxLength];
        int length;
        if (LabelRules.HasAcePrefix(label))
        {
            if (!LabelRules.TryDecodeALabel(label, decoded, out _))
                return false;
            length = CopyAscii(label, encoded);
        }
        else if (!LabelRules.IsValid(label))
        {
            return false;
        }
        else if (label.ContainsAnyExceptInRange(0u, 0x7Fu))
        {
            "xn--"u8.CopyTo(encoded);
            if (!Punycode.TryEncode(label, encoded[4..], out length))
                return false;
            length += 4;
        }
        else
        {
            length = CopyAscii(label, encoded);
        }

        encoded = encoded[..length];
        // Without the STD3 rules ICU lets every ASCII character through; valid_hostname() then wants letters, digits, '-' and '_'.
        foreach (byte octet in encoded)
        {
            if (!char.IsAsciiLetterOrDigit((char)octet) && octet is not ((byte)'-' or (byte)'_'))
                return false;
            hasNonDigit |= !char.IsAsciiDigit((char)octet) && octet != '-';
        }
        if (!encoded.TryCopyTo(name[at..]))
            return false;
        at += length;
        return true;
    }

    private static int CopyAscii(ReadOnlySpan<uint> label, Span<byte> destination)
    {
        for (int i = 0; i < label.Length; i++)
            destination[i] = (byte)label[i];
        return label.Length;
    }
}
