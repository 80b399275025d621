using System.Collections.Immutable;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Runtime;
using PolicyDaemon.Probe.Certificates;

namespace PolicyDaemon.Probe.Smtp;

/// <summary>Records the certificates of a handshake and the WebPKI's verdict over their chain. Accepts every certificate, since a probe delivers no mail.</summary>
internal sealed class CertificateCapture(ProbeOptions options, TimeProvider time)
{
    private const string ServerAuthentication = "1.3.6.1.5.5.7.3.1"; // id-kp-serverAuth, RFC 5280 section 4.2.1.12
    private const int MaxIntermediates = 20;

    public ServerCertificate? Certificate { get; private set; }

    public ImmutableArray<ImmutableArray<byte>> Intermediates { get; private set; } = [];

    public ChainVerdict Verdict { get; private set; } = ChainVerdict.NotTrusted;

    public string? Detail { get; private set; }

    /// <summary>The chain policy: no intermediate, CRL or OCSP answer is downloaded, because the URLs in a certificate are the peer's choice.</summary>
    public X509ChainPolicy Policy()
    {
        var policy = PolicyWithoutPurpose();
        policy.ApplicationPolicy.Add(new System.Security.Cryptography.Oid(ServerAuthentication));
        return policy;
    }

    private X509ChainPolicy PolicyWithoutPurpose()
    {
        var policy = new X509ChainPolicy
        {
            DisableCertificateDownloads = true,
            RevocationMode = X509RevocationMode.NoCheck,
            VerificationTime = time.GetUtcNow().UtcDateTime,
            VerificationTimeIgnored = false,
        };
        if (options.Roots is { } roots)
        {
            policy.TrustMode = X509ChainTrustMode.CustomRootTrust;
            policy.CustomTrustStore.AddRange(roots);
        }

        return policy;
    }

    public bool Accept(object sender, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors)
    {
        if (certificate is null)
            return true;
        Certificate = ServerCertificate.TryParse(certificate.GetRawCertData());
        if (chain is null)
            return true;
        Intermediates =
        [
            .. chain.ChainPolicy.ExtraStore
                .Where(sent => !sent.RawDataMemory.Span.SequenceEqual(certificate.GetRawCertData()))
                .Take(MaxIntermediates)
                .Select(sent => sent.RawData.ToImmutableArray()),
        ];
        using var withoutPurpose = Problems(chain).HasFlag(X509ChainStatusFlags.NotValidForUsage) ? WithoutPurpose(chain) : null;
        Judge(withoutPurpose ?? chain);
        return true;
    }

    /// <summary>The chain again without .NET's judgement of its purpose, which calls it unfit for policies of issuance, too; <see cref="ChainRules"/> judges the purpose.</summary>
    private X509Chain WithoutPurpose(X509Chain chain)
    {
        var again = new X509Chain { ChainPolicy = PolicyWithoutPurpose() };
        again.ChainPolicy.ExtraStore.AddRange(chain.ChainPolicy.ExtraStore);
        again.Build(chain.ChainElements[0].Certificate);
        return again;
    }

    private static X509ChainStatusFlags Problems(X509Chain chain) =>
        chain.ChainStatus.Aggregate(X509ChainStatusFlags.NoError, (all, status) => all | status.Status);

    private void Judge(X509Chain chain)
    {
        var problems = Problems(chain);
        Verdict = problems switch
        {
            X509ChainStatusFlags.NoError => ChainVerdict.Trusted,
            X509ChainStatusFlags.NotTimeValid => ChainVerdict.Expired,
            _ => ChainVerdict.NotTrusted,
        };
        var root = chain.ChainElements.Count - 1;
        if (Verdict == ChainVerdict.Trusted && (CertificateStrength.Problem(chain, root) ?? ChainRules.Problem(chain, root)) is { } problem)
        {
            Verdict = ChainVerdict.NotTrusted;
            Detail = problem;
            return;
        }

        Detail = Verdict == ChainVerdict.Trusted
            ? null
            : PeerText.Escape(string.Join("; ", chain.ChainStatus.Select(status => status.StatusInformation.Trim()).Distinct()));
    }
}
