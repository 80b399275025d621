using PolicyDaemon.Administration;
using PolicyDaemon.Administration.Forecast;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Probe.Destinations;

namespace PolicyDaemon.Cli.Output.Json;

/// <summary>An MX host.</summary>
/// <param name="Name">Its name, or an address.</param>
/// <param name="Preference">Of the MX record.</param>
/// <param name="CanonicalName">Where the name is an alias; otherwise null.</param>
/// <param name="AddressOutcome"><c>found</c>, <c>no-address</c>, <c>dns-failure</c> or <c>bogus</c>.</param>
/// <param name="AddressDnssec">Of the address records.</param>
/// <param name="TlsaBase">Where its TLSA records were sought; null where they were not.</param>
/// <param name="TlsaDnssec">Of the TLSA records or their absence.</param>
/// <param name="TlsaFailed">True where that lookup failed.</param>
/// <param name="Tlsa">The records in presentation form.</param>
/// <param name="Addresses">What each address showed.</param>
internal sealed record MxJson(
    string Name, int Preference, string? CanonicalName, string AddressOutcome, string AddressDnssec, string? TlsaBase, string TlsaDnssec,
    bool TlsaFailed, IReadOnlyList<TlsaJson> Tlsa, IReadOnlyList<SeenAddressJson> Addresses)
{
    internal static MxJson From(CheckResult result, MxHost host) => new(
        host.Name, host.Preference, host.CanonicalName, host.AddressOutcome.Name(), host.AddressDnssec.Name(), host.TlsaBase,
        host.TlsaDnssec.Name(), host.TlsaFailed, [.. host.Tlsa.Select(record => new TlsaJson(record.ToString(), record.IsUsable))],
        [.. result.Probed.Addresses.Where(address => address.Host.Name == host.Name).Select(address => SeenAddressJson.From(result, address))]);
}

/// <summary>A TLSA record.</summary>
/// <param name="Record">Usage, selector, matching type and data.</param>
/// <param name="Usable">Whether SMTP can use it.</param>
internal sealed record TlsaJson(string Record, bool Usable);

/// <summary>What an address showed.</summary>
/// <param name="Address">IPv4 or IPv6.</param>
/// <param name="Port">The port.</param>
/// <param name="Sni">The name that was sent; null for none.</param>
/// <param name="Outcome">How the dialogue ended; <c>secured</c> where a certificate was seen.</param>
/// <param name="ResultType">The outcome's result type in RFC 8460; null where it has none.</param>
/// <param name="Stage">The stage that was reached, or failed.</param>
/// <param name="Detail">The server's words or the system's.</param>
/// <param name="ReplyCode">Of an SMTP refusal.</param>
/// <param name="Stages">How long each stage took.</param>
/// <param name="Certificates">At most one of each key algorithm; the first is what an ordinary client gets.</param>
/// <param name="Absent">Key algorithms of which it has no certificate.</param>
/// <param name="CertificateWithSni">The certificate shown when the MX host's name is sent, where that was tried; otherwise null.</param>
/// <param name="Transcript">The dialogue, one line each with <c>S:</c> or <c>C:</c>.</param>
internal sealed record SeenAddressJson(
    string Address, int Port, string? Sni, string Outcome, string? ResultType, string Stage, string? Detail, int? ReplyCode,
    IReadOnlyList<StageJson> Stages, IReadOnlyList<SeenCertificateJson> Certificates, IReadOnlyList<string> Absent,
    SeenCertificateJson? CertificateWithSni, IReadOnlyList<string> Transcript)
{
    internal static SeenAddressJson From(CheckResult result, ProbedAddress address)
    {
        var seen = address.Seen;
        return new SeenAddressJson(
            seen.Target.Address.ToString(), seen.Target.Port, seen.Target.ServerName, seen.Outcome.Name(), seen.Outcome.ResultType(),
            seen.Stage.Name(), seen.Detail, seen.ReplyCode,
            [.. seen.Timings.Select(timing => new StageJson(timing.Stage.Name(), (long)Math.Round(timing.Elapsed.TotalMilliseconds)))],
            [.. seen.Certificates.Select(presented => SeenCertificateJson.From(result, address, presented))],
            [.. seen.Absent.Select(algorithm => algorithm.Name())],
            address.Named is { Certificates: [var named, ..] } ? SeenCertificateJson.From(result, address, named) : null,
            seen.Transcript);
    }
}

