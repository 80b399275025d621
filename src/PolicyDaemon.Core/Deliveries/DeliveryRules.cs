using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Policies;

namespace PolicyDaemon.Core.Deliveries;

/// <summary>What Postfix does with a mail at an address, given what a probe saw there: pure.</summary>
/// <remarks>
/// <code>
/// the level in force     dane and dane-only come to what the TLSA records of the host leave of them    smtp_tls_policy.c, dane_init
/// the dialogue           greeting, EHLO or HELO, STARTTLS; a 5xx there returns the mail                smtp_proto.c, smtp_helo
/// the handshake          OpenSSL's security level 1 where the level authenticates, otherwise 0         tls_client.c
/// the certificate        pins, names, chain, TLSA                                                      tls_client.c, tls_dane.c
/// EHLO over TLS          again a 5xx returns the mail                                                  smtp_proto.c, smtp_helo
/// </code>
/// At may, Postfix sends in plain text where STARTTLS is missing or refused; after a TLS that failed it goes on to the next address, and
/// does without TLS only in a later attempt (PLAINTEXT_FALLBACK_OK_AFTER_STARTTLS_FAILURE, minimal_backoff_time).
/// </remarks>
public sealed class DeliveryRules(DeliveryPolicy policy, PostfixSettings postfix)
{
    private readonly DeliveryPolicy policy = OfPostfix(policy, postfix);

    private const int StrongEnough = 1024; // bits of an RSA key at OpenSSL's security level 1, which is 80 bits

    /// <summary>The Postfix that sends the mail.</summary>
    public PostfixSettings Postfix => postfix;

    /// <summary>What becomes of a mail at this address.</summary>
    public AddressDelivery At(AddressState address)
    {
        ArgumentNullException.ThrowIfNull(address);
        if (address.History.LastAttempt is null || address.History.LastOutcome == ProbeOutcome.AddressNotAllowed)
            return new AddressDelivery(AddressResult.Unknown, address.History.LastAttempt is null ? null : ProbeOutcome.AddressNotAllowed);
        var (level, refusal) = LevelAt(address);
        if (refusal is not null)
            return new AddressDelivery(AddressResult.Skipped, refusal);
        if (level is { } known)
            return At(address, known);
        // TLSA records decide, and nobody says whether there are secure ones: known is only what happens with them and without.
        var without = At(address, policy.Level == TlsLevel.Dane ? TlsLevel.May : TlsLevel.Encrypt);
        return without.IsSent ? new AddressDelivery(AddressResult.Unknown, ProbeOutcome.DaneRequired) : without;
    }

    /// <summary>The level that is left of dane and dane-only at a host; or why Postfix does not even connect; neither where nobody knows.</summary>
    private (TlsLevel? Level, ProbeOutcome? Refusal) LevelAt(AddressState address)
    {
        if (policy.Level is not (TlsLevel.Dane or TlsLevel.DaneOnly))
            return (policy.Level, null);
        var isOnly = policy.Level == TlsLevel.DaneOnly;
        var isMxInsecure = address.MxDnssec is DnssecStatus.Insecure or DnssecStatus.Bogus;
        if (isMxInsecure && (isOnly || postfix.DaneInsecureMxPolicy is TlsLevel.None or TlsLevel.May))
            return isOnly ? (null, ProbeOutcome.DaneRequired) : (TlsLevel.May, null);
        switch (address.Tlsa)
        {
            case TlsaState.Failed:
                return (null, ProbeOutcome.DnsFailure);
            case TlsaState.None:
                return isOnly ? (null, ProbeOutcome.DaneRequired) : (TlsLevel.May, null);
            case TlsaState.Unusable:
                return isOnly ? (null, ProbeOutcome.TlsaInvalid) : (TlsLevel.Encrypt, null);
            // Without a trusted resolver none are known, and Postfix's own resolver may know some.
            case TlsaState.NoneKnown when !isOnly:
                return (TlsLevel.May, null);
            case TlsaState.NoneKnown or TlsaState.Unjudged:
                return (null, null);
        }

        if (address.MxDnssec == DnssecStatus.Unknown)
            return (null, null);
        return isMxInsecure && postfix.DaneInsecureMxPolicy == TlsLevel.Encrypt ? (TlsLevel.Encrypt, null) : (TlsLevel.DaneOnly, null);
    }

