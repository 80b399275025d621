using System.Collections.Immutable;
using System.Net;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Probe.Dns;
using PolicyDaemon.Probe.Smtp;
using PolicyDaemon.Tests.Support;
using Xunit;

namespace PolicyDaemon.Tests.Probe.Dns;

public sealed class MxResolverTests : IAsyncDisposable
{
    private readonly FakeDnsServer dns = new();
    private readonly SettableClock time = new(TestCertificates.Now);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task MX_hosts_come_by_preference_with_the_addresses_of_both_families()
    {
        dns.AddMx("example.com", 20, "Backup.Example.com");
        dns.AddMx("example.com", 10, "mx.example.com");
        dns.AddHost("mx.example.com", false, "192.0.2.1", "192.0.2.2", "2001:db8::1");
        dns.AddHost("backup.example.com", false, "192.0.2.3");

        var found = await ResolveAsync("example.com");

        Assert.True(found.Worked);
        Assert.Equal(["mx.example.com", "backup.example.com"], found.Hosts.Select(host => host.Name));
        Assert.Equal(["192.0.2.1", "192.0.2.2", "2001:db8::1"], found.Hosts[0].Addresses.Select(address => address.ToString()));
        Assert.Equal((25, false, false), (found.Port, found.HostIsGiven, found.IsImplicit));
    }

    [Fact]
    public async Task Without_MX_the_domain_itself_takes_mail()
    {
        dns.AddHost("example.com", false, "192.0.2.1");

        var found = await ResolveAsync("example.com");

        Assert.True(found.IsImplicit);
        Assert.Equal("example.com", Assert.Single(found.Hosts).Name);
    }

    [Theory]
    [InlineData("xn--mnchen-3ya.example.com")]
    [InlineData("xn--a.example.com")] // no A-label of anything
    [InlineData("a_b.example.com")]
    public async Task Names_are_asked_for_and_read_octet_for_octet(string domain)
    {
        dns.AddMx(domain, 10, "mx." + domain);
        dns.AddHost("mx." + domain, false, "192.0.2.1");

        var found = await ResolveAsync(domain);

        var host = Assert.Single(found.Hosts);
        Assert.Equal(("mx." + domain, "192.0.2.1"), (host.Name, Assert.Single(host.Addresses).ToString()));
    }

    [Fact]
    public async Task A_null_MX_takes_no_mail()
    {
        dns.AddMx("example.com", 0, ".");
        dns.AddHost("example.com", false, "192.0.2.1");

        Assert.Equal(DnsOutcome.NullMx, (await ResolveAsync("example.com")).Outcome);
    }

