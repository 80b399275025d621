namespace PolicyDaemon.EndToEnd.Forecasts.Kinds;

/// <summary>TLSA records of every sort.</summary>
internal static class Dane
{
    private const string Group = "dane";

    public static void Write(KindBook book)
    {
        var forge = book.Forge;
        var (root, intermediate) = (forge.UnknownRoot, forge.Intermediate);
        var foreign = forge.MakeIntermediate("Foreign Intermediate", root);

        // Records of the server's own certificate or key, which need no name, date or authority.
        foreach (var selector in new[] { 0, 1 })
        {
            foreach (var matching in new[] { 0, 1, 2 })
            {
                var kind = book.Signed(Group, $"3-{selector}-{matching}");
                var own = forge.SelfSigned("whoever.elsewhere.test");
                kind.Server(MailServer.With(own)).Tlsa(own.Tlsa(3, selector, matching));
            }
        }

        ServerKind Self(string name, Func<ServedCertificate, string[]> records, Func<CertificateRecipe, CertificateRecipe>? change = null)
        {
            var kind = book.Signed(Group, name);
            var own = forge.Issue((change ?? (recipe => recipe))(CertificateRecipe.For(kind.Host)));
            kind.Server(MailServer.With(own));
            foreach (var record in records(own)) kind.Tlsa(record);
            return kind;
        }

        var other = forge.SelfSigned("other.elsewhere.test");
        Self("3-1-1-wrong", _ => [other.Tlsa(3, 1, 1)]);
        Self("3-0-1-wrong", _ => [other.Tlsa(3, 0, 1)]);
        Self("3-1-1-expired", own => [own.Tlsa(3, 1, 1)], recipe => recipe with { To = TimeSpan.FromDays(-1) });
        Self("3-1-1-not-yet", own => [own.Tlsa(3, 1, 1)], recipe => recipe with { From = TimeSpan.FromDays(1) });
        Self("3-1-1-sha1", own => [own.Tlsa(3, 1, 1)], recipe => recipe with { Key = ServerKey.Rsa(), Digest = System.Security.Cryptography.HashAlgorithmName.SHA1 });
        Self("3-1-1-weak", own => [own.Tlsa(3, 1, 1)], recipe => recipe with { Key = ServerKey.Rsa(1024) });
        Self("roll-over", own => [other.Tlsa(3, 1, 1), own.Tlsa(3, 1, 1)]);
        Self("many-records", own => [.. Enumerable.Range(0, 15).Select(n => $"3 1 1 {n:x64}"), own.Tlsa(3, 1, 1)]);
        Self("matching-2-beside-1", own => [other.Tlsa(3, 1, 2), own.Tlsa(3, 1, 1)]);
        Self("matching-1-beside-2", own => [own.Tlsa(3, 1, 2), other.Tlsa(3, 1, 1)]);
        Self("matching-0-beside-1", own => [own.Tlsa(3, 1, 0), other.Tlsa(3, 1, 1)]);

        // What SMTP cannot use (RFC 7672 section 3.1.3), or nobody can.
        Self("usage-0", own => [own.Tlsa(0, 0, 1)]);
        Self("usage-1", own => [own.Tlsa(1, 1, 1)]);
        Self("usage-1-beside-good", own => [own.Tlsa(1, 1, 1), own.Tlsa(3, 1, 1)]);
        Self("usage-1-beside-wrong", own => [own.Tlsa(1, 1, 1), other.Tlsa(3, 1, 1)]);
        Self("usage-4", own => [own.Tlsa(4, 1, 1)]);
        Self("usage-255", own => [own.Tlsa(255, 1, 1)]);
        Self("selector-2", own => [own.Tlsa(3, 2, 1)]);
        Self("selector-2-beside-wrong", own => [own.Tlsa(3, 2, 1), other.Tlsa(3, 1, 1)]);
        Self("matching-3", own => [own.Tlsa(3, 1, 3)]);
        Self("matching-255", own => [own.Tlsa(3, 1, 1).Replace("3 1 1", "3 1 255", StringComparison.Ordinal)]);
        Self("too-short", _ => ["3 1 1 00112233"]);
        Self("too-long", own => [own.Tlsa(3, 1, 1) + "00"]);
        Self("full-garbage", _ => ["3 0 0 0011223344"]);
        Self("full-garbage-beside-good", own => ["3 0 0 0011223344", own.Tlsa(3, 1, 1)]);
        Self("no-record", _ => []);
        Self("no-record-good-chain", _ => [], recipe => recipe with { Issuer = forge.Root });

        // Records of an issuer, which need names and dates.
        ServerKind Issued(string name, Func<ServedCertificate, string[]> records, Func<CertificateRecipe, ServerKind, CertificateRecipe>? change = null)
        {
            var kind = book.Signed(Group, name);
            var recipe = CertificateRecipe.For(kind.Host) with { Issuer = root, Sends = [root.Certificate] };
            var own = forge.Issue(change is null ? recipe : change(recipe, kind));
            kind.Server(MailServer.With(own));
            foreach (var record in records(own)) kind.Tlsa(record);
            return kind;
        }

        string[] Root(int selector, int matching) => [ServedCertificate.Tlsa(root.Certificate, 2, selector, matching)];
        foreach (var selector in new[] { 0, 1 })
        {
            foreach (var matching in new[] { 0, 1, 2 })
            {
                Issued($"2-{selector}-{matching}", _ => Root(selector, matching));
                Issued($"2-{selector}-{matching}-not-sent", _ => Root(selector, matching), (recipe, _) => recipe with { Sends = [] });
            }
        }

        Issued("2-0-0-not-sent-intermediate", _ => Root(0, 0), (recipe, _) => recipe with { Issuer = foreign });
        Issued("2-1-0-not-sent-intermediate", _ => Root(1, 0), (recipe, _) => recipe with { Issuer = foreign });
        Issued("2-1-0-not-sent-missing", _ => Root(1, 0), (recipe, _) => recipe with { Issuer = foreign, Sends = [] });
        Issued("2-0-0-not-sent-name", _ => Root(0, 0), (recipe, _) => recipe with { Names = ["mx.elsewhere.test"], Sends = [] });
        Issued("2-1-0-not-sent-expired", _ => Root(1, 0), (recipe, _) => recipe with { To = TimeSpan.FromDays(-1), Sends = [] });
        Issued("2-1-0-not-sent-other", _ => [ServedCertificate.Tlsa(forge.RsaRoot.Certificate, 2, 1, 0)], (recipe, _) => recipe with { Sends = [] });
        Issued("2-1-1-not-sent-trusted", _ => [ServedCertificate.Tlsa(forge.Root.Certificate, 2, 1, 1)], (recipe, _) => recipe with { Issuer = forge.Root, Sends = [] });
        Issued("2-1-1-intermediate", _ => [ServedCertificate.Tlsa(foreign.Certificate, 2, 1, 1)], (recipe, _) => recipe with { Issuer = foreign, Sends = [foreign.Certificate] });
        Issued("2-1-1-chain", _ => Root(1, 1), (recipe, _) => recipe with { Issuer = foreign, Sends = [foreign.Certificate, root.Certificate] });
        Issued("2-1-1-wrong", _ => [ServedCertificate.Tlsa(intermediate.Certificate, 2, 1, 1)]);
        Issued("2-1-1-leaf", own => [own.Tlsa(2, 1, 1)]);
        Issued("2-0-1-leaf-self-signed", own => [own.Tlsa(2, 0, 1)], (recipe, _) => recipe with { Issuer = null, Sends = [] });
        Issued("2-1-1-expired", _ => Root(1, 1), (recipe, _) => recipe with { To = TimeSpan.FromDays(-1) });
        Issued("2-1-1-not-yet", _ => Root(1, 1), (recipe, _) => recipe with { From = TimeSpan.FromDays(1) });
        Issued("2-1-1-name-other", _ => Root(1, 1), (recipe, _) => recipe with { Names = ["mx.elsewhere.test"] });
        Issued("2-1-1-name-domain", _ => Root(1, 1), (recipe, kind) => recipe with { Names = [kind.Domain] });
        Issued("2-1-1-name-common", _ => Root(1, 1), (recipe, kind) => recipe with { Names = [], Subject = "CN=" + kind.Host });
        Issued("2-1-1-name-wildcard", _ => Root(1, 1), (recipe, kind) => recipe with { Names = ["*." + kind.Domain] });
        Issued("2-1-1-sha1", _ => [ServedCertificate.Tlsa(forge.OldRoot.Certificate, 2, 1, 1)], (recipe, _) => recipe with
        {
            Issuer = forge.OldRoot, Digest = System.Security.Cryptography.HashAlgorithmName.SHA1, Sends = [forge.OldRoot.Certificate],
        });
        Issued("2-1-1-purpose-client", _ => Root(1, 1), (recipe, _) => recipe with { Purposes = ["1.3.6.1.5.5.7.3.2"] });
        Issued("2-and-3", own => [.. Root(1, 1), own.Tlsa(3, 1, 1)]);
        Issued("2-wrong-3-good", own => [ServedCertificate.Tlsa(intermediate.Certificate, 2, 1, 1), own.Tlsa(3, 1, 1)]);
        Issued("2-good-3-wrong", _ => [.. Root(1, 1), other.Tlsa(3, 1, 1)]);
        Issued("2-good-3-wrong-expired", _ => [.. Root(1, 1), other.Tlsa(3, 1, 1)], (recipe, _) => recipe with { To = TimeSpan.FromDays(-1) });

        // Servers with a record and without TLS that works.
        foreach (var (name, server) in new (string, MailServer)[]
        {
            ("without-starttls", MailServer.WithoutTls()),
            ("starttls-454", new MailServer { Starttls = "454 4.7.0 TLS not available" }),
            ("garbage", new MailServer { Handshake = "garbage" }),
        })
        {
            book.Signed(Group, "good-" + name).Server(server).Tlsa(other.Tlsa(3, 1, 1));
            book.Signed(Group, "unusable-" + name).Server(server).Tlsa(other.Tlsa(1, 1, 1));
            book.Signed(Group, "none-" + name).Server(server);
        }

        // Two certificates, of which the records name one.
        foreach (var (name, isRsa) in new[] { ("two-ecdsa-named", false), ("two-rsa-named", true) })
        {
            var kind = book.Signed(Group, name);
            var rsa = forge.Issue(CertificateRecipe.For(kind.Host) with { Key = ServerKey.Rsa() });
            var ecdsa = forge.SelfSigned(kind.Host);
            kind.Server(MailServer.With(rsa, ecdsa)).Tlsa((isRsa ? rsa : ecdsa).Tlsa(3, 1, 1));
        }

        // Postfix sends the TLSA base domain as SNI (RFC 7672 section 8.1).
        foreach (var isNamed in new[] { true, false })
        {
            var kind = book.Signed(Group, isNamed ? "sni-named" : "sni-default");
            var (without, with) = (forge.SelfSigned("default.elsewhere.test"), forge.SelfSigned(kind.Host));
            kind.Server(MailServer.With(without).Speaking(tls => tls with { Sni = new Dictionary<string, ServedCertificate> { [kind.Host] = with } }))
                .Tlsa((isNamed ? with : without).Tlsa(3, 1, 1));
        }
    }
}
