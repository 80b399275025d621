namespace PolicyDaemon.Core.Destinations.Idna;

/// <summary>Punycode, RFC 3492, of one label without its "xn--".</summary>
/// <remarks>Work is bounded by the caller: at most 63 code points go in, and the buffers end the loops.</remarks>
internal static class Punycode
{
    // RFC 3492 section 5
    private const int Base = 36;
    private const int TMin = 1;
    private const int TMax = 26;
    private const int Skew = 38;
    private const int Damp = 700;
    private const int InitialBias = 72;
    private const int InitialN = 128;

    /// <summary>Encodes code points; basic ones are copied as they are.</summary>
    /// <returns>false: <paramref name="output"/> is too short.</returns>
    internal static bool TryEncode(ReadOnlySpan<uint> label, Span<byte> output, out int written)
    {
        written = 0;
        foreach (uint code in label)
        {
            if (code < InitialN && !TryPut((byte)code, output, ref written))
                return false;
        }
        int handled = written;
        int basic = written;
        if (basic > 0 && !TryPut((byte)'-', output, ref written))
            return false;

        // 63 code points below 0x110000: delta stays under 63 * 0x110000, far from overflow.
        uint n = InitialN;
        int delta = 0;
        int bias = InitialBias;
        while (handled < label.Length)
        {
            uint next = uint.MaxValue;
            foreach (uint code in label)
            {
                if (code >= n && code < next)
                    next = code;
            }
            delta += (int)(next - n) * (handled + 1);
            n = next;
            foreach (uint code in label)
            {
                if (code < n)
                    delta++;
                if (code != n)
                    continue;
                int rest = delta;
                for (int k = Base; ; k += Base)
                {
                    int threshold = Threshold(k, bias);
                    if (rest < threshold)
                        break;
                    if (!TryPut(Digit(threshold + (rest - threshold) % (Base - threshold)), output, ref written))
                        return false;
                    rest = (rest - threshold) / (Base - threshold);
                }
                if (!TryPut(Digit(rest), output, ref written))
                    return false;
                bias = Adapt(delta, handled + 1, handled == basic);
                delta = 0;
                handled++;
            }
            delta++;
            n++;
        }
        return true;
    }

    /// <summary>Decodes a label that is in lower case.</summary>
    /// <returns>
    /// false: a character that is no digit of Punycode, an unfinished number, an overflow, a surrogate or a code point over 10FFFF,
    /// or <paramref name="output"/> is too short.
    /// </returns>
    internal static bool TryDecode(ReadOnlySpan<uint> label, Span<uint> output, out int count)
    {
        count = 0;
        int basic = Math.Max(label.LastIndexOf('-'), 0);
        if (basic > output.Length || label[..basic].ContainsAnyExceptInRange(0u, InitialN - 1u))
            return false;
        label[..basic].CopyTo(output);
        count = basic;

        long n = InitialN;
        long i = 0;
        int bias = InitialBias;
        int at = basic > 0 ? basic + 1 : 0;
        while (at < label.Length)
        {
            long before = i;
            long weight = 1;
            for (int k = Base; ; k += Base)
            {
                if (at == label.Length || !TryDigit(label[at++], out int digit))
                    return false;
                i += digit * weight;
                if (i > int.MaxValue)
                    return false;
                int threshold = Threshold(k, bias);
                if (digit < threshold)
                    break;
                weight *= Base - threshold;
                if (weight > int.MaxValue)
                    return false;
            }

            bias = Adapt((int)(i - before), count + 1, before == 0);
            n += i / (count + 1);
            i %= count + 1;
            if (n > 0x10FFFF || n is >= 0xD800 and <= 0xDFFF || count == output.Length)
                return false;
            output[(int)i..count].CopyTo(output[((int)i + 1)..]);
            output[(int)i] = (uint)n;
            i++;
            count++;
        }
        return true;
    }

    private static int Threshold(int k, int bias) => Math.Clamp(k - bias, TMin, TMax);

    // RFC 3492 section 6.1
    private static int Adapt(int delta, int points, bool first)
    {
        delta = first ? delta / Damp : delta / 2;
        delta += delta / points;
        int k = 0;
        while (delta > (Base - TMin) * TMax / 2)
        {
            delta /= Base - TMin;
            k += Base;
        }
        return k + (Base - TMin + 1) * delta / (delta + Skew);
    }

    private static byte Digit(int value) => (byte)(value < 26 ? 'a' + value : '0' + value - 26);

    private static bool TryDigit(uint code, out int digit)
    {
        digit = code switch
        {
            >= 'a' and <= 'z' => (int)(code - 'a'),
            >= '0' and <= '9' => (int)(code - '0' + 26),
            _ => -1,
        };
        return digit >= 0;
    }

    private static bool TryPut(byte octet, Span<byte> output, ref int written)
    {
        if (written == output.Length)
            return false;
        output[written++] = octet;
        return true;
    }
}
