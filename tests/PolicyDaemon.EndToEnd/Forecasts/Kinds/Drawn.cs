using System.Globalization;
using System.Security.Cryptography;
using PolicyDaemon.EndToEnd.Lab;

namespace PolicyDaemon.EndToEnd.Forecasts.Kinds;

/// <summary>Destinations of which everything is drawn: hosts and addresses, dialogue, TLS, certificates, TLSA records. A seed makes the same ones again.</summary>
internal sealed class Drawn(KindBook book, int seed)
{
    private const string Group = "drawn";
    private const int Kinds = 120;

    // All addresses of the laboratory are for 507 servers; kinds stop there.
    private const int MostServers = 480;

    private readonly Random _random = new(seed);
    private int _servers;

    public void Write()
    {
        for (var number = 1; number <= Kinds && _servers < MostServers; number++)
        {
            var name = string.Create(CultureInfo.InvariantCulture, $"drawn-{seed}-{number}");
            Fill(OneIn(2) ? book.Signed(Group, name) : book.Plain(Group, name));
        }
    }

    private void Fill(ServerKind kind)
    {
        var isSigned = kind.Domain.EndsWith(LabDns.SignedZone, StringComparison.Ordinal);
        var hosts = OneIn(3) ? 1 : 1 + _random.Next(OneIn(5) ? 7 : 3);
        var bracketed = hosts == 1 && OneIn(6);
        var port = OneIn(12) ? 2525 : 25;
        var preferences = new Dictionary<int, int>();
        for (var host = 1; host <= hosts; host++)
        {
            var name = host == 1 ? kind.Host : string.Create(CultureInfo.InvariantCulture, $"mx{host}.{kind.Domain}");
            var preference = OneIn(3) ? 10 : host * 10;
            var isAlias = OneIn(9);
            // Out of the signed zone, too, and into it.
            var target = !isAlias ? name : OneIn(3) ? string.Create(CultureInfo.InvariantCulture, $"real-{seed}-{_servers}-{host}.{Pick(LabDns.PlainZone, LabDns.SignedZone)}") : "real-" + name;
            if (!bracketed) kind.Mx(name, preference);
            if (isAlias) kind.Dns(name, "CNAME", target + ".");
            if (OneIn(25) && !bracketed)
            {
                // A host that does not exist, or whose name server does not answer.
                if (OneIn(2) && !isAlias)
                {
                    kind.Dns(name, "NS", $"ns.{LabDns.PlainZone}.");
                    if (hosts == 1) kind.Untold("the resolver fails");
                }

                continue;
            }

            var addresses = OneIn(4) ? 1 + _random.Next(OneIn(4) ? 6 : 3) : 1;
            var shown = new List<ServedCertificate>();
            for (var address = 0; address < addresses; address++)
            {
                preferences[preference] = preferences.GetValueOrDefault(preference) + 1;
                if (OneIn(12))
                {
                    kind.NobodyAt(target);
                    continue;
                }

                _servers++;
                var server = Server(kind, name, target) with { Port = port };
                if (server.Tls is { } tls) shown.AddRange([.. tls.Certificates, .. tls.Sni.Values]);
                _ = OneIn(4) ? kind.AddressV6(target, server) : kind.Address(target, server);
            }

            if ((isSigned || isAlias) && !OneIn(4)) Records(kind, isAlias && OneIn(2) ? name : target, port, shown);
        }

        var at = port == 25 ? "" : ":2525";
        if (bracketed) kind.Route($"[{kind.Host}]{at}");
        else if (port != 25) kind.Route(kind.Domain + at);
        if (preferences.Values.Any(count => count > 1)) kind.Untold("chance decides which address is tried first");
    }

    private MailServer Server(ServerKind kind, string host, string target)
    {
        var certificates = new List<ServedCertificate> { Certificate(kind, host, target, isRsa: OneIn(2)) };
        if (OneIn(6)) certificates.Add(Certificate(kind, host, target, isRsa: certificates[0].Leaf.PublicKey.Oid.Value != "1.2.840.113549.1.1.1"));
        var server = MailServer.With([.. certificates]).Speaking(tls => Tls(tls, kind, host, target));
        return _random.Next(24) switch
        {
            0 => MailServer.WithoutTls(),
            1 => server with { Starttls = Pick("454 4.7.0 later", "501 5.5.4 no", "421 4.7.0 closing", "250 2.0.0 fine", "534 5.7.9 no") },
            2 => server with { Handshake = Pick("garbage", "alert", "close") },
            3 => server with { Greeting = [Pick("554 5.7.1 no", "421 4.3.2 busy", "450 4.3.2 busy", "220-two\r\n220 lines", "521 5.3.2 never", "hello")] },
            4 => server with { Ehlo = [Pick("502 5.5.1 what", "450 4.7.1 later", "421 4.3.2 later", "550 5.7.1 no")], Helo = [Pick("250 fine", "550 5.7.1 no", "450 4.7.1 later")] },
            5 => server with { EhloTls = [Pick("550 5.7.1 no", "450 4.7.1 later", "250 one-line", "421 4.3.2 later", "502 5.5.1 what")] },
            6 => server with { Behind = Pick("250 injected\r\n", "220 twice\r\n") },
            7 => server with { Newline = "\n" },
            8 => server with { Greeting = ["220-scripted.test says", "220 scripted.test ESMTP"] },
            _ => server,
        };
    }

