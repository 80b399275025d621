namespace PolicyDaemon.EndToEnd.Forecasts.Kinds;

/// <summary>Several MX hosts and addresses, some of which are bad, dead or too many (smtp_mx_address_limit is 5).</summary>
internal static class Routes
{
    private const string Group = "routes";
    private const string Chance = "chance decides which addresses are tried";

    public static void Write(KindBook book)
    {
        var forge = book.Forge;
        ServerKind New(string name) => book.Plain(Group, name);
        MailServer Good(ServerKind kind) => MailServer.With(forge.Good(kind.Domain, "*." + kind.Domain));
        MailServer Bad(ServerKind kind) => MailServer.With(forge.SelfSigned(kind.Host));

        var two = New("both-good");
        two.Server(Good(two)).Server(Good(two), "mx2." + two.Domain, 20);
        var firstBad = New("first-bad");
        firstBad.Server(Bad(firstBad)).Server(Good(firstBad), "mx2." + firstBad.Domain, 20);
        var secondBad = New("second-bad");
        secondBad.Server(Good(secondBad)).Server(Bad(secondBad), "mx2." + secondBad.Domain, 20);
        var firstPlain = New("first-without-starttls");
        firstPlain.Server(MailServer.WithoutTls()).Server(Good(firstPlain), "mx2." + firstPlain.Domain, 20);
        var secondPlain = New("second-without-starttls");
        secondPlain.Server(Good(secondPlain)).Server(MailServer.WithoutTls(), "mx2." + secondPlain.Domain, 20);
        var firstGarbage = New("first-garbage");
        firstGarbage.Server(new MailServer { Handshake = "garbage" }).Server(Good(firstGarbage), "mx2." + firstGarbage.Domain, 20);
        var firstRefuses = New("first-refuses");
        firstRefuses.Mx(firstRefuses.Host).NobodyAt(firstRefuses.Host).Server(Good(firstRefuses), "mx2." + firstRefuses.Domain, 20);
        var firstDead = New("first-dead");
        firstDead.Mx(firstDead.Host).NobodyAt(firstDead.Host, isDead: true).Server(Good(firstDead), "mx2." + firstDead.Domain, 20);
        var firstDeadBad = New("first-dead-second-bad");
        firstDeadBad.Mx(firstDeadBad.Host).NobodyAt(firstDeadBad.Host, isDead: true).Server(Bad(firstDeadBad), "mx2." + firstDeadBad.Domain, 20);
        var firstNowhere = New("first-without-address");
        firstNowhere.Mx("nowhere." + firstNowhere.Domain, 5).Server(Good(firstNowhere));
        var firstGreeting = New("first-greets-421");
        firstGreeting.Server(new MailServer { Greeting = ["421 4.3.2 too busy"] }).Server(Good(firstGreeting), "mx2." + firstGreeting.Domain, 20);

        // Six and more: only five addresses are tried.
        foreach (var (count, good) in new[] { (5, 5), (6, 6), (6, 5), (6, 1), (8, 7) })
        {
            var kind = New($"{count}-mx-only-{good}-good");
            for (var number = 1; number <= count; number++)
                kind.Server(number == good ? Good(kind) : Bad(kind), $"mx{number}.{kind.Domain}", number * 10);
        }

        foreach (var (count, good) in new[] { (5, 1), (7, 1), (7, 6), (7, 3), (7, 2), (8, 4) })
        {
            var kind = New($"{count}-addresses-{good}-good").Mx($"mx.{count}-addresses-{good}-good.plain.test");
            for (var number = 1; number <= count; number++) kind.Address(kind.Host, number <= good ? Good(kind) : Bad(kind));
            // Any five of seven hold a good one where three are good.
            if (good < count - 4) kind.Untold(Chance);
        }

        var equal = New("6-mx-of-one-preference");
        for (var number = 1; number <= 6; number++) equal.Server(number == 1 ? Good(equal) : Bad(equal), $"mx{number}.{equal.Domain}");
        equal.Untold(Chance);
        var sixPlain = New("6-mx-only-6-starttls");
        for (var number = 1; number <= 6; number++)
            sixPlain.Server(number == 6 ? Good(sixPlain) : MailServer.WithoutTls(), $"mx{number}.{sixPlain.Domain}", number * 10);
        var sixDead = New("6-mx-5-refuse");
        for (var number = 1; number <= 6; number++)
        {
            if (number == 6) sixDead.Server(Good(sixDead), "mx6." + sixDead.Domain, 60);
            else sixDead.Mx($"mx{number}.{sixDead.Domain}", number * 10).NobodyAt($"mx{number}.{sixDead.Domain}");
        }

        // Both families; a family never takes all the places where the other has addresses too (smtp_balance_inet_protocols).
        var both = New("both-families");
        both.Mx(both.Host).Address(both.Host, Good(both)).AddressV6(both.Host, Good(both));
        var v6 = New("ipv6-only");
        v6.Mx(v6.Host).AddressV6(v6.Host, Good(v6));
        var v6Bad = New("ipv6-bad");
        v6Bad.Mx(v6Bad.Host).Address(v6Bad.Host, Good(v6Bad)).AddressV6(v6Bad.Host, Bad(v6Bad));
        var v4Bad = New("ipv4-bad");
        v4Bad.Mx(v4Bad.Host).Address(v4Bad.Host, Bad(v4Bad)).AddressV6(v4Bad.Host, Good(v4Bad));
        var crowd = New("5-ipv4-bad-1-ipv6-good");
        crowd.Mx(crowd.Host).AddressV6(crowd.Host, Good(crowd));
        for (var number = 0; number < 5; number++) crowd.Address(crowd.Host, Bad(crowd));
        var balanced = New("4-and-4-good-last");
        balanced.Mx(balanced.Host, 10).Mx("mx2." + balanced.Domain, 20);
        for (var number = 0; number < 4; number++) balanced.Address(balanced.Host, Bad(balanced)).AddressV6(balanced.Host, Bad(balanced));
        balanced.Address("mx2." + balanced.Domain, Good(balanced));

        var shared = New("two-names-one-address");
        shared.Server(Good(shared)).Mx("mx2." + shared.Domain, 20).Dns("mx2." + shared.Domain, "CNAME", shared.Host + ".");
        var implicitMx = New("implicit");
        implicitMx.Address(implicitMx.Domain, Good(implicitMx));
        var repeated = New("one-host-twice");
        repeated.Server(Good(repeated)).Mx(repeated.Host, 20);
    }
}
