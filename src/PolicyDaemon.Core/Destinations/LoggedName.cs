using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;

namespace PolicyDaemon.Core.Destinations;

/// <summary>What Postfix's log shows of a delivery, pasted by a person who looks for its entry.</summary>
/// <remarks>
/// <code>
/// user@example.com                 a recipient, perhaps in &lt;&gt;                        to=&lt;user@example.com&gt;
/// user@[192.0.2.1]                 one at an address, to which the mail goes
/// mx.example.com[192.0.2.1]:25     a server, as smtp(8) names what it talks to       relay=mx.example.com[192.0.2.1]:25
/// [192.0.2.1]:25, 192.0.2.1        a server's address
/// </code>
/// </remarks>
/// <param name="Domain">The recipient's domain; null where a server is named.</param>
/// <param name="Host">The server's name; null where none is.</param>
/// <param name="Address">The server's address; null where none is.</param>
/// <param name="Port">The server's port; null where none is.</param>
public sealed record LoggedName(NextHop? Domain, string? Host, IPAddress? Address, int? Port)
{
    private const string Relay = "relay=";

    private const int MaxLength = 400; // a domain and an address with port; longer is no name

    /// <returns>False where it is none of these; a plain domain is a key and none of these.</returns>
    public static bool TryParse(string text, [NotNullWhen(true)] out LoggedName? name)
    {
        ArgumentNullException.ThrowIfNull(text);
        name = null;
        var word = text.Trim().Trim('<', '>', ',');
        if (word.StartsWith(Relay, StringComparison.Ordinal))
            word = word[Relay.Length..];
        if (word.Length is 0 or > MaxLength)
            return false;
        if (word.LastIndexOf('@') is var at and > 0)
        {
            if (NextHop.TryParse(word[(at + 1)..], out var domain, out _) && (domain.IsPlainHostName || (domain is { IsBracketed: true, Port: null } && IPAddress.TryParse(domain.Host, out _))))
                name = new LoggedName(domain, null, null, null);
            return name is not null;
        }

        if (IPAddress.TryParse(word, out var alone) && !word.All(char.IsAsciiDigit))
        {
            name = new LoggedName(null, null, alone, null);
            return true;
        }

        var open = word.IndexOf('[', StringComparison.Ordinal);
        var close = word.IndexOf(']', StringComparison.Ordinal);
        if (open < 0 || close < open || !IPAddress.TryParse(word[(open + 1)..close].Replace("IPv6:", "", StringComparison.OrdinalIgnoreCase), out var address))
            return false;
        int? port = null;
        if (close + 1 < word.Length)
        {
            if (word[close + 1] != ':' || !ushort.TryParse(word.AsSpan(close + 2), NumberStyles.None, CultureInfo.InvariantCulture, out var number) || number == 0)
                return false;
            port = number;
        }

        string? host = null;
        if (open > 0)
        {
            if (!NextHop.TryParse(word[..open], out var named, out _) || !named.IsPlainHostName)
                return false;
            // smtpd(8) and smtp(8) write unknown where the name cannot be told.
            host = named.Host == "unknown" ? null : named.Host;
        }

        name = new LoggedName(null, host, address, port);
        return true;
    }
}
