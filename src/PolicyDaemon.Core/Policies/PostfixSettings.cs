using PolicyDaemon.Core.Pins;

namespace PolicyDaemon.Core.Policies;

/// <summary>What an answer depends on beside the entry: the <c>[postfix]</c> section of the configuration.</summary>
/// <param name="FingerprintDigest">Must equal Postfix's smtp_tls_fingerprint_digest; an answer cannot name it.</param>
/// <param name="Version">The oldest Postfix served.</param>
/// <param name="NearMiss">What a near miss is answered.</param>
public sealed record PostfixSettings(DigestAlgorithm FingerprintDigest, PostfixVersion Version, NearMissAnswer NearMiss)
{
    public static readonly PostfixSettings Default =
        new(DigestAlgorithm.Sha256, PostfixVersion.Oldest, NearMissAnswer.NotFound);
}