    private AddressDelivery At(AddressState address, TlsLevel level)
    {
        // Text in the clear behind STARTTLS is an alarm; Postfix throws it away, and the dialogue goes on.
        var outcome = address.History is { LastOutcome: ProbeOutcome.PlaintextInjected, LastDialogue.BehindInjection: { } met } ? met : address.History.LastOutcome;
        switch (outcome)
        {
            case ProbeOutcome.EhloRefused:
                return new AddressDelivery(AddressResult.Returned, outcome);
            case ProbeOutcome.ReplyTooLong:
                return new AddressDelivery(AddressResult.Unknown, outcome);
            case ProbeOutcome.StartTlsNotSupported:
                return MayBePlain(level) ? new AddressDelivery(AddressResult.SentInPlainText) : new AddressDelivery(AddressResult.Skipped, outcome);
            case ProbeOutcome.StartTlsRefused:
                return MayBePlain(level) ? new AddressDelivery(AddressResult.SentInPlainText)
                    : new AddressDelivery(IsForGood(address.History.LastDialogue?.ReplyCode) ? AddressResult.Returned : AddressResult.Skipped, outcome);
            case ProbeOutcome.Secured or ProbeOutcome.TlsTooOld or ProbeOutcome.TlsAnonymous or ProbeOutcome.PlaintextInjected:
                break;
            // Nobody says STARTTLS at this level.
            case ProbeOutcome.ConnectionLost when level == TlsLevel.None && address.History.LastDialogue?.Stage == ProbeStage.StartTls:
                return new AddressDelivery(AddressResult.SentInPlainText);
            // It said no before it closed, and at a level that requires TLS Postfix goes by that.
            case ProbeOutcome.ConnectionLost when !MayBePlain(level) && address.History.LastDialogue is { Stage: ProbeStage.StartTls, ReplyCode: var code } && IsForGood(code):
                return new AddressDelivery(AddressResult.Returned, ProbeOutcome.StartTlsRefused);
            default:
                var isHandshake = outcome == ProbeOutcome.HandshakeFailed || address.History.LastDialogue?.Stage == ProbeStage.Handshake;
                return isHandshake ? WithoutTls(level, outcome) : new AddressDelivery(AddressResult.Skipped, outcome);
        }

        if (level == TlsLevel.None)
            return new AddressDelivery(AddressResult.SentInPlainText);
        if (OfVersion(address, outcome, level) is { } delivery)
            return delivery;
        var authenticates = level is not (TlsLevel.May or TlsLevel.Encrypt);
        if (authenticates && outcome is ProbeOutcome.TlsTooOld or ProbeOutcome.TlsAnonymous)
            return new AddressDelivery(AddressResult.Skipped, outcome);
        ProbeOutcome? other = null;
        if (authenticates)
        {
            var runs = Presented(address);
            if (runs.Count == 0)
                return new AddressDelivery(AddressResult.Unknown, outcome);
            if (Refusal(address, runs[0], level) is { } refusal)
                return new AddressDelivery(AddressResult.Skipped, refusal);
            // Whether the authorities of tafile vouch for the certificate is not known here.
            if (policy.HasOwnAuthorities && level.MatchesNames())
                return new AddressDelivery(AddressResult.Unknown, ProbeOutcome.CertificateNotTrusted);
            other = runs.Skip(1).Select(run => Refusal(address, run, level)).FirstOrDefault(refused => refused is not null);
        }

        return AfterHandshake(address, level) with { OtherCertificate = other };
    }

    /// <summary>What is left to main.cf is its level; what is left to discovery is not known to probes, and certain is nothing of it.</summary>
    private static DeliveryPolicy OfPostfix(DeliveryPolicy policy, PostfixSettings postfix) => policy.Level switch
    {
        TlsLevel.Default => policy with { Level = postfix.SecurityLevel },
        TlsLevel.AsDiscovered => policy with { Level = TlsLevel.May },
        _ => policy,
    };

    // Postfix 3.7 and 3.10 give 3xx the status 5.5.0, as they give 5xx one of class 5.
    private static bool IsForGood(int? replyCode) => replyCode is >= 300 and not (>= 400 and < 500);

    private static bool MayBePlain(TlsLevel level) => level is TlsLevel.None or TlsLevel.May;

    /// <summary>TLS failed at this address.</summary>
    private static AddressDelivery WithoutTls(TlsLevel level, ProbeOutcome outcome) => level switch
    {
        TlsLevel.None => new AddressDelivery(AddressResult.SentInPlainText),
        TlsLevel.May => new AddressDelivery(AddressResult.Skipped, outcome) { Later = AddressResult.SentInPlainText },
        _ => new AddressDelivery(AddressResult.Skipped, outcome),
    };

