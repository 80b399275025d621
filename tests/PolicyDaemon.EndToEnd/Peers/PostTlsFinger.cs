using System.Text.RegularExpressions;
using PolicyDaemon.EndToEnd.Lab;

namespace PolicyDaemon.EndToEnd.Peers;

/// <summary>What posttls-finger(1) says of a server at one level.</summary>
/// <param name="Certificate">SHA-256 of the certificate, in lower-case hex; null where it saw none.</param>
/// <param name="PublicKey">SHA-256 of the public key.</param>
/// <param name="TlsVersion">Such as <c>TLSv1.3</c>.</param>
/// <param name="Status"><c>Anonymous</c>, <c>Untrusted</c>, <c>Trusted</c> or <c>Verified</c>; null where there was no handshake.</param>
/// <param name="Said">All of it.</param>
internal sealed partial record PostTlsFinger(string? Certificate, string? PublicKey, string? TlsVersion, string? Status, string Said)
{
    /// <summary>Asks it.</summary>
    /// <param name="lab">From where, with the laboratory's CA.</param>
    /// <param name="host">The server, in brackets where it looks up no MX records.</param>
    /// <param name="level">The level.</param>
    /// <param name="match">What it compares with; empty for the level's own.</param>
    public static async Task<PostTlsFinger> AskAsync(Laboratory lab, string host, string level, params string[] match)
    {
        // posttls-finger asks one address, and says so on standard error.
        var result = await lab.Sandbox.RunAsync(
            ["posttls-finger", "-c", "-t", "30", "-T", "30", "-d", "sha256", "-F", lab.Certificates.AuthorityFile, "-l", level, host, .. match]);
        var said = result.Output + result.Error;
        var digests = Digests.Match(said);
        var connection = Established.Match(said);
        return new PostTlsFinger(
            Group(digests, 1), Group(digests, 2), Group(connection, 2), Group(connection, 1), $"{result}");
    }

    private static string? Group(Match match, int number) =>
        match.Success ? number < 3 && match.Groups[number].Value.Contains(':', StringComparison.Ordinal)
            ? match.Groups[number].Value.Replace(":", "", StringComparison.Ordinal).ToLowerInvariant()
            : match.Groups[number].Value
        : null;

    [GeneratedRegex(" fingerprint=([0-9A-F:]+), pkey_fingerprint=([0-9A-F:]+)")]
    private static partial Regex Digests { get; }

    [GeneratedRegex(@"(Anonymous|Untrusted|Trusted|Verified) TLS connection established to \S+ (TLSv[0-9.]+)")]
    private static partial Regex Established { get; }
}
