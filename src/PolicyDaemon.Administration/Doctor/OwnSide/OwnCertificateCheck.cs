using System.Globalization;
using PolicyDaemon.Administration.Postfix;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Runtime;

namespace PolicyDaemon.Administration.Doctor.OwnSide;

/// <summary>Whether the certificates of main.cf can be read, fit their keys and last: the server's, and a client's where one is set.</summary>
public static class OwnCertificateCheck
{
    /// <summary>From here on a person should renew a certificate by hand, if nothing does it by itself.</summary>
    public const int WarnedDays = 30;

    /// <summary>From here on it is an incident: what renews it has failed for weeks.</summary>
    public const int LastDays = 7;

    private const UnixFileMode Others = UnixFileMode.OtherRead | UnixFileMode.OtherWrite;

    /// <param name="check">The word of the check, such as <c>server</c>.</param>
    /// <param name="identities">What main.cf names.</param>
    /// <param name="postfix">The configuration, for remedies.</param>
    /// <param name="now">The time.</param>
    public static IEnumerable<DoctorFinding> Judge(string check, IReadOnlyList<OwnIdentity> identities, PostfixConfiguration postfix, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(identities);
        ArgumentNullException.ThrowIfNull(postfix);
        foreach (var identity in identities)
        {
            if ((OfCertificateFile(check, identity) ?? OfKeyFile(check, identity, postfix) ?? OfPair(check, identity, postfix)) is { } broken)
            {
                yield return broken;
                continue;
            }

            yield return OfEnd(check, identity, postfix, now);
            if (identity.Key.Facts is { } facts && (facts.Mode & Others) != 0)
            {
                yield return DoctorFinding.Warning(
                    check, $"every user of this machine may {(facts.Mode.HasFlag(UnixFileMode.OtherWrite) ? "change" : "read")} the private key {identity.Key.Path}: whoever has it can be us",
                    $"chmod o= {Shell.Quote(identity.Key.Path)}");
            }
        }
    }

    /// <summary>How long a certificate lasts, in words.</summary>
    public static string Lasts(ServerCertificate certificate, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(certificate);
        if (now < certificate.NotBefore)
            return $"is not valid before {UtcTime.Text(certificate.NotBefore)}";
        var days = Phrases.DaysUntil(certificate.NotAfter, now);
        return now > certificate.NotAfter ? $"ended {UtcTime.Text(certificate.NotAfter)}"
            : string.Create(CultureInfo.InvariantCulture, $"ends {UtcTime.Text(certificate.NotAfter)}, in {Phrases.Count(days, "day")}");
    }

    /// <summary>How grave the end of a certificate is.</summary>
    public static DoctorSeverity EndOf(ServerCertificate certificate, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(certificate);
        return now < certificate.NotBefore ? DoctorSeverity.Problem : Phrases.DaysUntil(certificate.NotAfter, now) switch
        {
            < LastDays => DoctorSeverity.Problem,
            < WarnedDays => DoctorSeverity.Warning,
            _ => DoctorSeverity.Ok,
        };
    }

    private static DoctorFinding? OfCertificateFile(string check, OwnIdentity identity)
    {
        var file = identity.Certificate;
        if (file.IsDenied)
            return DoctorFinding.Unknown(check, $"{identity.Parameter} = {file.Path}: you may not read it; run this as root");
        if (file.Leaf is not null)
            return null;
        return DoctorFinding.Problem(
            check, $"{identity.Parameter} = {file.Path}: {file.Problem ?? "it holds no certificate"}. Postfix cannot use it, and has no TLS on that side", $"ls -l {Shell.Quote(file.Path)}");
    }

