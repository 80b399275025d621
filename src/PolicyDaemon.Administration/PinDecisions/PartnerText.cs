using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Destinations.Idna;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Runtime;

namespace PolicyDaemon.Administration.PinDecisions;

/// <summary>What a partner is asked about a new key: a text to send or to read out, and a command that shows what the server presents.</summary>
/// <remarks>No line is longer than a screen of 80 columns: fingerprints stand in two halves, and the command goes on behind a backslash.</remarks>
public static class PartnerText
{
    private const int Group = 4;
    private const int OctetsInLine = 16;

    // Room for an indentation, and for the time in another zone.
    private const int Widest = 70;

    /// <summary>A fingerprint in groups of four digits, eight groups a line.</summary>
    public static IReadOnlyList<string> Groups(Fingerprint fingerprint) =>
        [.. fingerprint.Hex.Chunk(OctetsInLine * 2).Select(line => string.Join(' ', line.Chunk(Group).Select(digits => new string(digits))))];

    /// <summary>A fingerprint as <c>openssl x509 -fingerprint</c> prints it, in lines of sixteen octets.</summary>
    public static IReadOnlyList<string> Colons(Fingerprint fingerprint)
    {
        var pairs = fingerprint.ToDisplayString().Split(':').Chunk(OctetsInLine).Select(line => string.Join(':', line)).ToList();
        return [.. pairs.Select((line, i) => i < pairs.Count - 1 ? line + ":" : line)];
    }

    /// <summary>The text.</summary>
    /// <param name="entry">The destination.</param>
    /// <param name="shown">The key as it is shown.</param>
    /// <param name="digest">The digest that Postfix compares.</param>
    public static IReadOnlyList<string> Of(NextHop entry, ShownKey shown, DigestAlgorithm digest)
    {
        ArgumentNullException.ThrowIfNull(shown);
        var place = shown.Places.OrderByDescending(place => place.IsCurrent).ThenBy(place => place.MxHost, StringComparer.Ordinal).First();
        var mail = entry.IsBracketed || entry.IsPath ? "Our mail" : $"Our mail to {Uts46.ToUnicode(entry.Host)}";
        return
        [
            .. Lines($"Your mail server {place.MxHost} has shown us a new TLS certificate since {UtcTime.Text(shown.First)}. {mail} goes only to servers "
                + $"whose key we know, and we do not trust this one before you have confirmed it. Its fingerprints, {OpenSslName(digest)}:"),
            .. Named("certificate", Colons(shown.Certificate.Digest(PinSubject.Certificate, digest))),
            .. Named("public key", Groups(shown.Certificate.Digest(PinSubject.PublicKey, digest))),
            "On your side of the network this shows the one of the certificate:",
            .. Command(place, shown.Certificate, digest).Select(line => "  " + line),
            "Please tell us by telephone whether it is the same.",
        ];
    }

    /// <summary>The command line that shows the certificate's fingerprint, for any shell of POSIX: as Postfix it sends a name (SNI) only where one is
    /// configured.</summary>
    /// <param name="place">Where it is shown.</param>
    /// <param name="certificate">The certificate; of a server that has one of another algorithm, too, this one is asked for.</param>
    /// <param name="digest">The digest that Postfix compares.</param>
    public static IReadOnlyList<string> Command(ShownPlace place, ServerCertificate certificate, DigestAlgorithm digest)
    {
        ArgumentNullException.ThrowIfNull(place);
        ArgumentNullException.ThrowIfNull(certificate);
        var name = place.Target.ServerName is { } sent ? $"-servername {Shell.Quote(sent)}" : "-noservername";
        var host = place.MxHost.Contains(':', StringComparison.Ordinal) ? $"[{place.MxHost}]" : place.MxHost;
        return
        [
            $"openssl s_client -starttls smtp {name} \\",
            FormattableString.Invariant($"  -connect {Shell.Quote($"{host}:{place.Target.Port}")} \\"),
            .. place.HasSeveral ? SignatureAlgorithms(certificate.Algorithm) : [],
            "  < /dev/null 2> /dev/null |",
            $"  openssl x509 -noout -fingerprint -{digest.Name()}",
        ];
    }

    private static IEnumerable<string> Named(string name, IReadOnlyList<string> lines) =>
        lines.Select((line, i) => $"  {(i == 0 ? name : ""),-11}  {line}");

    /// <summary>Breaks at blanks.</summary>
    private static IEnumerable<string> Lines(string text)
    {
        var line = "";
        foreach (var word in text.Split(' '))
        {
            if (line.Length > 0 && line.Length + 1 + word.Length > Widest)
            {
                yield return line;
                line = "";
            }

            line += line.Length > 0 ? " " + word : word;
        }

        yield return line;
    }

    private static string[] SignatureAlgorithms(KeyAlgorithm algorithm) => algorithm switch
    {
        KeyAlgorithm.Rsa => ["  -sigalgs RSA-PSS+SHA256:RSA+SHA256:RSA+SHA384 \\"],
        KeyAlgorithm.Ecdsa => ["  -sigalgs ECDSA+SHA256:ECDSA+SHA384:ECDSA+SHA512 \\"],
        KeyAlgorithm.EdDsa => ["  -sigalgs ed25519:ed448 \\"],
        _ => [],
    };

    private static string OpenSslName(DigestAlgorithm digest) => digest.Name().ToUpperInvariant() switch
    {
        "MD5" => "MD5",
        var sha => "SHA-" + sha["SHA".Length..],
    };
}
