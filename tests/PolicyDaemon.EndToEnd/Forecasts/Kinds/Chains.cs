using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace PolicyDaemon.EndToEnd.Forecasts.Kinds;

/// <summary>Who vouches for a certificate, and since when and until when.</summary>
internal static class Chains
{
    private const string Group = "chains";
    private const string ServerPurpose = "1.3.6.1.5.5.7.3.1"; // RFC 5280 section 4.2.1.12, as are the next
    private const string ClientPurpose = "1.3.6.1.5.5.7.3.2";
    private const string MailPurpose = "1.3.6.1.5.5.7.3.4";
    private const string AnyPurpose = "2.5.29.37.0";

    public static void Write(KindBook book)
    {
        var forge = book.Forge;
        ServerKind With(string name, Func<CertificateRecipe, CertificateRecipe> recipe)
        {
            var kind = book.Plain(Group, name);
            return kind.Server(MailServer.With(forge.Issue(recipe(CertificateRecipe.For(kind.Domain, kind.Host)))));
        }

        var (root, intermediate) = (forge.Root, forge.Intermediate);
        With("self-signed", recipe => recipe);
        With("unknown-root", recipe => recipe with { Issuer = forge.UnknownRoot, Sends = [forge.UnknownRoot.Certificate] });
        With("intermediate-sent", recipe => recipe with { Issuer = intermediate });
        With("intermediate-missing", recipe => recipe with { Issuer = intermediate, Sends = [] });
        With("root-sent", recipe => recipe with { Issuer = intermediate, Sends = [intermediate.Certificate, root.Certificate] });
        With("chain-turned", recipe => recipe with { Issuer = intermediate, Sends = [root.Certificate, intermediate.Certificate] });
        With("chain-with-strangers", recipe => recipe with
        {
            Issuer = intermediate,
            Sends = [forge.UnknownRoot.Certificate, forge.RsaRoot.Certificate, intermediate.Certificate, forge.SelfSigned("stranger.test").Leaf],
        });
        var second = forge.MakeIntermediate("Second Intermediate", intermediate);
        With("two-intermediates", recipe => recipe with { Issuer = second, Sends = [second.Certificate, intermediate.Certificate] });
        With("second-intermediate-missing", recipe => recipe with { Issuer = second, Sends = [second.Certificate] });

        With("expired", recipe => recipe with { Issuer = root, To = TimeSpan.FromDays(-1) });
        With("expired-just-now", recipe => recipe with { Issuer = root, To = TimeSpan.FromMinutes(-2) });
        With("expires-tomorrow", recipe => recipe with { Issuer = root, To = TimeSpan.FromDays(1) });
        With("not-yet-valid", recipe => recipe with { Issuer = root, From = TimeSpan.FromDays(1) });
        With("expired-self-signed", recipe => recipe with { To = TimeSpan.FromDays(-1) });
        With("far-future", recipe => recipe with { Issuer = root, To = TimeSpan.FromDays(20_000) });
        var expired = forge.MakeIntermediate("Expired Intermediate", root, to: TimeSpan.FromDays(-1));
        With("expired-intermediate", recipe => recipe with { Issuer = expired });

        var noAuthority = forge.MakeIntermediate("No Authority", root, isAuthority: false);
        With("issuer-is-no-authority", recipe => recipe with { Issuer = noAuthority });
        var shortPath = forge.MakeIntermediate("Short Path", root, pathLength: 0);
        var beyond = forge.MakeIntermediate("Beyond Path", shortPath);
        With("path-too-long", recipe => recipe with { Issuer = beyond, Sends = [beyond.Certificate, shortPath.Certificate] });
        var noSigning = forge.MakeIntermediate("No Signing", root, usage: X509KeyUsageFlags.DigitalSignature);
        With("issuer-may-not-sign", recipe => recipe with { Issuer = noSigning });
        var mailOnly = forge.MakeIntermediate("Mail Only", root, purposes: [MailPurpose]);
        With("issuer-for-mail-only", recipe => recipe with { Issuer = mailOnly });
        var elsewhere = forge.MakeIntermediate("Elsewhere Only", root, extensions: [PermitsOnly("elsewhere.test")]);
        With("name-constraint-broken", recipe => recipe with { Issuer = elsewhere });
        var here = forge.MakeIntermediate("Here Only", root, extensions: [PermitsOnly("plain.test")]);
        With("name-constraint-kept", recipe => recipe with { Issuer = here });

        With("purpose-server", recipe => recipe with { Issuer = root, Purposes = [ServerPurpose] });
        With("purpose-client", recipe => recipe with { Issuer = root, Purposes = [ClientPurpose] });
        With("purpose-both", recipe => recipe with { Issuer = root, Purposes = [ServerPurpose, ClientPurpose] });
        With("purpose-any", recipe => recipe with { Issuer = root, Purposes = [AnyPurpose] });
        With("usage-encipherment", recipe => recipe with { Issuer = root, Usage = X509KeyUsageFlags.KeyEncipherment, Key = ServerKey.Rsa() });
        With("usage-signature", recipe => recipe with { Issuer = root, Usage = X509KeyUsageFlags.DigitalSignature });
        With("usage-agreement", recipe => recipe with { Issuer = root, Usage = X509KeyUsageFlags.KeyAgreement });
        With("usage-signing-certificates", recipe => recipe with { Issuer = root, Usage = X509KeyUsageFlags.KeyCertSign });
        With("usage-data", recipe => recipe with { Issuer = root, Usage = X509KeyUsageFlags.DataEncipherment | X509KeyUsageFlags.NonRepudiation });
        With("type-client", recipe => recipe with { Issuer = root, Extensions = [new X509Extension("2.16.840.1.113730.1.1", [0x03, 0x02, 0x07, 0x80], false)] });
        With("type-server", recipe => recipe with { Issuer = root, Extensions = [new X509Extension("2.16.840.1.113730.1.1", [0x03, 0x02, 0x06, 0x40], false)] });
        foreach (var count in (int[])[8, 9, 10, 11, 12])
        {
            var chain = new List<Authority>();
            for (var i = 0; i < count; i++)
                chain.Add(forge.MakeIntermediate($"Link {i + 1} of {count}", i == 0 ? root : chain[^1]));
            With($"intermediates-{count}", recipe => recipe with { Issuer = chain[^1], Sends = [.. chain.Select(authority => authority.Certificate).Reverse()] });
        }

        With("unknown-critical", recipe => recipe with { Issuer = root, Extensions = [new X509Extension("1.3.6.1.4.1.32473.1", [0x05, 0x00], true)] });
        With("unknown-extension", recipe => recipe with { Issuer = root, Extensions = [new X509Extension("1.3.6.1.4.1.32473.1", [0x05, 0x00], false)] });

        With("sha384", recipe => recipe with { Issuer = forge.RsaRoot, Digest = HashAlgorithmName.SHA384 });
        With("sha1", recipe => recipe with { Issuer = forge.RsaRoot, Digest = HashAlgorithmName.SHA1 });
        With("md5", recipe => recipe with { Issuer = forge.RsaRoot, Digest = HashAlgorithmName.MD5 });
        With("sha1-self-signed", recipe => recipe with { Key = ServerKey.Rsa(), Digest = HashAlgorithmName.SHA1 });
        With("sha1-root", recipe => recipe with { Issuer = forge.OldRoot });
        var old = forge.MakeIntermediate("SHA-1 Intermediate", forge.RsaRoot, digest: HashAlgorithmName.SHA1);
        With("sha1-intermediate", recipe => recipe with { Issuer = old });
        var pss = forge.MakeRoot("Laboratory PSS Root", ServerKey.Rsa(), padding: RSASignaturePadding.Pss);
        With("pss-signature", recipe => recipe with { Issuer = pss });

        // As after the end of a cross-signature: the server still sends what an expired or unknown root has signed, and the
        // authority itself has become a trusted root of the same name and key.
        var authorityKey = ServerKey.Ecdsa();
        var trusted = forge.MakeRoot("Crossed Root", authorityKey);
        var crossed = forge.MakeIntermediate("Crossed Root", forge.UnknownRoot, key: authorityKey);
        With("cross-signed", recipe => recipe with { Issuer = trusted, Sends = [crossed.Certificate] });
        var lapsed = forge.MakeRoot("Lapsed Root", ServerKey.Ecdsa(), to: TimeSpan.FromDays(-1));
        var crossedByLapsed = forge.MakeIntermediate("Crossed Root", lapsed, key: authorityKey);
        With("cross-signed-by-lapsed", recipe => recipe with { Issuer = trusted, Sends = [crossedByLapsed.Certificate, lapsed.Certificate] });
        With("lapsed-root", recipe => recipe with { Issuer = lapsed });
    }

    private static X509Extension PermitsOnly(string domain)
    {
        // NameConstraints ::= SEQUENCE { [0] SEQUENCE { SEQUENCE { [2] dNSName } } } (RFC 5280 section 4.2.1.10).
        byte[] name = [0x82, (byte)domain.Length, .. System.Text.Encoding.ASCII.GetBytes(domain)];
        byte[] subtree = [0x30, (byte)name.Length, .. name];
        byte[] permitted = [0xa0, (byte)subtree.Length, .. subtree];
        return new X509Extension("2.5.29.30", [0x30, (byte)permitted.Length, .. permitted], true);
    }
}
