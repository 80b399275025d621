using System.Globalization;
using System.Numerics;

namespace PolicyDaemon.Core.Policies;

/// <summary>Reads the value of the attribute <c>protocols</c>. See postconf(5), smtp_tls_mandatory_protocols.</summary>
/// <remarks>
/// <code>
/// >=TLSv1.2  &lt;=TLSv1.3  >=0303     bounds, from Postfix 3.6
/// !SSLv3:!TLSv1:!TLSv1.1             exclusions
/// TLSv1.2:TLSv1.3                    inclusions
/// </code>
/// In a policy the only separator is the colon. Names are compared without letter case. OpenSSL takes a range: when a
/// version between two enabled ones is excluded, everything above the gap is off too.
/// </remarks>
internal static class TlsProtocols
{
    /// <summary>TLS 1.2 as a number of <see cref="TryRange"/>.</summary>
    internal const int Tls12 = 4;

    /// <summary>TLS 1.3 as a number of <see cref="TryRange"/>.</summary>
    internal const int Tls13 = 5;

    private static readonly PostfixVersion FirstWithBounds = new(3, 6);
    private static readonly string[] Names = ["SSLv2", "SSLv3", "TLSv1", "TLSv1.1", "TLSv1.2", "TLSv1.3"];
    private const int All = 0b111111;

    // From TLS 1.0 on, versions that an OpenSSL of our time may speak; SSLv2 and SSLv3 alone leave nothing.
    private const int Usable = 0b111100;

    /// <summary>Says why the attribute <c>protocols</c> cannot have this value; null where it can.</summary>
    internal static Problem? Check(string value, PostfixVersion version) => Read(value, version, out _, out _);

    /// <summary>The lowest and the highest version a value allows, as comparable numbers: 2 is TLS 1.0, 5 is TLS 1.3.</summary>
    /// <param name="value">Empty: every version, as an empty smtp_tls_protocols.</param>
    internal static bool TryRange(string value, out int lowest, out int highest) =>
        Read(value.Length == 0 ? ">=TLSv1" : value, PostfixVersion.Newest, out lowest, out highest) is null;

    internal static string Name(int number) => Names[number];

    /// <summary>The number of a version by its name.</summary>
    internal static bool TryNumber(string name, out int number) => (number = Number(name, isBound: false)) >= 0;

    private static Problem? Read(string value, PostfixVersion version, out int lowest, out int highest)
    {
        lowest = 0;
        highest = Names.Length - 1;
        int included = 0, excluded = 0;
        foreach (var token in value.Split(':'))
        {
            var isBound = token.StartsWith(">=", StringComparison.Ordinal) || token.StartsWith("<=", StringComparison.Ordinal);
            if (isBound && version < FirstWithBounds)
                return new Problem(
                    $"'{AttributeValues.Shown(token)}' needs Postfix {FirstWithBounds} and postfix.version is {version}",
                    "write exclusions such as !SSLv2:!SSLv3:!TLSv1:!TLSv1.1, or set version");
            var number = Number(token[(isBound ? 2 : token.StartsWith('!') ? 1 : 0)..], isBound);
            if (number < 0)
                return new Problem(
                    $"'{AttributeValues.Shown(token)}' is no protocol",
                    $"write >=NAME, <=NAME, !NAME or NAME, joined by colons, with NAME one of {string.Join(", ", Names)}");
            if (token[0] == '>')
                lowest = number;
            else if (token[0] == '<')
                highest = number;
            else if (token[0] == '!')
                excluded |= 1 << number;
            else
                included |= 1 << number;
        }

        var allowed = (included == 0 ? All : included) & ~excluded;
        for (var number = 0; number < Names.Length; number++)
        {
            if (number < lowest || number > highest)
                allowed &= ~(1 << number);
        }

        allowed = FirstRange(allowed & Usable);
        if (allowed == 0)
            return new Problem($"'{AttributeValues.Shown(value)}' leaves no version of TLS", "every delivery would fail");
        lowest = BitOperations.TrailingZeroCount(allowed);
        highest = BitOperations.Log2((uint)allowed);
        return null;
    }

    private static int FirstRange(int allowed)
    {
        if (allowed == 0)
            return 0;
        var shift = BitOperations.TrailingZeroCount(allowed);
        var run = BitOperations.TrailingZeroCount(~(allowed >> shift));
        return ((1 << run) - 1) << shift;
    }

    private static int Number(string name, bool isBound)
    {
        var index = Array.FindIndex(Names, known => string.Equals(known, name, StringComparison.OrdinalIgnoreCase));
        if (index >= 0 || !isBound)
            return index;

        // Bounds may be hexadecimal: 0300 is SSLv3, 0304 is TLS 1.3. Versions that nobody speaks yet are refused.
        var digits = name.StartsWith("0x", StringComparison.OrdinalIgnoreCase) ? name[2..] : name;
        return int.TryParse(digits, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out var hex)
            && hex is >= 0x300 and <= 0x304
                ? hex - 0x300 + 1
                : -1;
    }
}
