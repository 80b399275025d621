using System.Collections.Immutable;
using System.Net.Security;
using System.Security.Cryptography.X509Certificates;
using PolicyDaemon.Core.Observations;

namespace PolicyDaemon.Probe.Smtp;

/// <summary>The WebPKI's verdict over the chain in a file, by the rules by which the chain of a handshake is judged.</summary>
public static class FileChain
{
    /// <summary>Why partners that verify would refuse the chain, dates and names apart.</summary>
    /// <param name="certificates">The certificates of the file, the server's own first.</param>
    /// <param name="options">The roots that are trusted.</param>
    /// <param name="time">When it is judged.</param>
    /// <returns>Null where it is trusted.</returns>
    public static string? WhyUntrusted(ImmutableArray<ServerCertificate> certificates, ProbeOptions options, TimeProvider time)
    {
        var capture = new CertificateCapture(options, time);
        var loaded = certificates.Select(certificate => X509CertificateLoader.LoadCertificate(certificate.Der.AsSpan())).ToList();
        try
        {
            using var chain = new X509Chain { ChainPolicy = capture.Policy() };
            foreach (var issuer in loaded.Skip(1))
                chain.ChainPolicy.ExtraStore.Add(issuer);
            chain.Build(loaded[0]);
            capture.Accept(chain, loaded[0], chain, SslPolicyErrors.None);
        }
        finally
        {
            loaded.ForEach(certificate => certificate.Dispose());
        }

        return capture.Verdict == ChainVerdict.NotTrusted ? capture.Detail ?? "no detail" : null;
    }
}
