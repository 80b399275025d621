using PolicyDaemon.EndToEnd.Lab;

namespace PolicyDaemon.EndToEnd.Forecasts.Kinds;

/// <summary>Which TLS a server speaks: versions, cipher suites, groups, and what it wants of the client.</summary>
internal static class TlsVersions
{
    private const string Group = "tls";
    private const string NoSecurity = ":@SECLEVEL=0";

    public static async Task WriteAsync(KindBook book, string folder)
    {
        var forge = book.Forge;
        ServerKind With(string name, Func<ServerTls, ServerTls> tls, bool isRsa = false, bool isSelfSigned = false)
        {
            var kind = book.Plain(Group, name);
            var recipe = CertificateRecipe.For(kind.Domain, kind.Host);
            recipe = isRsa ? recipe with { Key = ServerKey.Rsa() } : recipe;
            return kind.Server(MailServer.With(forge.Issue(isSelfSigned ? recipe : recipe with { Issuer = forge.Root })).Speaking(tls));
        }

        foreach (var version in new[] { "1.0", "1.1", "1.2", "1.3" })
        {
            With($"only-{version.Replace('.', '-')}", tls => tls.Only(version));
            With($"only-{version.Replace('.', '-')}-rsa", tls => tls.Only(version), isRsa: true);
        }

        With("only-1-0-self-signed", tls => tls.Only("1.0"), isRsa: true, isSelfSigned: true);
        With("up-to-1-1", tls => tls with { Maximum = "1.1" });
        With("up-to-1-2", tls => tls with { Maximum = "1.2" });

        foreach (var (name, suites) in new[]
        {
            ("rsa-key-exchange", "AES128-SHA"),
            ("rsa-key-exchange-gcm", "AES256-GCM-SHA384"),
            ("ecdhe-cbc", "ECDHE-RSA-AES128-SHA"),
            ("ecdhe-chacha", "ECDHE-RSA-CHACHA20-POLY1305"),
            ("ecdhe-camellia", "ECDHE-RSA-CAMELLIA128-SHA256"),
            ("ecdhe-aria", "ECDHE-ARIA128-GCM-SHA256"),
            ("camellia", "CAMELLIA128-SHA"),
            ("ccm", "AES128-CCM"),
            ("dhe", "DHE-RSA-AES128-SHA"),
            ("dhe-gcm", "DHE-RSA-AES256-GCM-SHA384"),
            ("null-cipher", "NULL-SHA256"),
        })
        {
            var dh = name.StartsWith("dhe", StringComparison.Ordinal) ? await ParametersAsync(folder, 2048) : null;
            With(name, tls => tls.Only("1.2") with { Ciphers = suites + NoSecurity, Dh = dh }, isRsa: true);
        }

        With("rsa-key-exchange-self-signed", tls => tls.Only("1.2") with { Ciphers = "AES128-SHA" + NoSecurity }, isRsa: true, isSelfSigned: true);
        With("rsa-key-exchange-1-0", tls => tls.Only("1.0") with { Ciphers = "AES128-SHA" + NoSecurity }, isRsa: true);
        // Less than this no OpenSSL takes, at whatever security level.
        var weak = await ParametersAsync(folder, 1024);
        With("dhe-1024", tls => tls.Only("1.2") with { Ciphers = "DHE-RSA-AES128-SHA" + NoSecurity, Dh = weak }, isRsa: true);

        var anonymous = book.Plain(Group, "anonymous");
        anonymous.Server(new MailServer { Tls = new ServerTls { Ciphers = "ADH-AES128-SHA:AECDH-AES128-SHA" + NoSecurity, Maximum = "1.2", Dh = await ParametersAsync(folder, 2048) } });

        foreach (var curve in new[] { "secp521r1", "brainpoolP256r1", "secp256k1" })
            With("group-" + curve.ToLowerInvariant(), tls => tls with { Curve = curve });
        With("group-brainpool-1-3", tls => tls.Only("1.3") with { Curve = "brainpoolP384r1" });

        foreach (var version in new[] { "1.2", "1.3" })
        {
            foreach (var client in new[] { "ask", "require" })
                With($"client-{client}-{version.Replace('.', '-')}", tls => tls.Only(version) with { Client = client });
        }

        With("handshake-late", tls => tls with { Delay = 2 });
        var dane = book.Signed(Group, "dane-1-0");
        var old = forge.SelfSigned(dane.Host);
        dane.Server(MailServer.With(old).Speaking(tls => tls.Only("1.0"))).Tlsa(old.Tlsa(3, 1, 1));
        var daneRsa = book.Signed(Group, "dane-rsa-key-exchange");
        var rsa = forge.Issue(CertificateRecipe.For(daneRsa.Host) with { Key = ServerKey.Rsa() });
        daneRsa.Server(MailServer.With(rsa).Speaking(tls => tls.Only("1.2") with { Ciphers = "AES128-SHA" + NoSecurity })).Tlsa(rsa.Tlsa(3, 1, 1));
        var signedOld = book.Signed(Group, "signed-1-0");
        signedOld.Server(MailServer.With(forge.SelfSigned(signedOld.Host)).Speaking(tls => tls.Only("1.0")));
    }

    /// <summary>Diffie-Hellman parameters of this size, a known group where there is one.</summary>
    private static async Task<string> ParametersAsync(string folder, int bits)
    {
        var file = Path.Combine(folder, $"dh{bits}.pem");
        if (File.Exists(file)) return file;
        string[] command = bits >= 2048
            ? ["openssl", "genpkey", "-genparam", "-algorithm", "DH", "-pkeyopt", $"group:ffdhe{bits}", "-out", file]
            : ["openssl", "dhparam", "-dsaparam", "-out", file, $"{bits}"];
        (await CommandLine.RunAsync(command)).Require();
        return file;
    }
}