    [Fact]
    public async Task An_MX_record_that_names_an_address_is_followed_as_Postfix_follows_it()
    {
        dns.AddMx("example.com", 10, "192.0.2.7");
        dns.AddMx("example.com", 20, "192.168");

        var found = await ResolveAsync("example.com");

        var host = Assert.Single(found.Hosts);
        Assert.Equal(("192.0.2.7", "192.0.2.7"), (host.Name, Assert.Single(host.Addresses).ToString()));
        Assert.Contains("names an address", found.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_name_that_does_not_exist_has_no_MX()
    {
        Assert.Equal(DnsOutcome.NoMx, (await ResolveAsync("example.com")).Outcome);
    }

    [Fact]
    public async Task An_MX_host_without_an_address_is_no_place_for_mail()
    {
        dns.AddMx("example.com", 10, "mx.example.com");

        Assert.Equal(DnsOutcome.NoMx, (await ResolveAsync("example.com")).Outcome);
    }

    [Fact]
    public async Task One_host_without_an_address_leaves_the_others()
    {
        dns.AddMx("example.com", 10, "gone.example.com");
        dns.AddMx("example.com", 20, "mx.example.com");
        dns.AddHost("mx.example.com", false, "192.0.2.1");

        var found = await ResolveAsync("example.com");

        Assert.True(found.Worked);
        Assert.Equal(DnsOutcome.NoAddress, found.Hosts[0].AddressOutcome);
    }

    [Fact]
    public async Task Aliases_are_followed_for_the_domain_and_for_the_host()
    {
        dns.Set("alias.example.com", FakeDnsServer.Mx, new FakeDnsReply
        {
            Records =
            [
                ("alias.example.com", FakeDnsServer.CName, FakeDnsServer.WireName("Example.net")),
                ("example.net", FakeDnsServer.Mx, [0, 10, .. FakeDnsServer.WireName("mx.example.net")]),
            ],
        });
        dns.Set("mx.example.net", FakeDnsServer.A, new FakeDnsReply
        {
            Records =
            [
                ("mx.example.net", FakeDnsServer.CName, FakeDnsServer.WireName("host.example.org")),
                ("host.example.org", FakeDnsServer.A, [192, 0, 2, 7]),
            ],
        });

        var host = Assert.Single((await ResolveAsync("alias.example.com")).Hosts);

        Assert.Equal("mx.example.net", host.Name);
        Assert.Equal([IPAddress.Parse("192.0.2.7")], host.Addresses);
    }

    [Fact]
    public async Task Aliases_in_a_circle_are_a_failure()
    {
        dns.Set("a.example", FakeDnsServer.Mx, new FakeDnsReply
        {
            Records =
            [
                ("a.example", FakeDnsServer.CName, FakeDnsServer.WireName("b.example")),
                ("b.example", FakeDnsServer.CName, FakeDnsServer.WireName("a.example")),
            ],
        });

        Assert.Equal(DnsOutcome.Failed, (await ResolveAsync("a.example")).Outcome);
    }

    [Fact]
    public async Task SERVFAIL_is_a_failure_of_ours()
    {
        dns.Set("example.com", FakeDnsServer.Mx, new FakeDnsReply { Code = 2 });

        var found = await ResolveAsync("example.com");

        Assert.Equal(DnsOutcome.Failed, found.Outcome);
        Assert.Equal($"the resolver {dns.EndPoint} answers SERVFAIL for MX of example.com", found.Detail);
        Assert.Equal(new ResolverFailure(dns.EndPoint.ToString(), "answers SERVFAIL"), Assert.Single(found.Failures));
    }

    [Fact]
    public async Task Addresses_that_cannot_be_looked_up_name_what_the_resolver_does()
    {
        dns.AddMx("example.com", 10, "mx.example.com");
        foreach (var type in new[] { FakeDnsServer.A, FakeDnsServer.Aaaa })
            dns.Set("mx.example.com", type, new FakeDnsReply { Code = 2 });

        Assert.Equal($"the resolver {dns.EndPoint} answers SERVFAIL for the addresses of mx.example.com", (await ResolveAsync("example.com")).Detail);
    }

    [Fact]
    public async Task REFUSED_is_a_failure_of_ours()
    {
        dns.Set("example.com", FakeDnsServer.Mx, new FakeDnsReply { Code = 5 });

        Assert.Equal(DnsOutcome.Failed, (await ResolveAsync("example.com")).Outcome);
    }

    [Fact]
    public async Task SERVFAIL_that_succeeds_with_checking_disabled_is_bogus()
    {
        dns.AddMx("example.com", 10, "mx.example.com");
        dns.Set("example.com", FakeDnsServer.Mx, new FakeDnsReply { Bogus = true });

        var found = await ResolveAsync("example.com");

        Assert.Equal((DnsOutcome.Bogus, DnssecStatus.Bogus), (found.Outcome, found.MxDnssec));
        Assert.Equal("dnssec-invalid", found.Outcome.AsProbeOutcome()?.ResultType());
    }

    [Fact]
    public async Task Bogus_addresses_of_the_only_host_are_bogus()
    {
        dns.AddMx("example.com", 10, "mx.example.com");
        dns.Set("mx.example.com", FakeDnsServer.A, new FakeDnsReply { Bogus = true });

        Assert.Equal(DnsOutcome.Bogus, (await ResolveAsync("example.com")).Outcome);
    }

    [Fact]
    public async Task A_silent_resolver_is_given_up_at_the_deadline()
    {
        using var steps = new StepTime(TestCertificates.Now);
        dns.Set("example.com", FakeDnsServer.Mx, new FakeDnsReply { Silent = true });
        using var resolver = new MxResolver(Options(), steps);

        var running = resolver.ResolveAsync(NextHop.Parse("example.com"), [], Cancellation);
        await Until.TrueAsync(() => dns.Questions.Any());
        steps.Advance(Options().Timeout);

        Assert.Equal(DnsOutcome.Failed, (await running).Outcome);
    }

    [Fact]
    public async Task A_truncated_answer_is_asked_for_again_over_TCP()
    {
        dns.AddMx("example.com", 10, "mx.example.com");
        dns.AddHost("mx.example.com", false, "192.0.2.1");
        dns.Set("example.com", FakeDnsServer.Mx, new FakeDnsReply
        {
            Truncated = true,
            Records = [("example.com", FakeDnsServer.Mx, [0, 10, .. FakeDnsServer.WireName("mx.example.com")])],
        });

        Assert.True((await ResolveAsync("example.com")).Worked);
    }

    [Theory]
    [InlineData("[mx.example.com]", 25)]
    [InlineData("[mx.example.com]:587", 587)]
    public async Task A_bracketed_host_is_taken_as_it_is(string key, int port)
    {
        dns.AddMx("mx.example.com", 10, "other.example.com");
        dns.AddHost("mx.example.com", false, "192.0.2.1");

        var found = await ResolveAsync(key);

        Assert.Equal((true, port, "mx.example.com"), (found.HostIsGiven, found.Port, Assert.Single(found.Hosts).Name));
        Assert.DoesNotContain(dns.Questions, question => question.Type == FakeDnsServer.Mx);
    }

    [Fact]
    public async Task A_port_without_brackets_still_goes_by_MX()
    {
        dns.AddMx("example.com", 10, "mx.example.com");
        dns.AddHost("mx.example.com", false, "192.0.2.1");

        var found = await ResolveAsync("example.com:submission");

        Assert.Equal((587, "mx.example.com", false), (found.Port, Assert.Single(found.Hosts).Name, found.HostIsGiven));
    }

    [Theory]
    [InlineData("192.0.2.1", "192.0.2.1", 25)]
    [InlineData("[192.0.2.1]:26", "192.0.2.1", 26)]
    [InlineData("[2001:db8::1]", "2001:db8::1", 25)]
    [InlineData("[2001:db8::1]:587", "2001:db8::1", 587)]
    public async Task A_literal_address_needs_no_DNS(string key, string address, int port)
    {
        var found = await ResolveAsync(key);

        Assert.Equal([IPAddress.Parse(address)], Assert.Single(found.Hosts).Addresses);
        Assert.Equal((true, port), (found.HostIsGiven, found.Port));
        Assert.Empty(dns.Questions);
    }

    [Fact]
    public async Task A_leading_dot_key_is_probed_at_the_hosts_that_were_named_for_it()
    {
        dns.AddHost("mx.example.com", false, "192.0.2.1");

        var found = await ResolveAsync(".example.com", "mx.example.com");

        Assert.Equal("mx.example.com", Assert.Single(found.Hosts).Name);
        Assert.Equal(DnsOutcome.NoMx, (await ResolveAsync(".example.com")).Outcome);
    }

    [Fact]
    public async Task A_leading_dot_key_is_probed_at_the_servers_of_its_domain_unless_others_are_named()
    {
        dns.AddMx("example.com", 10, "mx.example.com", false);
        dns.AddHost("mx.example.com", false, "192.0.2.1");

        var found = await ResolveAsync(".example.com");

        Assert.Equal("mx.example.com", Assert.Single(found.Hosts).Name);
        Assert.False(found.HostIsGiven);
        Assert.Equal(".example.com", found.NextHop.Text);
    }

    [Fact]
    public async Task A_service_name_that_nobody_knows_is_said_so()
    {
        Assert.Contains("service name", (await ResolveAsync("[mx.example.com]:quux")).Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_zone_with_too_many_hosts_is_followed_to_the_limit()
    {
        for (var i = 0; i < 100; i++)
        {
            dns.AddMx("example.com", i, $"mx{i}.example.com");
            dns.AddHost($"mx{i}.example.com", false, [.. Enumerable.Range(1, 40).Select(octet => $"192.0.2.{octet}")]);
        }

        var found = await ResolveAsync("example.com");

        Assert.Equal(20, found.Hosts.Length);
        Assert.Contains("100 MX hosts", found.Detail, StringComparison.Ordinal);
        Assert.All(found.Hosts, host => Assert.Equal(16, host.Addresses.Length));
    }

    [Fact]
    public async Task An_MX_record_with_octets_that_no_host_has_is_left_out()
    {
        dns.Add("example.com", FakeDnsServer.Mx, [0, 5, 9, .. "mx {evil}"u8, 0]);
        dns.AddMx("example.com", 10, "mx.example.com");
        dns.AddHost("mx.example.com", false, "192.0.2.1");

        Assert.Equal("mx.example.com", Assert.Single((await ResolveAsync("example.com")).Hosts).Name);
    }

    [Fact]
    public async Task The_AD_bit_of_a_resolver_that_is_not_trusted_says_nothing()
    {
        SecureZone();

        var found = await ResolveAsync("example.com");

        Assert.Equal(DnssecStatus.Unknown, found.MxDnssec);
        Assert.Equal(DnssecStatus.Unknown, found.Hosts[0].TlsaDnssec);
    }

    [Fact]
    public async Task The_AD_bit_of_a_trusted_resolver_counts_after_its_self_test()
    {
        SecureZone();
        SelfTestZones();

        using var resolver = Trusted();
        var found = await resolver.ResolveAsync(NextHop.Parse("example.com"), [], Cancellation);

        Assert.True(resolver.Test!.Passed);
        Assert.Equal(DnssecStatus.Secure, found.MxDnssec);
        Assert.Equal(DnssecStatus.Secure, found.Hosts[0].AddressDnssec);
        Assert.Equal(DnssecStatus.Secure, found.Hosts[0].TlsaDnssec);
        var record = Assert.Single(found.Hosts[0].Tlsa);
        Assert.True(record.IsUsable);
        Assert.Equal((3, 1, 1), (record.Usage, record.Selector, record.MatchingType));
    }

    [Fact]
    public async Task An_unsigned_zone_at_a_trusted_resolver_is_insecure_and_its_TLSA_not_asked_for()
    {
        dns.AddMx("example.com", 10, "mx.example.com");
        dns.AddHost("mx.example.com", false, "192.0.2.1");
        SelfTestZones();

        using var resolver = Trusted();
        var found = await resolver.ResolveAsync(NextHop.Parse("example.com"), [], Cancellation);

        Assert.Equal(DnssecStatus.Insecure, found.MxDnssec);
        Assert.DoesNotContain(dns.Questions, question => question.Type == FakeDnsServer.Tlsa);
    }

    [Fact]
    public async Task A_forwarder_that_sets_AD_without_validating_fails_the_self_test()
    {
        SecureZone();
        SelfTestZones();
        dns.Set("bogus.test", FakeDnsServer.A, new FakeDnsReply { Records = [("bogus.test", FakeDnsServer.A, [192, 0, 2, 9])] });
        dns.AlwaysAuthentic = true;

        using var resolver = Trusted();
        var found = await resolver.ResolveAsync(NextHop.Parse("example.com"), [], Cancellation);

        Assert.False(resolver.Test!.Passed);
        Assert.Contains("bogus.test", resolver.Test.Detail, StringComparison.Ordinal);
        Assert.Equal(DnssecStatus.Unknown, found.MxDnssec);
    }

    [Fact]
    public async Task A_resolver_that_does_not_validate_fails_the_self_test()
    {
        SelfTestZones();
        dns.Set("secure.test", FakeDnsServer.A, new FakeDnsReply { Records = [("secure.test", FakeDnsServer.A, [192, 0, 2, 9])] });

        using var resolver = Trusted();
        await resolver.ResolveAsync(NextHop.Parse("example.com"), [], Cancellation);

        Assert.False(resolver.Test!.Passed);
    }

    [Fact]
    public async Task A_passed_self_test_is_repeated_when_it_is_no_longer_fresh()
    {
        SelfTestZones();
        using var resolver = Trusted();
        await resolver.ResolveAsync(NextHop.Parse("example.com"), [], Cancellation);
        await resolver.ResolveAsync(NextHop.Parse("example.com"), [], Cancellation);
        Assert.Single(dns.Questions, question => question.Name == "secure.test");

        // A clock that is set back meanwhile does not make it younger.
        time.Set(TimeSpan.FromHours(-6));
        time.Advance(TimeSpan.FromHours(1));
        dns.Set("secure.test", FakeDnsServer.A, new FakeDnsReply { Code = 2 });
        await resolver.ResolveAsync(NextHop.Parse("example.com"), [], Cancellation);

        Assert.False(resolver.Test!.Passed);
    }

    [Fact]
    public async Task Without_a_bogus_name_the_self_test_says_what_it_could_not_tell()
    {
        SelfTestZones();
        using var resolver = new MxResolver(
            Options() with { ResolverTrusted = true, SecureTestName = "secure.test", BogusTestName = null }, time);

        await resolver.ResolveAsync(NextHop.Parse("example.com"), [], Cancellation);

        Assert.True(resolver.Test!.Passed);
        Assert.NotNull(resolver.Test.Detail);
    }

    [Fact]
    public async Task A_failed_TLSA_lookup_is_not_an_absence()
    {
        SecureZone();
        SelfTestZones();
        dns.Set("_25._tcp.mx.example.com", FakeDnsServer.Tlsa, new FakeDnsReply { Code = 2 });

        using var resolver = Trusted();
        var host = (await resolver.ResolveAsync(NextHop.Parse("example.com"), [], Cancellation)).Hosts[0];

        Assert.True(host.TlsaFailed);
        Assert.Empty(host.Tlsa);
    }

    [Fact]
    public async Task A_family_that_fails_leaves_the_TLSA_records_of_the_other()
    {
        SecureZone();
        SelfTestZones();
        dns.Set("mx.example.com", FakeDnsServer.Aaaa, new FakeDnsReply { Code = 2 });

        using var resolver = Trusted();
        var host = (await resolver.ResolveAsync(NextHop.Parse("example.com"), [], Cancellation)).Hosts[0];

        Assert.Equal((DnssecStatus.Secure, DnssecStatus.Secure, false), (host.AddressDnssec, host.TlsaDnssec, host.TlsaFailed));
        Assert.Single(host.Tlsa);
        Assert.Equal(DnsOutcome.Failed, host.AddressOutcome); // addresses that were known stay known
        Assert.Contains("SERVFAIL", host.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_secure_alias_into_an_unsigned_zone_has_the_TLSA_records_at_its_own_name()
    {
        SelfTestZones();
        AliasIntoUnsignedZone(secure: true);

        using var resolver = Trusted();
        var host = (await resolver.ResolveAsync(NextHop.Parse("example.com"), [], Cancellation)).Hosts[0];

        Assert.Equal((DnssecStatus.Insecure, DnssecStatus.Secure, "mx.example.com"), (host.AddressDnssec, host.TlsaDnssec, host.TlsaBase));
        Assert.Single(host.Tlsa);
        Assert.DoesNotContain(dns.Questions, question => question.Name == "_25._tcp.host.example.net");
    }

    [Fact]
    public async Task An_insecure_alias_into_an_unsigned_zone_has_none()
    {
        SelfTestZones();
        AliasIntoUnsignedZone(secure: false);

        using var resolver = Trusted();
        var host = (await resolver.ResolveAsync(NextHop.Parse("example.com"), [], Cancellation)).Hosts[0];

        Assert.Equal((null, DnssecStatus.Unknown), (host.TlsaBase, host.TlsaDnssec));
        Assert.DoesNotContain(dns.Questions, question => question.Type == FakeDnsServer.Tlsa);
    }

    [Fact]
    public async Task An_alias_whose_own_lookup_fails_has_a_TLSA_lookup_that_failed()
    {
        SelfTestZones();
        AliasIntoUnsignedZone(secure: true);
        dns.Set("mx.example.com", FakeDnsServer.CName, new FakeDnsReply { Code = 2 });

        using var resolver = Trusted();

        Assert.True((await resolver.ResolveAsync(NextHop.Parse("example.com"), [], Cancellation)).Hosts[0].TlsaFailed);
    }

    [Fact]
    public async Task TLSA_records_are_sought_at_the_end_of_the_aliases_and_then_at_the_name()
    {
        SelfTestZones();
        dns.AddMx("example.com", 10, "mx.example.com", authentic: true);
        foreach (var type in new[] { FakeDnsServer.A, FakeDnsServer.Aaaa })
        {
            dns.Set("mx.example.com", type, new FakeDnsReply
            {
                Authentic = true,
                Records =
                [
                    ("mx.example.com", FakeDnsServer.CName, FakeDnsServer.WireName("host.example.net")),
                    .. type == FakeDnsServer.A ? [("host.example.net", type, new byte[] { 192, 0, 2, 7 })] : Array.Empty<(string, int, byte[])>(),
                ],
            });
        }

        dns.Set("_25._tcp.host.example.net", FakeDnsServer.Tlsa, new FakeDnsReply { Authentic = true });
        dns.Add("_25._tcp.mx.example.com", FakeDnsServer.Tlsa, [3, 1, 1, .. new byte[32]], authentic: true);

        using var resolver = Trusted();
        var host = (await resolver.ResolveAsync(NextHop.Parse("example.com"), [], Cancellation)).Hosts[0];

        Assert.Equal(("mx.example.com", "host.example.net"), (host.TlsaBase, host.CanonicalName));
        Assert.Single(host.Tlsa);
        Assert.Equal(["_25._tcp.host.example.net", "_25._tcp.mx.example.com"], dns.Questions.Where(question => question.Type == FakeDnsServer.Tlsa).Select(question => question.Name));
    }

    [Fact]
    public async Task Everything_that_can_be_asked_at_once_is()
    {
        SelfTestZones();
        var hold = new TaskCompletionSource();
        for (var number = 1; number <= 3; number++)
        {
            dns.AddMx("example.com", number, $"mx{number}.example.com", authentic: true);
            foreach (var type in new[] { FakeDnsServer.A, FakeDnsServer.Aaaa })
                dns.Set($"mx{number}.example.com", type, new FakeDnsReply { Authentic = true, Held = hold.Task, Records = type == FakeDnsServer.A ? [($"mx{number}.example.com", type, [192, 0, 2, 1])] : [] });
        }

        using var resolver = Trusted();
        var resolving = resolver.ResolveAsync(NextHop.Parse("example.com"), [], Cancellation);
        while (dns.Questions.Count(question => question.Name.StartsWith("mx", StringComparison.Ordinal)) < 6)
            await dns.WhenAskedAsync(Cancellation); // none of them is answered yet
        hold.SetResult();

        Assert.Equal(3, (await resolving).Hosts.Length);
    }

    [Theory]
    [InlineData(null, "example.com", false, null)]
    [InlineData("hostname", "example.com", false, "mx.example.com")]
    [InlineData("nexthop", "example.com:587", false, "example.com")]
    [InlineData("other.example", "example.com", false, "other.example")]
    [InlineData("nexthop", "[192.0.2.1]", false, null)]
    [InlineData(null, "example.com", true, "base.example.com")]
    public void SNI_is_what_Postfix_would_send(string? serverName, string key, bool dane, string? expected)
    {
        var host = new MxHost
        {
            Name = "mx.example.com",
            TlsaBase = "base.example.com",
            TlsaDnssec = DnssecStatus.Secure,
            Tlsa = [new TlsaRecord(3, 1, 1, [.. new byte[32]])],
        };

        Assert.Equal(expected, SniPolicy.For(serverName, NextHop.Parse(key), host, dane));
    }

    public ValueTask DisposeAsync() => dns.DisposeAsync();

    private DnsOptions Options() => new() { Resolvers = [dns.EndPoint] };

    private MxResolver Trusted() =>
        new(Options() with { ResolverTrusted = true, SecureTestName = "secure.test", BogusTestName = "bogus.test" }, time);

    private async Task<MxResolution> ResolveAsync(string key, params string[] probeAs)
    {
        using var resolver = new MxResolver(Options(), time);
        return await resolver.ResolveAsync(NextHop.Parse(key), probeAs.ToImmutableArray(), Cancellation);
    }

    private void SecureZone()
    {
        dns.AddMx("example.com", 10, "mx.example.com", authentic: true);
        dns.AddHost("mx.example.com", true, "192.0.2.1");
        dns.Add("_25._tcp.mx.example.com", FakeDnsServer.Tlsa, [3, 1, 1, .. new byte[32]], authentic: true);
    }

    private void AliasIntoUnsignedZone(bool secure)
    {
        dns.AddMx("example.com", 10, "mx.example.com", authentic: true);
        dns.Set("mx.example.com", FakeDnsServer.A, new FakeDnsReply
        {
            Records =
            [
                ("mx.example.com", FakeDnsServer.CName, FakeDnsServer.WireName("host.example.net")),
                ("host.example.net", FakeDnsServer.A, [192, 0, 2, 7]),
            ],
        });
        dns.Set("mx.example.com", FakeDnsServer.Aaaa, new FakeDnsReply
        {
            Records = [("mx.example.com", FakeDnsServer.CName, FakeDnsServer.WireName("host.example.net"))],
        });
        dns.Set("mx.example.com", FakeDnsServer.CName, new FakeDnsReply
        {
            Authentic = secure,
            Records = [("mx.example.com", FakeDnsServer.CName, FakeDnsServer.WireName("host.example.net"))],
        });
        dns.Add("_25._tcp.mx.example.com", FakeDnsServer.Tlsa, [3, 1, 1, .. new byte[32]], authentic: secure);
    }

    private void SelfTestZones()
    {
        dns.Set("secure.test", FakeDnsServer.A, new FakeDnsReply
        {
            Authentic = true,
            Records = [("secure.test", FakeDnsServer.A, [192, 0, 2, 9])],
        });
        dns.Set("bogus.test", FakeDnsServer.A, new FakeDnsReply { Bogus = true });
    }
}