    private ServerTls Tls(ServerTls tls, ServerKind kind, string host, string target)
    {
        tls = _random.Next(12) switch
        {
            0 => tls.Only(Pick("1.0", "1.1", "1.2", "1.3")),
            1 => tls with { Maximum = Pick("1.0", "1.1", "1.2") },
            2 => tls with { Minimum = Pick("1.2", "1.3") },
            3 => tls.Only("1.2") with { Ciphers = Pick("AES128-SHA", "ECDHE-RSA-AES128-SHA:ECDHE-ECDSA-AES128-SHA", "ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-ECDSA-AES256-GCM-SHA384", "AES256-GCM-SHA384", "ECDHE-RSA-CAMELLIA128-SHA256:ECDHE-ECDSA-CAMELLIA128-SHA256") + ":@SECLEVEL=0" },
            4 => tls with { Client = Pick("ask", "require") },
            5 => tls with { Curve = Pick("secp521r1", "secp384r1", "prime256v1") },
            _ => tls,
        };
        return OneIn(9)
            ? tls with
            {
                Sni = new Dictionary<string, ServedCertificate> { [OneIn(3) ? kind.Domain : OneIn(2) ? target : host] = Certificate(kind, host, target, OneIn(2)) },
                SniOnly = OneIn(4),
            }
            : tls;
    }

    private ServedCertificate Certificate(ServerKind kind, string host, string target, bool isRsa)
    {
        var forge = book.Forge;
        string[] names = _random.Next(9) switch
        {
            0 => [host],
            1 => [kind.Domain],
            2 => ["*." + kind.Domain],
            3 => ["elsewhere.test"],
            4 => [target, "elsewhere.test"],
            5 => [],
            _ => [kind.Domain, host, target],
        };
        var recipe = CertificateRecipe.For(names) with
        {
            Subject = names.Length == 0 ? $"CN={Pick(host, kind.Domain, "elsewhere.test")}" : OneIn(8) ? "" : null,
            Key = isRsa ? ServerKey.Rsa(OneIn(12) ? 1024 : 2048) : OneIn(6) ? ServerKey.Ecdsa(ECCurve.NamedCurves.nistP384) : ServerKey.Ecdsa(),
        };
        recipe = _random.Next(10) switch
        {
            0 => recipe,
            1 => recipe with { Issuer = forge.UnknownRoot, Sends = OneIn(2) ? [forge.UnknownRoot.Certificate] : [] },
            2 => recipe with { Issuer = forge.Intermediate },
            3 => recipe with { Issuer = forge.Intermediate, Sends = OneIn(2) ? [] : [forge.Root.Certificate, forge.Intermediate.Certificate] },
            4 => recipe with { Issuer = forge.RsaRoot, Digest = OneIn(2) ? HashAlgorithmName.SHA1 : HashAlgorithmName.SHA512 },
            5 => recipe with { Issuer = forge.OldRoot },
            _ => recipe with { Issuer = forge.Root },
        };
        recipe = _random.Next(12) switch
        {
            0 => recipe with { To = TimeSpan.FromDays(-1) },
            1 => recipe with { From = TimeSpan.FromDays(1) },
            2 => recipe with { Purposes = [Pick("1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2", "2.5.29.37.0")] },
            _ => recipe,
        };
        return forge.Issue(recipe);
    }

    /// <summary>TLSA records of what the servers of a host show, of an issuer, or of something else.</summary>
    private void Records(ServerKind kind, string name, int port, List<ServedCertificate> shown)
    {
        for (var left = 1 + _random.Next(3); left > 0; left--)
        {
            var (selector, matching) = (_random.Next(2), _random.Next(3));
            var record = _random.Next(7) switch
            {
                0 => ServedCertificate.Tlsa(Pick(book.Forge.UnknownRoot, book.Forge.Root, book.Forge.Intermediate).Certificate, 2, selector, matching),
                1 => book.Forge.SelfSigned("elsewhere.test").Tlsa(3, selector, matching),
                2 when shown.Count > 0 => shown[_random.Next(shown.Count)].Tlsa(Pick(0, 1, 2, 4), selector, matching),
                3 => Pick("3 1 1 00112233", "3 1 3 " + new string('0', 64), "3 2 1 " + new string('0', 64)),
                _ when shown.Count > 0 => shown[_random.Next(shown.Count)].Tlsa(3, selector, matching),
                _ => "3 1 1 " + new string('0', 64),
            };
            kind.Tlsa(record, name, port);
        }
    }

    private bool OneIn(int many) => _random.Next(many) == 0;

    private T Pick<T>(params T[] all) => all[_random.Next(all.Length)];
}
