using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;
using PolicyDaemon.Core.Destinations.Idna;

namespace PolicyDaemon.Core.Destinations;

/// <summary>A next-hop destination: the key of an entry, in canonical form.</summary>
/// <remarks>See postconf(5), smtp_tls_policy_maps, and <see cref="LookupKey"/> for what is folded.</remarks>
public readonly record struct NextHop : IComparable<NextHop>
{
    private static readonly SearchValues<char> NumericCharacters = SearchValues.Create("0123456789.");

    private readonly string? text;

    private NextHop(string text) => this.text = text;

    /// <summary>The key <c>*</c>: an entry for every bare domain that nothing else answers for. Postfix never asks for it.</summary>
    public static readonly NextHop Default = new(Encoding.ASCII.GetString(LookupKey.Default));

    /// <summary>True for <see cref="Default"/>.</summary>
    public bool IsDefault => Text == "*";

    /// <summary>The canonical key: lower case, A-labels, port as a number.</summary>
    public string Text => text ?? throw new InvalidOperationException("an empty next-hop destination");

    /// <summary><c>.example.com</c>: answers for subdomains only, at any depth.</summary>
    public bool IsSubdomains => Text[0] == '.' && !IsPath;

    /// <summary><c>[mx.example.com]</c>: no MX lookup.</summary>
    public bool IsBracketed => Text[0] == '[' && !IsPath;

    /// <summary>The path of an LMTP socket.</summary>
    public bool IsPath => Text.Contains('/', StringComparison.Ordinal);

    /// <summary>The host without brackets, port and leading dot; a path is itself.</summary>
    public string Host
    {
        get
        {
            if (IsPath)
                return Text;
            var bare = Encoding.ASCII.GetString(LookupKey.BareHost(Encoding.ASCII.GetBytes(Text)));
            return bare[0] == '.' ? bare[1..] : bare;
        }
    }

    /// <summary>The port, where the key names one by number.</summary>
    public int? Port
    {
        get
        {
            var colon = Text.LastIndexOf(':');
            return !IsPath && colon > Text.LastIndexOf(']') && !IsIpv6Literal
                && int.TryParse(Text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port)
                ? port
                : null;
        }
    }

    /// <summary>The key with U-labels where it has any, for people; never for a lookup.</summary>
    public string ToDisplayString() => IsPath || IsDefault ? Text : Text.Replace(Host, Uts46.ToUnicode(Host), StringComparison.Ordinal);

    /// <summary>
    /// The keys Postfix asks for this next hop, in order: the key and, only for a plain host name, its parents with their
    /// leading dots (smtp/smtp_tls_policy.c). The walk ends at the first answer that is not "not found".
    /// </summary>
    public IEnumerable<NextHop> LookupChain()
    {
        yield return this;
        for (var parent = Parent(Text); parent.Length > 0; parent = Parent(parent))
            yield return new NextHop(parent);
    }

    /// <summary>True for a key whose mail, or that of its subdomains, follows <c>*</c> where nothing else answers: without brackets, port and slash.</summary>
    public bool IsInReachOfDefault => IsSubdomains || LookupKey.IsBareDomain(Encoding.ASCII.GetBytes(Text));

    /// <summary>True for a key under whose name DANE or MTA-STS can be published: a domain, with or without a port, or a host name in brackets.</summary>
    public bool CanPublish =>
        !IsDefault && !IsSubdomains && !IsPath && !Host.Contains(':', StringComparison.Ordinal) && Host.AsSpan().ContainsAnyExcept(NumericCharacters)
        && (Port is not null || !Text.Contains(':', StringComparison.Ordinal));

    /// <summary>True for a bare host name: no port, no brackets, no leading dot, no path, not <c>*</c>.</summary>
    public bool IsPlainHostName => !IsDefault && LookupKey.IsPlainHostName(Encoding.ASCII.GetBytes(Text));

    private static string Parent(string key) => key[^LookupKey.Parent(Encoding.ASCII.GetBytes(key)).Length..];

    private bool IsIpv6Literal => !IsBracketed && Text.Count(character => character == ':') > 1;

    public int CompareTo(NextHop other) => string.CompareOrdinal(Text, other.Text);

    public override string ToString() => Text;

    /// <summary>Reads what an administrator or a table wrote.</summary>
    /// <param name="input">The key, in any form that <see cref="LookupKey"/> folds.</param>
    /// <param name="nextHop">The canonical destination.</param>
    /// <param name="reason">Why it is not one, and what to write instead.</param>
    public static bool TryParse(
        [NotNullWhen(true)] string? input, out NextHop nextHop, [NotNullWhen(false)] out string? reason)
    {
        nextHop = default;
        if (string.IsNullOrWhiteSpace(input))
        {
            reason = "the destination is empty; write a domain, .domain, [host], [host]:port or host:port";
            return false;
        }

        if (input.Trim() == Default.Text)
        {
            reason = "'*' is no next-hop destination, and Postfix never asks for it: it is the key of the entry for every domain that nothing else answers for";
            return false;
        }

        // Of a URL the slash would make the path of a socket, which no mail for that domain ever asks for.
        if (Mistaken.TryRead(input, out var mistaken))
        {
            reason = $"'{Excerpt(input)}' is {mistaken.Kind}, not a next-hop destination; the key for its mail is {mistaken.Key}";
            return false;
        }

        return TryRead(input, out nextHop, out reason);
    }

    /// <summary>Reads the key of an entry: a next-hop destination, or <c>*</c>.</summary>
    /// <param name="input">The key as it was written.</param>
    /// <param name="key">The canonical key.</param>
    /// <param name="reason">Why it is none, and what to write instead.</param>
    public static bool TryParseEntry([NotNullWhen(true)] string? input, out NextHop key, [NotNullWhen(false)] out string? reason)
    {
        key = Default;
        reason = null;
        return input?.Trim() == Default.Text || TryParse(input, out key, out reason);
    }

    private static bool TryRead(string input, out NextHop nextHop, [NotNullWhen(false)] out string? reason)
    {
        nextHop = default;
        Span<byte> canonical = stackalloc byte[LookupKey.MaxCanonicalLength];
        var status = LookupKey.Normalize(Encoding.UTF8.GetBytes(input), canonical, out var length);
        switch (status)
        {
            case LookupKeyStatus.Canonical:
                nextHop = new NextHop(Encoding.ASCII.GetString(canonical[..length]));
                reason = null;
                return true;
            case LookupKeyStatus.Unmappable:
                reason = $"'{Excerpt(input)}' has no valid A-label form (UTS #46); check the spelling or write it as xn--...";
                return false;
            default:
                reason = $"'{Excerpt(input)}' is not a next-hop destination; write a domain, .domain, [host], [host]:port or host:port "
                    + "(labels of at most 63 letters, digits, hyphens or underscores)";
                return false;
        }
    }

    /// <summary>A key known to be canonical, such as one from the store.</summary>
    /// <exception cref="FormatException">It is not.</exception>
    public static NextHop Parse(string canonical) => canonical == Default.Text ? Default
        : TryRead(canonical, out var nextHop, out var reason) ? nextHop : throw new FormatException(reason);

    public static bool operator <(NextHop left, NextHop right) => left.CompareTo(right) < 0;

    public static bool operator >(NextHop left, NextHop right) => left.CompareTo(right) > 0;

    public static bool operator <=(NextHop left, NextHop right) => left.CompareTo(right) <= 0;

    public static bool operator >=(NextHop left, NextHop right) => left.CompareTo(right) >= 0;

    private static string Excerpt(string text)
    {
        var cut = text.Length <= 80 ? text : text[..80] + "...";
        return string.Concat(cut.Select(character => char.IsControl(character) ? '?' : character));
    }

    /// <summary>What people have at hand in the place of a key: a web address, a mail address.</summary>
    private readonly record struct Mistaken(string Kind, string Key)
    {
        internal static bool TryRead(string input, out Mistaken mistaken)
        {
            mistaken = default;
            var text = input.Trim();
            var scheme = text.IndexOf("://", StringComparison.Ordinal);
            if (scheme > 0 && text[..scheme].All(char.IsAsciiLetterOrDigit))
            {
                var authority = text[(scheme + 3)..].Split('/', '?', '#')[0];
                authority = authority[(authority.LastIndexOf('@') + 1)..];
                var isMail = text[..scheme].ToLowerInvariant() is "smtp" or "smtps" or "submission" or "lmtp";
                return Read("a URL", isMail || authority.StartsWith('[') ? authority : authority.Split(':')[0], out mistaken);
            }

            var at = text.LastIndexOf('@');
            var from = text.StartsWith("mailto:", StringComparison.OrdinalIgnoreCase) ? 7 : 0;
            return at > from && !text.Contains('/', StringComparison.Ordinal) && Read("a mail address", text[(at + 1)..].TrimEnd('>'), out mistaken);
        }

        private static bool Read(string kind, string key, out Mistaken mistaken)
        {
            var isKey = NextHop.TryRead(key, out var nextHop, out _);
            mistaken = isKey ? new Mistaken(kind, nextHop.ToDisplayString()) : default;
            return isKey;
        }
    }
}
