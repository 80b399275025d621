using System.Net;

namespace PolicyDaemon.EndToEnd.Forecasts.Kinds;

/// <summary>Whom a certificate is for.</summary>
internal static class Names
{
    private const string Group = "names";

    public static void Write(KindBook book)
    {
        var forge = book.Forge;
        ServerKind New(string name) => book.Plain(Group, name);
        ServerKind With(string name, Func<ServerKind, CertificateRecipe> recipe)
        {
            var kind = New(name);
            return kind.Server(MailServer.With(forge.Issue(recipe(kind) with { Issuer = forge.Root })));
        }

        With("san-host", kind => CertificateRecipe.For(kind.Host));
        With("san-domain", kind => CertificateRecipe.For(kind.Domain));
        With("san-both", kind => CertificateRecipe.For(kind.Domain, kind.Host));
        With("san-other", _ => CertificateRecipe.For("mx.elsewhere.test"));
        With("san-parent", _ => CertificateRecipe.For("plain.test"));
        With("san-deeper", kind => CertificateRecipe.For("a.b." + kind.Domain));
        With("san-upper", kind => CertificateRecipe.For(kind.Host.ToUpperInvariant()));
        With("san-final-dot", kind => CertificateRecipe.For(kind.Host + "."));
        With("san-many", kind => CertificateRecipe.For([.. Enumerable.Range(1, 200).Select(n => $"mx{n}.elsewhere.test"), kind.Host]));
        With("cn-host", kind => new() { Subject = "CN=" + kind.Host });
        With("cn-domain", kind => new() { Subject = "CN=" + kind.Domain });
        With("cn-two", kind => new() { Subject = $"CN=mx.elsewhere.test,CN={kind.Host}" });
        With("cn-two-turned", kind => new() { Subject = $"CN={kind.Host},CN=mx.elsewhere.test" });
        With("cn-wildcard", kind => new() { Subject = $"CN=*.{kind.Domain}" });
        With("cn-beside-other-san", kind => CertificateRecipe.For("mx.elsewhere.test") with { Subject = "CN=" + kind.Host });
        With("cn-beside-mailbox", kind => new() { Subject = "CN=" + kind.Host, Mailboxes = ["postmaster@" + kind.Domain] });
        With("cn-beside-address", kind => new() { Subject = "CN=" + kind.Host, Addresses = [IPAddress.Parse("198.51.100.1")] });
        With("cn-beside-uri", kind => new() { Subject = "CN=" + kind.Host, Uris = [$"https://{kind.Host}/"] });
        With("cn-in-organization", kind => new() { Subject = $"O={kind.Host},CN=Mail" });
        With("no-subject", kind => CertificateRecipe.For(kind.Host) with { Subject = "" });
        With("no-name", _ => new() { Subject = "O=Nameless" });
        With("wildcard", kind => CertificateRecipe.For("*." + kind.Domain));
        With("wildcard-above", _ => CertificateRecipe.For("*.plain.test"));
        With("wildcard-part", kind => CertificateRecipe.For("m*." + kind.Domain));
        With("wildcard-middle", kind => CertificateRecipe.For($"mx.*.{kind.Domain[(kind.Domain.IndexOf('.', StringComparison.Ordinal) + 1)..]}"));
        With("wildcard-top", _ => CertificateRecipe.For("*.test"));
        With("wildcard-alone", _ => CertificateRecipe.For("*"));
        With("wildcard-double", kind => CertificateRecipe.For("*.*." + kind.Domain));

        var deep = New("wildcard-deep");
        var deepHost = "a.b." + deep.Domain;
        deep.Server(MailServer.With(forge.Good("*." + deep.Domain)), deepHost);

        var idn = book.Plain(Group, "xn--mnchen-3ya");
        idn.Server(MailServer.With(forge.Good(idn.Domain)));

        var bracket = New("bracket");
        bracket.Address(bracket.Host, MailServer.With(forge.Good(bracket.Host))).Route($"[{bracket.Host}]");
        var bracketParent = New("bracket-parent");
        bracketParent.Address(bracketParent.Host, MailServer.With(forge.Good(bracketParent.Domain))).Route($"[{bracketParent.Host}]");
        var port = New("bracket-port");
        port.Address(port.Host, MailServer.With(forge.Good(port.Host)) with { Port = 2525 }).Route($"[{port.Host}]:2525");
        var mxPort = New("mx-port");
        mxPort.Server(MailServer.With(forge.Good(mxPort.Host)) with { Port = 2525 }).Route($"{mxPort.Domain}:2525");

        foreach (var (name, makes) in new (string, Func<IPAddress, ServerKind, CertificateRecipe>)[]
        {
            ("literal-san-address", (address, _) => new() { Addresses = [address] }),
            ("literal-san-name", (_, kind) => CertificateRecipe.For(kind.Host)),
            ("literal-san-text", (address, _) => CertificateRecipe.For(address.ToString())),
            ("literal-cn", (address, _) => new() { Subject = $"CN={address}" }),
            ("literal-wrong", (_, _) => new() { Addresses = [IPAddress.Parse("198.51.100.254")] }),
        })
        {
            var kind = New(name);
            var address = book.NextIPv4();
            kind.Servers.Add(MailServer.With(forge.Issue(makes(address, kind) with { Issuer = forge.Root })).At([address]));
            kind.Route($"[{address}]");
        }

        foreach (var (name, makes) in new (string, Func<IPAddress, ServerKind, CertificateRecipe>)[]
        {
            ("mx-address-domain", (_, kind) => CertificateRecipe.For(kind.Domain)),
            ("mx-address-san", (address, _) => new() { Addresses = [address] }),
        })
        {
            var kind = New(name);
            var address = book.NextIPv4();
            kind.Servers.Add(MailServer.With(forge.Issue(makes(address, kind) with { Issuer = forge.Root })).At([address]));
            kind.Mx(address.ToString());
        }

        foreach (var forTarget in new[] { false, true })
        {
            var kind = New(forTarget ? "mx-alias-target" : "mx-alias-own");
            var target = "real." + kind.Domain;
            kind.Mx(kind.Host).Dns(kind.Host, "CNAME", target + ".")
                .Address(target, MailServer.With(forge.Good(forTarget ? "real.elsewhere.test" : kind.Host, forTarget ? target : kind.Host)));
        }

        foreach (var forTarget in new[] { false, true })
        {
            var kind = New(forTarget ? "domain-alias-target" : "domain-alias-own");
            var target = "real." + kind.Domain;
            kind.Dns(kind.Domain, "CNAME", target + ".").Dns(target, "MX", $"10 {kind.Host}.")
                .Address(kind.Host, MailServer.With(forge.Good(forTarget ? target : kind.Domain)));
        }

        foreach (var (name, certificate) in new (string, Func<ServerKind, (ServedCertificate Without, ServedCertificate With)>)[]
        {
            ("sni-good", kind => (forge.SelfSigned("default.elsewhere.test"), forge.Good(kind.Host))),
            ("sni-bad", kind => (forge.Good(kind.Host), forge.SelfSigned("other.elsewhere.test"))),
            ("sni-domain", kind => (forge.SelfSigned("default.elsewhere.test"), forge.Good(kind.Domain))),
        })
        {
            var kind = New(name);
            var (without, with) = certificate(kind);
            kind.Server(MailServer.With(without).Speaking(tls => tls with { Sni = new Dictionary<string, ServedCertificate> { [kind.Host] = with } }));
        }

        var needs = New("sni-needed");
        needs.Server(MailServer.With(forge.Good(needs.Host)).Speaking(tls =>
            tls with { Sni = new Dictionary<string, ServedCertificate> { [needs.Host] = tls.Certificates[0] }, SniOnly = true }));
    }
}
