using System.Text;
using PolicyDaemon.Core.Pins;

namespace PolicyDaemon.Core.Policies;

/// <summary>Writes the text of a policy: the one formatter through which every answer passes.</summary>
/// <remarks>
/// <code>
/// level [attr=value]...                       one blank between, attributes in the order of PolicyAttributes
/// fingerprint match=HEX|HEX...                lower-case digits, in the order the pins were added
/// secure match=name:.name servername=name     names joined by colons
/// ... { policy_string = version: STSv1 }      on the map tlspolicy-tlsrpt only
/// </code>
/// See postconf(5), smtp_tls_policy_maps. What cannot be written truthfully is a temporary error, never a shorter or weaker policy.
/// </remarks>
public static class PolicyText
{
    /// <summary>The answer to a lookup of a destination's key; at level <c>discovered</c> what people are told instead.</summary>
    /// <param name="isSound">The caller has just found that <see cref="PolicyRules"/> have no objection; they are not asked again.</param>
    public static LookupAnswer Answer(Destination destination, PostfixSettings postfix, MapName map, bool isSound = false)
    {
        if (destination.Observe)
            return LookupAnswer.NotFound;
        if (!isSound && PolicyRules.FirstProblem(destination, postfix) is { } problem)
            return Refusal(destination, problem);
        if (destination.Policy.Level == TlsLevel.Default)
            return LookupAnswer.NotFound;
        if (destination.Policy.Level == TlsLevel.AsDiscovered)
            return LookupAnswer.ByDiscovery(destination.Floor);
        if (!TryWrite(destination, postfix, map, out var text))
            return Refusal(destination, new Problem("its policy cannot be written"));
        return text.Length <= AnswerLimits.SocketmapText
            ? LookupAnswer.Found(text)
            : Refusal(destination, PolicyRules.TooLong(destination, postfix, text.Length));
    }

    /// <summary>The octets of a reply line of tcp_table(5) with this text, encoded, with its status, blank and line feed.</summary>
    public static int TcpLineLength(string text) =>
        "200 ".Length + text.Length + 2 * Encoded(text) + "\n".Length;

    /// <summary>How many octets the longest of the destination's answers has.</summary>
    internal static int TextLength(Destination destination, PostfixSettings postfix) =>
        TryWrite(destination, postfix, MapName.TlsPolicyTlsRpt, out var text) ? text.Length : destination.Policy.Level.IsOfPostfix() ? int.MaxValue : 0;

    /// <summary>False where not even the longest answer that such values can make is too long; asked of every row of a large table.</summary>
    internal static bool MayBeTooLong(Destination destination)
    {
        const int Around = 32; // a name, and what separates it
        const int Folded = 256; // what a name outside ASCII becomes at most
        var most = Around + destination.Pins.Length * (2 * DigestAlgorithm.Sha512.Octets() + 1);
        foreach (var attribute in PolicyAttributes.All)
        {
            foreach (var value in attribute.Get(destination.Policy))
                most += Around + value.Length + (Ascii.IsValid(value) ? 0 : Folded);
        }

        return most > AnswerLimits.SocketmapText;
    }

    /// <summary>How many pins fit into this many octets beside the other attributes.</summary>
    internal static int PinsThatFit(Destination destination, PostfixSettings postfix, int octets)
    {
        var served = PinSelection.ServedHex(destination, postfix).Count();
        var onePin = 2 * postfix.FingerprintDigest.Octets() + 1;
        var rest = TextLength(destination, postfix) - served * onePin;
        return Math.Max(0, (octets - rest) / onePin);
    }

    private static int Encoded(ReadOnlySpan<char> text)
    {
        var count = 0;
        foreach (var character in text)
            count += character is <= ' ' or '%' or > '~' ? 1 : 0;
        return count;
    }

    private static bool TryWrite(Destination destination, PostfixSettings postfix, MapName map, out string text)
    {
        var writer = new StringBuilder(destination.Policy.Level.Name());
        text = "";
        if (!destination.Policy.Level.IsOfPostfix() || destination.Policy.Level.MatchesFingerprints() && !TryWritePins(writer, destination, postfix))
            return false;
        foreach (var attribute in PolicyAttributes.All)
        {
            var values = attribute.Get(destination.Policy);
            if (!values.IsEmpty && (map == MapName.TlsPolicyTlsRpt || !attribute.TlsRptOnly) && !TryWrite(writer, attribute, values))
                return false;
        }

        text = writer.ToString();
        return true;
    }

    private static bool TryWritePins(StringBuilder writer, Destination destination, PostfixSettings postfix)
    {
        var any = false;
        foreach (var hex in PinSelection.ServedHex(destination, postfix))
        {
            writer.Append(any ? PolicyAttributes.FingerprintSeparator.ToString() : $" {PolicyAttributes.MatchName}=").Append(hex);
            any = true;
        }

        return any;
    }

    private static bool TryWrite(StringBuilder writer, PolicyAttribute attribute, IReadOnlyList<string> values)
    {
        var joined = false;
        foreach (var value in values)
        {
            var folded = attribute.Fold(value);
            if (!(attribute.Braced ? AttributeValues.IsPlainInBraces(folded) : AttributeValues.IsPlain(folded)))
                return false;
            if (attribute.Braced)
                writer.Append(" { ").Append(attribute.Name).Append(" = ").Append(folded).Append(" }");
            else if (joined && attribute.Separator is { } separator)
                writer.Append(separator).Append(folded);
            else
                writer.Append(' ').Append(attribute.Name).Append('=').Append(folded);
            joined = true;
        }

        return true;
    }

    private static LookupAnswer Refusal(Destination destination, Problem problem)
    {
        // Postfix's log gets what is wrong; the advice is for the person who runs explain.
        var reason = $"cannot serve {destination.Key.Text}: {problem.Reason}";
        var ascii = new StringBuilder(AnswerLimits.Reason);
        foreach (var character in reason.AsSpan(0, Math.Min(reason.Length, AnswerLimits.Reason)))
            ascii.Append(character is >= ' ' and <= '~' ? character : '?');
        return LookupAnswer.Temporary(ascii.ToString());
    }
}
