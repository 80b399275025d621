using System.Security.Cryptography;

namespace PolicyDaemon.EndToEnd.Forecasts.Kinds;

/// <summary>What key a server has, or which keys.</summary>
internal static class Keys
{
    private const string Group = "keys";

    public static async Task WriteAsync(KindBook book)
    {
        var forge = book.Forge;
        foreach (var (name, key) in new (string, ServerKey)[]
        {
            ("rsa-1024", ServerKey.Rsa(1024)),
            ("rsa-2048", ServerKey.Rsa()),
            ("rsa-4096", ServerKey.Rsa(4096)),
            ("p256", ServerKey.Ecdsa()),
            ("p384", ServerKey.Ecdsa(ECCurve.NamedCurves.nistP384)),
            ("p521", ServerKey.Ecdsa(ECCurve.NamedCurves.nistP521)),
            ("brainpool", ServerKey.Ecdsa(ECCurve.NamedCurves.brainpoolP256r1)),
            ("ed25519", await ServerKey.OfOpenSslAsync("-algorithm", "ED25519")),
            ("ed448", await ServerKey.OfOpenSslAsync("-algorithm", "ED448")),
            ("rsa-pss", await ServerKey.OfOpenSslAsync("-algorithm", "RSA-PSS", "-pkeyopt", "rsa_keygen_bits:2048")),
            ("rsa-512", await ServerKey.OfOpenSslAsync("-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:512")),
        })
        {
            var kind = book.Plain(Group, name);
            kind.Server(MailServer.With(forge.Issue(CertificateRecipe.For(kind.Domain, kind.Host) with { Issuer = forge.RsaRoot, Key = key })));
        }

        var weakSelf = book.Plain(Group, "rsa-1024-self-signed");
        weakSelf.Server(MailServer.With(forge.Issue(CertificateRecipe.For(weakSelf.Host) with { Key = ServerKey.Rsa(1024) })));
        var weakRoot = forge.MakeRoot("Weak Root", ServerKey.Rsa(1024));
        var weak = book.Plain(Group, "rsa-1024-root");
        weak.Server(MailServer.With(forge.Issue(CertificateRecipe.For(weak.Domain) with { Issuer = weakRoot })));
        var weakIntermediate = forge.MakeIntermediate("Weak Intermediate", forge.RsaRoot, key: ServerKey.Rsa(512));
        var below = book.Plain(Group, "rsa-512-intermediate");
        below.Server(MailServer.With(forge.Issue(CertificateRecipe.For(below.Domain) with { Issuer = weakIntermediate })));

        ServerKind Two(string name, bool isRsaGood, bool isEcdsaGood, Func<ServerTls, ServerTls>? change = null)
        {
            var kind = book.Plain(Group, name);
            var recipe = CertificateRecipe.For(kind.Domain, kind.Host);
            var (rsa, ecdsa) = (recipe with { Key = ServerKey.Rsa() }, recipe);
            return kind.Server(MailServer.With(
                forge.Issue(isRsaGood ? rsa with { Issuer = forge.Root } : rsa),
                forge.Issue(isEcdsaGood ? ecdsa with { Issuer = forge.Root } : ecdsa)).Speaking(change ?? (tls => tls)));
        }

        Two("two-good", true, true);
        Two("two-rsa-bad", false, true);
        Two("two-ecdsa-bad", true, false);
        Two("two-rsa-bad-1-2", false, true, tls => tls.Only("1.2"));
        Two("two-ecdsa-bad-1-2", true, false, tls => tls.Only("1.2"));
        Two("two-rsa-bad-1-3", false, true, tls => tls.Only("1.3"));
        // The server's order decides in TLS 1.2, if it says so.
        Two("two-rsa-bad-and-preferred", false, true, Preferring);
        Two("two-ecdsa-bad-rsa-preferred", true, false, Preferring);
        Two("two-bad", false, false);

        static ServerTls Preferring(ServerTls tls) => tls.Only("1.2") with
        {
            Ciphers = "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES128-GCM-SHA256",
            Options = ["OP_CIPHER_SERVER_PREFERENCE"],
        };
    }
}
