using System.Globalization;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;

namespace PolicyDaemon.Core.Configuration;

/// <summary>Reads the <c>[postfix]</c> section.</summary>
internal sealed class PostfixSettingsReader(SettingValues values)
{
    private static readonly char[] Separators = [' ', ',', '\t', ':']; // postconf(5), smtp_tls_mandatory_protocols; CHARS_COMMA_SP and ":"

    public PostfixSettings Read() => new(Digest(), Version(), NearMiss())
    {
        SecurityLevel = Level(ConfigurationKeys.SecurityLevel, TlsLevels.Names),
        MxAddressLimit = values.Number(ConfigurationKeys.MxAddressLimit, 0, 100_000),
        InetProtocols = Families(ConfigurationKeys.InetProtocols, "all"),
        AddressPreference = Families(ConfigurationKeys.AddressPreference, "any"),
        Protocols = Protocols(ConfigurationKeys.Protocols),
        MandatoryProtocols = Protocols(ConfigurationKeys.MandatoryProtocols),
        DaneInsecureMxPolicy = Level(ConfigurationKeys.DaneInsecureMxPolicy, ["may", "encrypt", "dane"]),
    };

    /// <summary>The value of a key that repeats main.cf, as the file would have it.</summary>
    public static string Text(PostfixSettings postfix, ConfigurationKey key) => key.Name switch
    {
        "security_level" => postfix.SecurityLevel.Name(),
        "mx_address_limit" => postfix.MxAddressLimit.ToString(CultureInfo.InvariantCulture),
        "inet_protocols" => Name(postfix.InetProtocols, "all"),
        "address_preference" => Name(postfix.AddressPreference, "any"),
        "protocols" => postfix.Protocols,
        "mandatory_protocols" => postfix.MandatoryProtocols,
        "dane_insecure_mx_policy" => postfix.DaneInsecureMxPolicy.Name(),
        _ => throw new ArgumentException($"{key.FullName} does not repeat main.cf", nameof(key)),
    };

    private static string Name(AddressFamilies families, string both) =>
        families switch { AddressFamilies.IPv4 => "ipv4", AddressFamilies.IPv6 => "ipv6", _ => both };

    private DigestAlgorithm Digest()
    {
        var value = values.Value(ConfigurationKeys.FingerprintDigest);
        if (!DigestAlgorithms.TryParse(value.Text, out var digest))
            values.Problems.Add(value.Problem($"'{value.Text}' is no digest served; write one of {string.Join(", ", DigestAlgorithms.Names)}"));
        return digest;
    }

    private PostfixVersion Version()
    {
        var value = values.Value(ConfigurationKeys.PostfixVersion);
        if (!PostfixVersion.TryParse(value.Text, out var version))
            values.Problems.Add(value.Problem($"'{value.Text}' is no version; write what `postconf -h mail_version` prints, such as 3.7"));
        else if (version < PostfixVersion.Oldest)
            values.Problems.Add(value.Problem($"Postfix before {PostfixVersion.Oldest} is not served"));
        return version;
    }

    private NearMissAnswer NearMiss()
    {
        var value = values.Value(ConfigurationKeys.NearMiss);
        if (value.Text is not ("notfound" or "temp"))
            values.Problems.Add(value.Problem($"'{value.Text}' is neither notfound nor temp"));
        return value.Text == "temp" ? NearMissAnswer.Temporary : NearMissAnswer.NotFound;
    }

    private TlsLevel Level(ConfigurationKey key, IReadOnlyList<string> possible)
    {
        var value = values.Value(key);
        if (TlsLevels.TryParse(value.Text, out var level) && possible.Contains(level.Name()))
            return level;
        values.Problems.Add(value.Problem($"'{value.Text}' is none of {string.Join(", ", possible)}"));
        return TlsLevel.May;
    }

    private AddressFamilies Families(ConfigurationKey key, string both)
    {
        var value = values.Value(key);
        if (value.Text != both && value.Text is not ("ipv4" or "ipv6"))
            values.Problems.Add(value.Problem($"'{value.Text}' is none of {both}, ipv4, ipv6"));
        return value.Text switch { "ipv4" => AddressFamilies.IPv4, "ipv6" => AddressFamilies.IPv6, _ => AddressFamilies.Any };
    }

    /// <summary>As main.cf has it, in the form of a policy's attribute: colons between the words.</summary>
    private string Protocols(ConfigurationKey key)
    {
        var value = values.Value(key);
        var text = string.Join(':', value.Text.Split(Separators, StringSplitOptions.RemoveEmptyEntries));
        if (text.Length > 0 && TlsProtocols.Check(text, PostfixVersion.Newest) is { } problem)
            values.Problems.Add(value.Problem(problem.ToString()));
        return text;
    }
}
