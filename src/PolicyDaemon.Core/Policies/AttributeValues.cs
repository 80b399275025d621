using System.Buffers;
using System.Text;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Pins;

namespace PolicyDaemon.Core.Policies;

/// <summary>The syntax of attribute values: each check says what is wrong with one value, or null.</summary>
internal static class AttributeValues
{
    private static readonly SearchValues<char> FingerprintCharacters = SearchValues.Create("0123456789abcdefABCDEF:");
    private static readonly SearchValues<char> FoldedHostCharacters = SearchValues.Create("abcdefghijklmnopqrstuvwxyz0123456789-_.");

    private static readonly string[] Grades = ["high", "medium", "low", "export", "null"]; // tls/tls_misc.c, tls_cipher_grade
    private static readonly string[] PolicyTypes = ["sts", "no-policy-found"]; // smtp/smtp_tlsrpt.c
    private static readonly string[] PolicyFailures =
        ["sts-policy-fetch-error", "sts-policy-invalid", "sts-webpki-invalid", "validation-failure"];

    /// <summary>True for a value that cannot end itself early or start another one: the last check before a value is written.</summary>
    internal static bool IsPlain(ReadOnlySpan<char> value) =>
        !value.IsEmpty && !value.ContainsAnyExceptInRange('!', '~') && !value.ContainsAny(",{}|");

    /// <summary>True for a value in braces, where single blanks inside are text, that cannot end itself early or start another one.</summary>
    internal static bool IsPlainInBraces(ReadOnlySpan<char> value) =>
        !value.IsEmpty && value[0] != ' ' && value[^1] != ' '
        && !value.ContainsAnyExceptInRange(' ', '~') && !value.ContainsAny(",{}|");

    internal static Problem? CipherGrade(string value, PostfixVersion version) =>
        IsOneOf(Grades, value) ? null : new Problem($"'{Shown(value)}' is no cipher grade", $"write one of {string.Join(", ", Grades)}");

    internal static Problem? YesOrNo(string value, PostfixVersion version) =>
        IsOneOf(["yes", "no"], value) ? null : new Problem($"'{Shown(value)}' is neither yes nor no");

    /// <summary>Cipher names or classes, separated by colons. Postfix adds the exclamation mark itself.</summary>
    internal static Problem? CipherExclusion(string value, PostfixVersion version)
    {
        foreach (var name in value.Split(':'))
        {
            // tls/tls_misc.c: "invalid unconditional exclusion" for a name that begins with a modifier.
            if (name.Length == 0 || !char.IsAsciiLetterOrDigit(name[0]) || !name.All(c => char.IsAsciiLetterOrDigit(c) || c is '-' or '_' or '+' or '.'))
                return new Problem(
                    $"'{Shown(value)}' is no list of ciphers to exclude",
                    "write names or classes joined by colons, without a leading '!', '+', '-' or '@', such as aNULL:MD5:3DES");
        }

        return null;
    }

    internal static Problem? AbsolutePath(string value, PostfixVersion version) =>
        value.StartsWith('/') && IsPlain(value)
            ? null
            : new Problem(
                $"'{Shown(value)}' is no absolute path without blanks, commas, braces and '|'",
                "give the PEM file such a name, readable inside Postfix's chroot");

    /// <summary>A host name, or one of the two words that Postfix replaces.</summary>
    internal static Problem? ServerName(string value, PostfixVersion version)
    {
        // Postfix compares these words with their letter case and would send HOSTNAME as a host name.
        if (!IsOneOf(ServerNames.Words, value))
            return HostName(value, version);
        return ServerNames.Words.Contains(value) ? null : new Problem($"'{Shown(value)}' would be sent as a host name", "write it in lower case");
    }

    internal static Problem? HostName(string value, PostfixVersion version) =>
        IsHostName(value) ? null : new Problem($"'{Shown(value)}' is no host name", "write one such as mx.example.com");

