using System.Text;
using PolicyDaemon.Core.Pins;

namespace PolicyDaemon.Core.Policies;

/// <summary>What an answer depends on beside the entry: the <c>[postfix]</c> section of the configuration.</summary>
/// <param name="FingerprintDigest">Must equal Postfix's smtp_tls_fingerprint_digest; an answer cannot name it.</param>
/// <param name="Version">The oldest Postfix served.</param>
/// <param name="NearMiss">How a near miss is answered.</param>
public sealed record PostfixSettings(DigestAlgorithm FingerprintDigest, PostfixVersion Version, NearMissAnswer NearMiss)
{
    public static readonly PostfixSettings Default =
        new(DigestAlgorithm.Sha256, PostfixVersion.Oldest, NearMissAnswer.NotFound);
}

/// <summary>How a near miss is answered (<c>postfix.near_miss</c>): a key without an entry whose bare host has one under other brackets or another port.</summary>
public enum NearMissAnswer
{
    NotFound,
    Temporary,
}

/// <summary>The answer to a near miss, for the lookup path and for <c>explain</c>.</summary>
public static class NearMissAnswers
{
    private const string Reason = "this host is configured in another form, with or without brackets or port (near_miss = temp)";
    private static readonly byte[] Octets = Encoding.ASCII.GetBytes(Reason);

    /// <summary>The text of the answer <see cref="NearMissAnswer.Temporary"/> in octets; that of the other one is empty.</summary>
    public static ReadOnlySpan<byte> TemporaryText => Octets;

    public static LookupAnswer Answer(this NearMissAnswer answer) =>
        answer == NearMissAnswer.Temporary ? LookupAnswer.Temporary(Reason) : LookupAnswer.NotFound;
}