    private static DoctorFinding? OfKeyFile(string check, OwnIdentity identity, PostfixConfiguration postfix)
    {
        var (file, name) = (identity.Key, $"{identity.KeyParameter} = {identity.Key.Path}");
        return file switch
        {
            { IsDenied: true } => DoctorFinding.Unknown(check, $"{name}: you may not read it, which is right; run this as root"),
            { PrivateKey.Kind: PemKind.EncryptedKey } => DoctorFinding.Problem(
                check, $"{name}: the private key takes a password, which Postfix cannot type: it has no TLS on that side",
                $"(umask 077 && openssl pkey -in {Shell.Quote(file.Path)} -out {Shell.Quote(file.Path + ".plain")})",
                postfix.SetCommand(identity.KeyParameter, file.Path + ".plain").Text, postfix.ReloadCommand),
            { PrivateKey: null } => DoctorFinding.Problem(
                check, $"{name}: {file.Problem ?? "it holds no private key"}. Postfix cannot use the certificate, and has no TLS on that side",
                identity.FittingKey is { } fitting ? [postfix.SetCommand(identity.KeyParameter, fitting).Text, postfix.ReloadCommand] : [$"ls -l {Shell.Quote(file.Path)}"]),
            _ => null,
        };
    }

    private static DoctorFinding? OfPair(string check, OwnIdentity identity, PostfixConfiguration postfix)
    {
        var (certificate, key) = (identity.Certificate.Path, identity.Key.Path);
        return identity.Fits switch
        {
            null => DoctorFinding.Unknown(
                check, $"whether the key {key} is that of the certificate {certificate} cannot be told here: its algorithm is not known. Both lines must be the same:",
                $"openssl x509 -in {Shell.Quote(certificate)} -noout -pubkey | openssl dgst -sha256", $"openssl pkey -in {Shell.Quote(key)} -pubout | openssl dgst -sha256"),
            false => DoctorFinding.Problem(
                check, $"the key {key} ({identity.KeyParameter}) is not that of the certificate {certificate}: Postfix cannot use them, and has no TLS on that side"
                + (identity.FittingKey is { } found ? $". {found} has the key" : "; the two come from different renewals"),
                identity.FittingKey is { } fitting ? [postfix.SetCommand(identity.KeyParameter, fitting).Text, postfix.ReloadCommand]
                    : [$"openssl x509 -in {Shell.Quote(certificate)} -noout -pubkey | openssl dgst -sha256", $"openssl pkey -in {Shell.Quote(key)} -pubout | openssl dgst -sha256"]),
            true => null,
        };
    }

    private static DoctorFinding OfEnd(string check, OwnIdentity identity, PostfixConfiguration postfix, DateTimeOffset now)
    {
        var leaf = identity.Certificate.Leaf!;
        var text = $"{identity.Certificate.Path} ({Phrases.PublicKey(leaf)}) {Lasts(leaf, now)}";
        var severity = EndOf(leaf, now);
        if (severity == DoctorSeverity.Ok)
        {
            return leaf.Issuer == leaf.Subject
                ? DoctorFinding.Note(check, $"{text}; its key fits. It is issued by itself: partners can pin it or prove it by DANE, and refuse it at secure and verify")
                : DoctorFinding.Ok(check, $"{text}; its key fits");
        }

        var later = identity.LaterCertificate is { } found ? $". {found} is for the same key and ends later" : "; renew it, then let Postfix read it";
        return new DoctorFinding(check, severity, text + (now < leaf.NotBefore ? ": partners that verify refuse it" : later), [.. Renewal(identity, postfix)]);
    }

    private static IEnumerable<string> Renewal(OwnIdentity identity, PostfixConfiguration postfix)
    {
        // certbot(1): /etc/letsencrypt/live/NAME/fullchain.pem is the certificate NAME.
        const string Live = "/etc/letsencrypt/live/";
        var path = identity.Certificate.Path;
        if (identity.LaterCertificate is { } later)
            yield return postfix.SetCommand(identity.Parameter, later).Text;
        else if (path.StartsWith(Live, StringComparison.Ordinal) && path[Live.Length..].Split('/') is [{ Length: > 0 } name, _])
            yield return $"certbot renew --cert-name {Shell.Quote(name)}";
        yield return postfix.ReloadCommand;
    }
}
