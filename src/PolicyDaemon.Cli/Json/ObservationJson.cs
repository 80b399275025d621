using PolicyDaemon.Administration;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Store.Probing;

namespace PolicyDaemon.Cli.Json;

/// <summary>What one probe of one address saw.</summary>
/// <param name="MxHost">The MX host that the address belongs to.</param>
/// <param name="Address">IPv4 or IPv6.</param>
/// <param name="Port">The port.</param>
/// <param name="Sni">The name that was sent (SNI); null for none.</param>
/// <param name="At">When the probe ended.</param>
/// <param name="Outcome">How it ended; <c>secured</c> where a certificate was seen.</param>
/// <param name="ResultType">The outcome's result type in RFC 8460; null where it has none.</param>
/// <param name="Stage">The stage that was reached, or failed.</param>
/// <param name="ReplyCode">Of an SMTP refusal.</param>
/// <param name="Detail">The server's words or the system's.</param>
/// <param name="Stages">How long each stage took; empty where that is not kept.</param>
/// <param name="Certificates">At most one of each key algorithm; the first is what an ordinary client gets.</param>
/// <param name="Absent">Key algorithms of which the server has no certificate; empty where that is not kept.</param>
/// <param name="Transcript">The dialogue, one line each with <c>S:</c> or <c>C:</c>; empty where it is not kept.</param>
internal sealed record ObservationJson(
    string MxHost, string Address, int Port, string? Sni, DateTimeOffset At, string Outcome, string? ResultType, string Stage, int? ReplyCode,
    string? Detail, IReadOnlyList<StageJson> Stages, IReadOnlyList<CertificateJson> Certificates, IReadOnlyList<string> Absent,
    IReadOnlyList<string> Transcript)
{
    /// <param name="dane">What the TLSA records say of the certificate of an algorithm.</param>
    internal static ObservationJson From(string mxHost, Observation observation, Func<KeyAlgorithm, DaneVerdict> dane, CertificateFrame frame) => new(
        mxHost, observation.Target.Address.ToString(), observation.Target.Port, observation.Target.ServerName, observation.At,
        observation.Outcome.Name(), observation.Outcome.ResultType(), observation.Stage.Name(), observation.ReplyCode, observation.Detail,
        StageJson.From(observation.Timings),
        [
            .. observation.Certificates.Select(presented => CertificateJson.From(presented.Certificate, mxHost, frame) with
            {
                Chain = presented.Chain.Name(),
                ChainDetail = presented.ChainDetail,
                TlsVersion = presented.TlsVersion,
                Cipher = presented.Cipher,
                Dane = dane(presented.Certificate.Algorithm).Name(),
                Intermediates = [.. presented.SentBehind.Select(sent => IntermediateJson.From(sent, frame.Digest))],
            }),
        ],
        [.. observation.Absent.Select(algorithm => algorithm.Name())], observation.Transcript);

    /// <param name="known">Certificates that are remembered: the store keeps of an older observation only their fingerprints.</param>
    internal static ObservationJson From(StoredObservation observation, IReadOnlyDictionary<string, ServerCertificate> known, CertificateFrame frame) => new(
        observation.MxHost, observation.Target.Address.ToString(), observation.Target.Port, observation.Target.ServerName, observation.At,
        observation.Outcome.Name(), observation.Outcome.ResultType(), observation.Stage.Name(), observation.ReplyCode, observation.Detail,
        StageJson.From(observation.Timings),
        [
            .. observation.Certificates.Select(stored => (known.TryGetValue(stored.CertificateFingerprint, out var certificate)
                ? CertificateJson.From(certificate, observation.MxHost, frame)
                : CertificateJson.Unknown(stored.Algorithm, stored.CertificateFingerprint)) with
            {
                Chain = stored.Chain,
                ChainDetail = stored.ChainDetail,
                TlsVersion = stored.TlsVersion,
                Cipher = stored.Cipher,
            }),
        ],
        [], observation.Transcript);
}

/// <summary>How long a stage took.</summary>
/// <param name="Stage"><c>connect</c>, <c>greeting</c>, <c>ehlo</c>, <c>starttls</c>, <c>handshake</c>, <c>secure-ehlo</c> or <c>quit</c>.</param>
/// <param name="Milliseconds">Rounded.</param>
internal sealed record StageJson(string Stage, long Milliseconds)
{
    internal static IReadOnlyList<StageJson> From(IEnumerable<StageTiming> timings) =>
        [.. timings.Select(timing => new StageJson(timing.Stage.Name(), (long)Math.Round(timing.Elapsed.TotalMilliseconds)))];
}

/// <summary>The digest, the pins and the time with which certificates are shown.</summary>
/// <param name="Digest">The digest of every fingerprint: the one that Postfix compares.</param>
/// <param name="Pins">The served pins; null where none are compared.</param>
/// <param name="Now">Days are counted from here.</param>
internal readonly record struct CertificateFrame(DigestAlgorithm Digest, IReadOnlyList<Pin>? Pins, DateTimeOffset Now);

/// <summary>A certificate that an address presented. What is not known of it is null.</summary>
internal sealed record CertificateJson
{
    private const int MaxNames = 100;
    private const int MaxText = 300;

    /// <summary>X.500 name, cut.</summary>
    public string? Subject { get; init; }

    /// <summary>X.500 name, cut.</summary>
    public string? Issuer { get; init; }

    /// <summary>The host names that it is for; the first hundred.</summary>
    public IReadOnlyList<string> Names { get; init; } = [];

    /// <summary>How many there are.</summary>
    public int? NameCount { get; init; }

    /// <summary>Valid from.</summary>
    public DateTimeOffset? NotBefore { get; init; }