/// <summary>How long a stage took.</summary>
/// <param name="Stage"><c>connect</c>, <c>greeting</c>, <c>ehlo</c>, <c>starttls</c>, <c>handshake</c>, <c>secure-ehlo</c> or <c>quit</c>.</param>
/// <param name="Milliseconds">Rounded.</param>
internal sealed record StageJson(string Stage, long Milliseconds);

/// <summary>A certificate that was seen.</summary>
/// <param name="Subject">X.500 name, cut.</param>
/// <param name="Names">The host names that it is for; the first hundred.</param>
/// <param name="NameCount">How many there are.</param>
/// <param name="Issuer">X.500 name, cut.</param>
/// <param name="NotBefore">Valid from.</param>
/// <param name="NotAfter">Valid until.</param>
/// <param name="DaysLeft">Whole days; negative where it has expired.</param>
/// <param name="Algorithm"><c>rsa</c>, <c>ecdsa</c>, <c>eddsa</c> or <c>other</c>.</param>
/// <param name="KeyBits">0 where it cannot be told.</param>
/// <param name="PublicKeyFingerprint">Of the public key.</param>
/// <param name="CertificateFingerprint">Of the whole certificate.</param>
/// <param name="Tls">The protocol's version.</param>
/// <param name="Cipher">The cipher suite.</param>
/// <param name="Chain"><c>trusted</c>, <c>expired</c> or <c>not-trusted</c>.</param>
/// <param name="ChainDetail">Why it is not trusted.</param>
/// <param name="CoversMx">Whether it is for the MX host's name.</param>
/// <param name="Dane"><c>none</c>, <c>match</c>, <c>mismatch</c>, <c>unusable</c> or <c>unknown</c>.</param>
/// <param name="PinMatch">Whether an expected pin is of it; null where none is compared.</param>
internal sealed record SeenCertificateJson(
    string Subject, IReadOnlyList<string> Names, int NameCount, string Issuer, DateTimeOffset NotBefore, DateTimeOffset NotAfter, int DaysLeft,
    string Algorithm, int KeyBits, string PublicKeyFingerprint, string CertificateFingerprint, string Tls, string Cipher, string Chain,
    string? ChainDetail, bool CoversMx, string Dane, bool? PinMatch)
{
    private const int MaxNames = 100;
    private const int MaxText = 300;

    internal static SeenCertificateJson From(CheckResult result, ProbedAddress address, PresentedCertificate presented)
    {
        var certificate = presented.Certificate;
        return new SeenCertificateJson(
            Phrases.Cut(certificate.Subject, MaxText),
            [.. certificate.Names.Take(MaxNames).Select(name => Phrases.Cut(name, MaxText))],
            certificate.Names.Length,
            Phrases.Cut(certificate.Issuer, MaxText),
            certificate.NotBefore,
            certificate.NotAfter,
            (int)Math.Floor((certificate.NotAfter - result.At).TotalDays),
            certificate.Algorithm.Name(),
            certificate.KeyBits,
            certificate.Digest(PinSubject.PublicKey, result.Digest).Hex,
            certificate.Digest(PinSubject.Certificate, result.Digest).Hex,
            presented.TlsVersion,
            presented.Cipher,
            presented.Chain.Name(),
            presented.ChainDetail,
            certificate.Covers(address.Host.Name),
            address.Watched.DaneOf(certificate.Algorithm).Name(),
            result.Entry is { Policy.Level: TlsLevel.Fingerprint } ? result.Expected.Any(pin => certificate.Matches(pin.Fingerprint)) : null);
    }
}
