using PolicyDaemon.EndToEnd.Lab;

namespace PolicyDaemon.EndToEnd.Forecasts.Kinds;

/// <summary>TLSA records behind aliases, zone cuts, failing lookups and insecure MX records.</summary>
internal static class DaneAliases
{
    private const string Group = "dane names";

    // No name server of the laboratory has the zone that is delegated to it: a resolver gets no answer, and says SERVFAIL.
    private const string LameServer = "ns." + LabDns.PlainZone + ".";
    private const string Failing = "the resolver fails";

    public static void Write(KindBook book)
    {
        var forge = book.Forge;
        var root = forge.UnknownRoot;

        // RFC 7672 section 2.2.3: the name at the end of the aliases, and the name in the MX record.
        foreach (var (name, inTarget, inOwn) in new[]
        {
            ("alias-at-target", true, false), ("alias-at-own", false, true), ("alias-at-both", true, true), ("alias-at-none", false, false),
        })
        {
            var kind = book.Signed(Group, name);
            var target = "real." + kind.Domain;
            var own = forge.SelfSigned(kind.Host);
            kind.Mx(kind.Host).Dns(kind.Host, "CNAME", target + ".").Address(target, MailServer.With(own));
            if (inTarget) kind.Tlsa(own.Tlsa(3, 1, 1), target);
            if (inOwn) kind.Tlsa(own.Tlsa(3, 1, 1));
        }

        var wrongTarget = book.Signed(Group, "alias-target-wrong");
        var wrong = forge.SelfSigned(wrongTarget.Host);
        wrongTarget.Mx(wrongTarget.Host).Dns(wrongTarget.Host, "CNAME", $"real.{wrongTarget.Domain}.")
            .Address("real." + wrongTarget.Domain, MailServer.With(wrong))
            .Tlsa(forge.SelfSigned("other.elsewhere.test").Tlsa(3, 1, 1), "real." + wrongTarget.Domain).Tlsa(wrong.Tlsa(3, 1, 1));

        // The certificate of an issuer's record is for the base domain or the next hop.
        foreach (var (name, forOwn, atTarget) in new[]
        {
            ("alias-2-own-at-target", true, true), ("alias-2-target-at-target", false, true),
            ("alias-2-own-at-own", true, false), ("alias-2-target-at-own", false, false),
        })
        {
            var kind = book.Signed(Group, name);
            var target = "real." + kind.Domain;
            var own = forge.Issue(CertificateRecipe.For(forOwn ? kind.Host : target) with { Issuer = root, Sends = [root.Certificate] });
            kind.Mx(kind.Host).Dns(kind.Host, "CNAME", target + ".").Address(target, MailServer.With(own))
                .Tlsa(ServedCertificate.Tlsa(root.Certificate, 2, 1, 1), atTarget ? target : null);
        }

        // Out of the signed zone, and into it.
        foreach (var (name, isRight) in new[] { ("alias-out-at-own", true), ("alias-out-at-own-wrong", false) })
        {
            var kind = book.Signed(Group, name);
            var target = $"{name}-real.{LabDns.PlainZone}";
            var own = forge.SelfSigned(kind.Host);
            kind.Mx(kind.Host).Dns(kind.Host, "CNAME", target + ".").Address(target, MailServer.With(own))
                .Tlsa((isRight ? own : forge.SelfSigned("other.elsewhere.test")).Tlsa(3, 1, 1));
        }

        foreach (var atTarget in new[] { true, false })
        {
            var kind = book.Plain(Group, atTarget ? "alias-in-at-target" : "alias-in-at-none");
            var target = $"{kind.Name}-real.{LabDns.SignedZone}";
            var own = forge.SelfSigned(kind.Host);
            kind.Mx(kind.Host).Dns(kind.Host, "CNAME", target + ".").Address(target, MailServer.With(own));
            if (atTarget) kind.Tlsa(own.Tlsa(3, 1, 1), target);
        }

        // The TLSA record itself is an alias.
        foreach (var (name, zone, isRight) in new[]
        {
            ("tlsa-alias", LabDns.SignedZone, true), ("tlsa-alias-wrong", LabDns.SignedZone, false),
            ("tlsa-alias-insecure", LabDns.PlainZone, true), ("tlsa-alias-insecure-wrong", LabDns.PlainZone, false),
        })
        {
            var kind = book.Signed(Group, name);
            var own = forge.SelfSigned(kind.Host);
            kind.Server(MailServer.With(own)).Dns($"_25._tcp.{kind.Host}", "CNAME", $"{name}-tlsa.{zone}.")
                .Dns($"{name}-tlsa.{zone}", "TLSA", (isRight ? own : forge.SelfSigned("other.elsewhere.test")).Tlsa(3, 1, 1));
        }

        var dangling = book.Signed(Group, "tlsa-alias-dangling");
        dangling.Server(MailServer.With(forge.SelfSigned(dangling.Host))).Dns($"_25._tcp.{dangling.Host}", "CNAME", $"nowhere.{dangling.Domain}.");

        // Lookups that fail.
        var fails = book.Signed(Group, "tlsa-fails");
        fails.Server(MailServer.With(forge.SelfSigned(fails.Host))).Dns("_tcp." + fails.Host, "NS", LameServer);
        var failsGood = book.Signed(Group, "tlsa-fails-good-chain");
        failsGood.Server(MailServer.With(forge.Good(failsGood.Domain))).Dns("_tcp." + failsGood.Host, "NS", LameServer);
        var bogus = book.Signed(Group, "tlsa-bogus");
        bogus.Server(MailServer.With(forge.SelfSigned(bogus.Host))).Dns($"_25._tcp.{bogus.Host}", "CNAME", $"{LabDns.BogusName}.");
        var second = book.Signed(Group, "tlsa-fails-at-first");
        var good = forge.SelfSigned("mx2." + second.Domain);
        second.Server(MailServer.With(forge.SelfSigned(second.Host))).Dns("_tcp." + second.Host, "NS", LameServer)
            .Server(MailServer.With(good), "mx2." + second.Domain, 20).Tlsa(good.Tlsa(3, 1, 1), "mx2." + second.Domain);

        // RFC 7672 section 2.2.1: MX records without DNSSEC that lead to hosts with it.
        foreach (var (name, records) in new (string, Func<ServedCertificate, string[]>)[]
        {
            ("insecure-mx-good", own => [own.Tlsa(3, 1, 1)]),
            ("insecure-mx-wrong", _ => [forge.SelfSigned("other.elsewhere.test").Tlsa(3, 1, 1)]),
            ("insecure-mx-unusable", own => [own.Tlsa(1, 1, 1)]),
            ("insecure-mx-none", _ => []),
        })
        {
            var kind = book.Plain(Group, name);
            var host = $"{name}-mx.{LabDns.SignedZone}";
            var own = forge.SelfSigned(host);
            kind.Server(MailServer.With(own), host);
            foreach (var record in records(own)) kind.Tlsa(record, host);
        }

        var insecurePlain = book.Plain(Group, "insecure-mx-without-starttls");
        insecurePlain.Server(MailServer.WithoutTls(), $"insecure-plain-mx.{LabDns.SignedZone}")
            .Tlsa(forge.SelfSigned("other.elsewhere.test").Tlsa(3, 1, 1), $"insecure-plain-mx.{LabDns.SignedZone}");
        var insecureFails = book.Plain(Group, "insecure-mx-tlsa-fails");
        insecureFails.Server(MailServer.With(forge.SelfSigned("whoever.elsewhere.test")), $"insecure-fails-mx.{LabDns.SignedZone}")
            .Dns($"_tcp.insecure-fails-mx.{LabDns.SignedZone}", "NS", LameServer);

        var insecureHost = book.Signed(Group, "insecure-host");
        insecureHost.Server(MailServer.With(forge.SelfSigned("whoever.elsewhere.test")), $"insecure-host-mx.{LabDns.PlainZone}")
            .Tlsa(forge.SelfSigned("other.elsewhere.test").Tlsa(3, 1, 1), $"insecure-host-mx.{LabDns.PlainZone}");

        // Without MX records, and without a lookup of them.
        foreach (var isRight in new[] { true, false })
        {
            var kind = book.Signed(Group, isRight ? "implicit-good" : "implicit-wrong");
            var own = forge.SelfSigned(kind.Domain);
            kind.Address(kind.Domain, MailServer.With(own)).Tlsa((isRight ? own : forge.SelfSigned("other.elsewhere.test")).Tlsa(3, 1, 1), kind.Domain);
        }

        var implicitIssued = book.Signed(Group, "implicit-2");
        implicitIssued.Address(implicitIssued.Domain, MailServer.With(forge.Issue(CertificateRecipe.For(implicitIssued.Domain) with { Issuer = root, Sends = [root.Certificate] })))
            .Tlsa(ServedCertificate.Tlsa(root.Certificate, 2, 1, 1), implicitIssued.Domain);
        foreach (var isRight in new[] { true, false })
        {
            var kind = book.Signed(Group, isRight ? "bracket-good" : "bracket-wrong");
            var own = forge.SelfSigned(kind.Host);
            kind.Address(kind.Host, MailServer.With(own)).Route($"[{kind.Host}]")
                .Tlsa((isRight ? own : forge.SelfSigned("other.elsewhere.test")).Tlsa(3, 1, 1));
        }

        var port = book.Signed(Group, "bracket-port");
        var portOwn = forge.SelfSigned(port.Host);
        port.Address(port.Host, MailServer.With(portOwn) with { Port = 2525 }).Route($"[{port.Host}]:2525").Tlsa(portOwn.Tlsa(3, 1, 1), port: 2525);
        var wrongPort = book.Signed(Group, "bracket-port-without");
        var wrongPortOwn = forge.SelfSigned(wrongPort.Host);
        wrongPort.Address(wrongPort.Host, MailServer.With(wrongPortOwn) with { Port = 2525 }).Route($"[{wrongPort.Host}]:2525").Tlsa(wrongPortOwn.Tlsa(3, 1, 1));
        var literal = book.Signed(Group, "literal");
        var address = book.NextIPv4();
        literal.Servers.Add(MailServer.With(forge.SelfSigned(literal.Host)).At([address]));
        literal.Route($"[{address}]");
        var v6 = book.Signed(Group, "ipv6-only");
        var v6Own = forge.SelfSigned(v6.Host);
        v6.Mx(v6.Host).AddressV6(v6.Host, MailServer.With(v6Own)).Tlsa(v6Own.Tlsa(3, 1, 1));

        // The domain is an alias itself.
        foreach (var (name, zone) in new[] { ("domain-alias", LabDns.SignedZone), ("domain-alias-out", LabDns.PlainZone) })
        {
            var kind = book.Signed(Group, name);
            var own = forge.SelfSigned(kind.Host);
            kind.Dns(kind.Domain, "CNAME", $"{name}-real.{zone}.").Dns($"{name}-real.{zone}", "MX", $"10 {kind.Host}.")
                .Address(kind.Host, MailServer.With(own)).Tlsa(own.Tlsa(3, 1, 1));
        }

        var domainIn = book.Plain(Group, "domain-alias-in");
        var domainInOwn = forge.SelfSigned($"domain-in-mx.{LabDns.SignedZone}");
        domainIn.Dns(domainIn.Domain, "CNAME", $"domain-in-real.{LabDns.SignedZone}.")
            .Dns($"domain-in-real.{LabDns.SignedZone}", "MX", $"10 domain-in-mx.{LabDns.SignedZone}.")
            .Address($"domain-in-mx.{LabDns.SignedZone}", MailServer.With(domainInOwn)).Tlsa(domainInOwn.Tlsa(3, 1, 1), $"domain-in-mx.{LabDns.SignedZone}");
        // The certificate of an issuer's record may also be for the domain, under the name it has at the end of its aliases.
        var named = book.Signed(Group, "domain-alias-2");
        named.Dns(named.Domain, "CNAME", $"real.{named.Domain}.").Dns("real." + named.Domain, "MX", $"10 {named.Host}.")
            .Address(named.Host, MailServer.With(forge.Issue(CertificateRecipe.For("real." + named.Domain) with { Issuer = root, Sends = [root.Certificate] })))
            .Tlsa(ServedCertificate.Tlsa(root.Certificate, 2, 1, 1));

        // Several MX hosts.
        foreach (var (name, first, then) in new[]
        {
            ("two-mx-good-none", "good", "none"), ("two-mx-none-good", "none", "good"),
            ("two-mx-wrong-good", "wrong", "good"), ("two-mx-wrong-none", "wrong", "none"),
            ("two-mx-unusable-wrong", "unusable", "wrong"), ("two-mx-wrong-wrong", "wrong", "wrong"),
        })
        {
            var kind = book.Signed(Group, name);
            foreach (var (what, host, preference) in new[] { (first, kind.Host, 10), (then, "mx2." + kind.Domain, 20) })
            {
                var own = forge.SelfSigned(host);
                kind.Server(MailServer.With(own), host, preference);
                if (what == "good") kind.Tlsa(own.Tlsa(3, 1, 1), host);
                if (what == "wrong") kind.Tlsa(forge.SelfSigned("other.elsewhere.test").Tlsa(3, 1, 1), host);
                if (what == "unusable") kind.Tlsa(own.Tlsa(0, 1, 1), host);
            }
        }

        // Names that do not validate.
        var bogusDomain = book.Signed(Group, "mx-host-bogus");
        bogusDomain.Mx(LabDns.BogusName).Untold(Failing);
        var bogusBeside = book.Signed(Group, "mx-host-bogus-beside-good");
        var besideOwn = forge.SelfSigned(bogusBeside.Host);
        bogusBeside.Mx(LabDns.BogusName, 5).Server(MailServer.With(besideOwn)).Tlsa(besideOwn.Tlsa(3, 1, 1));
    }
}