    /// <summary>Valid until.</summary>
    public DateTimeOffset? NotAfter { get; init; }

    /// <summary>Whole days; negative where it has expired.</summary>
    public int? DaysLeft { get; init; }

    /// <summary>The algorithm that it is signed with.</summary>
    public string? SignatureAlgorithm { get; init; }

    /// <summary><c>rsa</c>, <c>ecdsa</c>, <c>eddsa</c> or <c>other</c>.</summary>
    public required string Algorithm { get; init; }

    /// <summary>Bits of the public key.</summary>
    public int? KeyBits { get; init; }

    /// <summary>The fingerprint of the public key.</summary>
    public string? PublicKeyFingerprint { get; init; }

    /// <summary>The fingerprint of the whole certificate; in SHA-256 where no other is known.</summary>
    public required string CertificateFingerprint { get; init; }

    /// <summary>True where the certificate is for the MX host's name.</summary>
    public bool? CoversMx { get; init; }

    /// <summary><c>trusted</c>, <c>expired</c> or <c>not-trusted</c>.</summary>
    public string? Chain { get; init; }

    /// <summary>Why the chain is not trusted.</summary>
    public string? ChainDetail { get; init; }

    /// <summary>The certificates that the server sent behind its own, in no promised order; empty where they are not kept.</summary>
    public IReadOnlyList<IntermediateJson> Intermediates { get; init; } = [];

    /// <summary>The verdict of the TLSA records: <c>none</c>, <c>match</c>, <c>mismatch</c>, <c>unusable</c>, <c>unknown</c> or <c>unjudged</c>.</summary>
    public string? Dane { get; init; }

    /// <summary>The protocol's version.</summary>
    public string? TlsVersion { get; init; }

    /// <summary>The cipher suite.</summary>
    public string? Cipher { get; init; }

    /// <summary>Whether a served pin is of it; null where none are compared.</summary>
    public bool? Pinned { get; init; }

    /// <summary>The first of the unbroken run of stored probes that saw it.</summary>
    public DateTimeOffset? FirstSeen { get; init; }

    /// <summary>The last.</summary>
    public DateTimeOffset? LastSeen { get; init; }

    /// <summary>How many.</summary>
    public int? Probes { get; init; }

    /// <summary>Since when each of them found a chain that the WebPKI trusts; null where the last did not.</summary>
    public DateTimeOffset? TrustedSince { get; init; }

    internal static CertificateJson From(ServerCertificate certificate, string mxHost, CertificateFrame frame) => new()
    {
        Subject = Phrases.Cut(certificate.Subject, MaxText),
        Issuer = Phrases.Cut(certificate.Issuer, MaxText),
        Names = [.. certificate.Names.Take(MaxNames).Select(name => Phrases.Cut(name, MaxText))],
        NameCount = certificate.Names.Length,
        NotBefore = certificate.NotBefore,
        NotAfter = certificate.NotAfter,
        DaysLeft = Phrases.DaysUntil(certificate.NotAfter, frame.Now),
        SignatureAlgorithm = certificate.SignatureAlgorithm.Length > 0 ? certificate.SignatureAlgorithm : null,
        Algorithm = certificate.Algorithm.Name(),
        KeyBits = certificate.KeyBits > 0 ? certificate.KeyBits : null,
        PublicKeyFingerprint = certificate.Digest(PinSubject.PublicKey, frame.Digest).Hex,
        CertificateFingerprint = certificate.Digest(PinSubject.Certificate, frame.Digest).Hex,
        CoversMx = certificate.Covers(mxHost),
        Pinned = frame.Pins?.Any(pin => certificate.Matches(pin.Fingerprint)),
    };

    internal static CertificateJson From(CertificateRun run, string mxHost, CertificateFrame frame) => From(run.Certificate!, mxHost, frame) with
    {
        FirstSeen = run.First,
        LastSeen = run.Last,
        Probes = run.Probes,
        TrustedSince = run.TrustedSince,
    };

    internal static CertificateJson Unknown(string algorithm, string fingerprint) => new() { Algorithm = algorithm, CertificateFingerprint = fingerprint };
}

/// <summary>A certificate that a server sent behind its own: of an authority, whose key <c>2 1 1</c> records and trust anchor files name.</summary>
/// <param name="Subject">X.500 name, cut.</param>
/// <param name="Issuer">X.500 name, cut.</param>
/// <param name="NotAfter">Valid until.</param>
/// <param name="SignatureAlgorithm">The algorithm that it is signed with.</param>
/// <param name="Algorithm"><c>rsa</c>, <c>ecdsa</c>, <c>eddsa</c> or <c>other</c>.</param>
/// <param name="KeyBits">Bits of the public key.</param>
/// <param name="PublicKeyFingerprint">Of the public key.</param>
/// <param name="CertificateFingerprint">Of the whole certificate.</param>
internal sealed record IntermediateJson(
    string Subject, string Issuer, DateTimeOffset NotAfter, string SignatureAlgorithm, string Algorithm, int? KeyBits, string PublicKeyFingerprint,
    string CertificateFingerprint)
{
    private const int MaxText = 300;

    internal static IntermediateJson From(ServerCertificate certificate, DigestAlgorithm digest) => new(
        Phrases.Cut(certificate.Subject, MaxText), Phrases.Cut(certificate.Issuer, MaxText), certificate.NotAfter, certificate.SignatureAlgorithm,
        certificate.Algorithm.Name(), certificate.KeyBits > 0 ? certificate.KeyBits : null,
        certificate.Digest(PinSubject.PublicKey, digest).Hex, certificate.Digest(PinSubject.Certificate, digest).Hex);
}