    private static AddressDelivery AfterHandshake(AddressState address, TlsLevel level) => address.History.LastDialogue?.AfterHandshake switch
    {
        null or ProbeOutcome.Secured => new AddressDelivery(AddressResult.SentOverTls),
        ProbeOutcome.EhloRefused => new AddressDelivery(AddressResult.Returned, ProbeOutcome.EhloRefused),
        ProbeOutcome.GreetingTemporary => new AddressDelivery(AddressResult.Skipped, ProbeOutcome.GreetingTemporary),
        // PLAINTEXT_FALLBACK_OK_AFTER_TLS_SESSION_FAILURE
        { } lost => WithoutTls(level, lost),
    };

    /// <summary>What becomes of the mail where the version of TLS is not one that the policy or main.cf allows; null where it is.</summary>
    private AddressDelivery? OfVersion(AddressState address, ProbeOutcome outcome, TlsLevel level)
    {
        var protocols = policy.Protocols ?? (level == TlsLevel.May ? postfix.Protocols : postfix.MandatoryProtocols);
        if (!TlsProtocols.TryRange(protocols, out var lowest, out var highest))
            return null;
        // A server without a certificate speaks no TLS 1.3; one that is too old to authenticate, no 1.2.
        int? version = address.History.LastDialogue?.TlsVersion is { } name && TlsProtocols.TryNumber(name, out var number) ? number
            : outcome switch { ProbeOutcome.TlsTooOld => TlsProtocols.Tls12 - 1, ProbeOutcome.TlsAnonymous => TlsProtocols.Tls12, _ => null };
        if (version < lowest)
            return WithoutTls(level, ProbeOutcome.TlsTooOld);
        if (version > highest && highest == TlsProtocols.Tls12 && address.History.LastDialogue?.SpeaksTls12 is { } speaks)
            return speaks ? null : WithoutTls(level, ProbeOutcome.HandshakeFailed);
        // The highest that both speak was negotiated: of lower ones nothing is known.
        return version > highest
            ? new AddressDelivery(AddressResult.Unknown, ProbeOutcome.HandshakeFailed)
            {
                Because = $"it spoke {TlsProtocols.Name(version.Value)}, and whether it speaks {TlsProtocols.Name(highest)}, the highest version allowed, is not known",
            }
            : null;
    }

    /// <summary>The certificates of the last handshake, the one that Postfix negotiates first.</summary>
    /// <remarks>Where that is not known, it is taken to be ECDSA: OpenSSL, and so Postfix, prefers it where a server leaves the choice.</remarks>
    private static List<CertificateRun> Presented(AddressState address)
    {
        var history = address.History;
        var negotiated = history.LastDialogue?.Negotiated;
        var runs = history.Algorithms.Select(algorithm => history.Latest(algorithm)!).Where(run => run.Certificate is not null).ToList();
        // Nothing is concluded from a handshake behind injected text; to mail it is one all the same. What was there before is the best guess.
        var last = history.LastOutcome == ProbeOutcome.PlaintextInjected && runs.Count > 0 ? runs.Max(run => run.Last) : history.LastAttempt;
        return [.. runs.Where(run => run.Last == last).OrderBy(run => run.Algorithm == negotiated ? 0 : run.Algorithm == KeyAlgorithm.Rsa ? 2 : 1)];
    }

    private ProbeOutcome? Refusal(AddressState address, CertificateRun run, TlsLevel level)
    {
        var certificate = run.Certificate!;
        // The first thing that OpenSSL looks at, whoever vouches for the certificate (X509_verify_cert).
        if (certificate is { Algorithm: KeyAlgorithm.Rsa, KeyBits: > 0 and < StrongEnough })
            return ProbeOutcome.CertificateTooWeak;
        switch (level)
        {
            case TlsLevel.Fingerprint:
                return policy.IsPinned(certificate) ? null : ProbeOutcome.PinMismatch;
            case TlsLevel.Verify or TlsLevel.Secure:
                if (run.TrustedSince is null && certificate.NotAfter < run.Last)
                    return ProbeOutcome.CertificateExpired;
                if (run.TrustedSince is null && !policy.HasOwnAuthorities)
                    return ProbeOutcome.CertificateNotTrusted;
                return Names(address.MxHost).Accept(certificate) ? null : ProbeOutcome.CertificateHostMismatch;
            default:
                return address.DaneOf(run.Algorithm) == DaneVerdict.Match ? null : ProbeOutcome.TlsaMismatch;
        }
    }

    private PeerNames Names(string mxHost)
    {
        var wanted = policy.Match.Count > 0 ? policy.Match : DefaultMatch.Of(policy.Level);
        return new PeerNames(wanted.Select(name => DefaultMatch.Resolve(name, policy.NextHop, mxHost)));
    }
}