    /// <summary>A name a certificate may carry. See postconf(5), smtp_tls_verify_cert_match.</summary>
    internal static Problem? PeerName(string value, PostfixVersion version)
    {
        // Forty hexadecimal digits would pass for a host name.
        if (!value.AsSpan().ContainsAnyExcept(FingerprintCharacters) && Fingerprint.TryParse(value, out _, out _))
            return new Problem($"'{Shown(value)}' is a fingerprint, which counts at level fingerprint only", "at verify and secure match takes names");
        if (IsOneOf(DefaultMatch.Keywords, value) || IsHostName(value.StartsWith('.') ? value.AsSpan(1) : value))
            return null;
        return new Problem($"'{Shown(value)}' is no name to match", "write a host name, .name for its subdomains, nexthop, dot-nexthop or hostname");
    }

    internal static Problem? PolicyType(string value, PostfixVersion version) =>
        IsOneOf(PolicyTypes, value) ? null : new Problem($"'{Shown(value)}' is no policy type", $"write {string.Join(" or ", PolicyTypes)}");

    internal static Problem? PolicyFailure(string value, PostfixVersion version) =>
        IsOneOf(PolicyFailures, value) ? null : new Problem($"'{Shown(value)}' is no policy failure", $"write one of {string.Join(", ", PolicyFailures)}");

    internal static Problem? PolicyString(string value, PostfixVersion version) =>
        IsPlainInBraces(value)
            ? null
            : new Problem($"'{Shown(value)}' is no line of a policy that Postfix reads", "write printable ASCII without commas, braces and '|'");

    /// <summary>RFC 8461 section 4.1: a host name, or one whose whole first label is an asterisk.</summary>
    internal static Problem? MxHostPattern(string value, PostfixVersion version) =>
        IsHostName(WithoutWildcard(value)) ? null : new Problem($"'{Shown(value)}' is no mx pattern", "write mx.example.com or *.example.com");

    internal static string FoldWord(string value) => value.ToLowerInvariant();

    internal static string FoldHostName(string value)
    {
        // Of most names nothing is folded, and every answer is written with them.
        if (!value.AsSpan().ContainsAnyExcept(FoldedHostCharacters) && !value.EndsWith('.'))
            return value;
        return IsHostName(value) && NextHop.TryParse(value, out var host, out _) ? host.Text : value;
    }

    internal static string FoldPeerName(string value) =>
        value.StartsWith('.') ? "." + FoldHostName(value[1..]) : FoldHostName(value);

    internal static string FoldMxHostPattern(string value) =>
        value[..^WithoutWildcard(value).Length] + FoldHostName(WithoutWildcard(value));

    /// <summary>A person's text in a message: printable, and not longer than a line.</summary>
    internal static string Shown(string text)
    {
        var cut = text.Length <= 60 ? text : text[..60] + "...";
        return string.Concat(cut.Select(c => char.IsControl(c) ? '?' : c));
    }

    /// <summary>util/valid_hostname.c after UTS #46: labels of letters, digits, underscores and inner hyphens, not all numeric.</summary>
    internal static bool IsHostName(ReadOnlySpan<char> value)
    {
        if (value.IsEmpty || value.Length > LookupKey.MaxRawLength || char.IsWhiteSpace(value[0]) || char.IsWhiteSpace(value[^1]))
            return false;
        Span<byte> raw = stackalloc byte[LookupKey.MaxRawLength * 3];
        Span<byte> canonical = stackalloc byte[LookupKey.MaxCanonicalLength];
        return LookupKey.Normalize(raw[..Encoding.UTF8.GetBytes(value, raw)], canonical, out var length) == LookupKeyStatus.Canonical
            && LookupKey.IsPlainHostName(canonical[..length]);
    }

    private static string WithoutWildcard(string value) => value.StartsWith("*.", StringComparison.Ordinal) ? value[2..] : value;

    private static bool IsOneOf(IEnumerable<string> words, string value) => words.Contains(value, StringComparer.OrdinalIgnoreCase);
}
