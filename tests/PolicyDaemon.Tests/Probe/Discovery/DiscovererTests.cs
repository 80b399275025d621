using System.Net;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Discovery;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Probe.Discovery;
using PolicyDaemon.Probe.Dns;
using PolicyDaemon.Probe.MtaSts;
using PolicyDaemon.Tests.Support;
using Xunit;

namespace PolicyDaemon.Tests.Probe.Discovery;

/// <summary>Destinations discovered over a resolver and a policy host on loopback.</summary>
public sealed class DiscovererTests : IAsyncDisposable
{
    private const int Txt = 16;
    private const string Policy = "version: STSv1\nmode: enforce\nmax_age: 604800\nmx: *.provider.test\n";

    private static readonly X509Certificate2 Certificate = TestCertificates.Issued("mta-sts.one.test", "mta-sts.two.test");

    private readonly StepTime time = new(TestCertificates.Now);
    private readonly FakeDnsServer dns = new();
    private readonly MemoryPolicies store = new();
    private readonly DnsResolvers source;
    private readonly TaskCompletionSource write = new();
    private FakePolicyHost? host;
    private Discoverer? discoverer;

    public DiscovererTests()
    {
        source = new DnsResolvers(
            new DnsOptions
            {
                Resolvers = [dns.EndPoint],
                ResolverTrusted = true,
                SecureTestName = "secure.test",
                BogusTestName = "bogus.test",
                Timeout = TimeSpan.FromMinutes(1),
                TryTimeout = TimeSpan.FromSeconds(30),
            },
            time);
        dns.Set("secure.test", FakeDnsServer.A, new FakeDnsReply { Authentic = true, Records = [("secure.test", FakeDnsServer.A, [192, 0, 2, 9])] });
        dns.Set("bogus.test", FakeDnsServer.A, new FakeDnsReply { Bogus = true });
        Host("mx.provider.test", secure: true, tlsa: true);
    }

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        write.TrySetResult();
        if (discoverer is not null)
            await discoverer.DisposeAsync();
        source.Dispose();
        time.Dispose();
        await dns.DisposeAsync();
        if (host is not null)
            await host.DisposeAsync();
    }

    [Fact]
    public async Task A_domain_with_DANE_is_discovered_and_remembered_with_its_evidence()
    {
        Domain("one.test");

        var result = await DiscoverAsync("one.test");

        Assert.Equal((DiscoveredAnswer.DaneOnly, DiscoveryRow.AllDane), (result.Verdict.Answer, result.Verdict.Row));
        Assert.Equal((null, DiscoveredAnswer.DaneOnly), (result.Change!.From, result.Change.To));
        Assert.Equal(
            [
                "A of mx.provider.test Secure 60", "AAAA of mx.provider.test Secure 300", "MX of one.test Secure 60",
                "TLSA of _25._tcp.mx.provider.test Secure 60", "TXT of _mta-sts.one.test Unknown 300",
            ],
            result.Evidence!.Answers.Select(answer => $"{answer.Question} {answer.Security} {answer.Ttl.TotalSeconds}").Order(StringComparer.Ordinal));
        Assert.All(result.Evidence.Answers, answer => Assert.Equal(dns.EndPoint.ToString(), answer.Resolver));
        await discoverer!.FlushAsync();
        Assert.Equal(result.Memory, store["one.test"]);
        Assert.Equal(result.Change, Assert.Single(store.Changes));
    }

    [Fact]
    public async Task What_is_done_is_counted()
    {
        Domain("one.test", secure: false);
        Publish("one.test");
        dns.Set("two.test", FakeDnsServer.Mx, new FakeDnsReply { Code = 2 });

        await DiscoverAsync("one.test");
        await DiscoverAsync("two.test");

        var counts = discoverer!.Counts;
        Assert.Equal(2, counts.Durations.Count);
        Assert.Equal(2, counts.Durations.Buckets[^1]);
        Assert.Equal((1, 0), (counts.Fetches["valid"], counts.Fetches["sts-policy-fetch-error"]));
        Assert.True(discoverer.DnsFailures["servfail"] >= 1);
        Assert.Equal(["bogus", "other", "refused", "servfail", "timeout"], discoverer.DnsFailures.Keys.Order(StringComparer.Ordinal));
    }

    [Theory]
    [InlineData(DiscoveredAnswer.NotFound, DiscoveredAnswer.Secure, 1, 0)]
    [InlineData(DiscoveredAnswer.DaneOnly, DiscoveredAnswer.Dane, 0, 1)]
    [InlineData(DiscoveredAnswer.Secure, DiscoveredAnswer.Secure, 0, 0)]
    [InlineData(null, DiscoveredAnswer.Secure, 0, 0)]
    public void A_change_of_a_verdict_goes_up_or_down(DiscoveredAnswer? from, DiscoveredAnswer to, int up, int down)
    {
        var counters = new DiscoveryCounters();
        counters.NoteChange(new DiscoveryChange(time.GetUtcNow(), from, DiscoveryRow.NoDane, to, DiscoveryRow.AllDane, null!), DiscoverySettings.Default);
        var counts = counters.Read();
        Assert.Equal((up, down), (counts.ChangesUp, counts.ChangesDown));
    }

    [Fact]
    public void The_time_of_a_discovery_is_in_every_bucket_that_is_long_enough()
    {
        var counters = new DiscoveryCounters();
        counters.NoteRun(TimeSpan.FromSeconds(0.3));
        counters.NoteRun(TimeSpan.FromSeconds(20));
        var seconds = counters.Read().Durations;
        Assert.Equal((2, 20_300), (seconds.Count, seconds.Milliseconds));
        Assert.Equal([0, 0, 0, 0, 1, 1, 1, 1, 1], seconds.Buckets);
    }

    [Fact]
    public async Task The_evidence_of_a_verdict_gives_it_again_without_a_network()
    {
        Domain("one.test", secure: false);
        Publish("one.test");

        var result = await DiscoverAsync("one.test");

        Assert.Equal(DiscoveryRow.UnsignedMxWithDane, result.Verdict.Row);
        Assert.True(DiscoveryJson.TryRead(DiscoveryJson.Write(result.Evidence!), out var evidence, out var reason), reason);
        var again = DiscoveryVerdict.Of(DiscoveryDecision.Of(evidence, spread: 1), evidence.Conditions, evidence.At)!;
        Assert.Equal((result.Verdict.Answer, result.Verdict.Row, result.Verdict.Policy), (again.Answer, again.Row, again.Policy));
    }

    [Fact]
    public async Task A_further_domain_of_a_provider_costs_two_questions()
    {
        Domain("one.test");
        Domain("two.test");
        await DiscoverAsync("one.test");
        var before = dns.Questions.Count();

        Assert.Equal(DiscoveredAnswer.DaneOnly, (await DiscoverAsync("two.test")).Verdict.Answer);

        Assert.Equal(["15 two.test", "16 _mta-sts.two.test"], dns.Questions.Skip(before).Select(question => $"{question.Type} {question.Name}").Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task An_enforce_policy_is_fetched_and_in_the_store_before_it_is_answered()
    {
        Domain("one.test", secure: false);
        Publish("one.test");
        store.Writable = write.Task;

        var run = Discoverer().Discover(NextHop.Parse("one.test"), DiscoveryReason.Use);
        Assert.True(await store.Began.WaitAsync(TimeSpan.FromSeconds(60), Cancellation));
        Assert.False(run.Verdict.IsCompleted);
        write.SetResult();

        Assert.Equal(DiscoveredAnswer.Secure, (await run.Verdict).Answer);
        Assert.Equal(Policy, store["one.test"]!.Sts.Kept!.Text);
        Assert.Equal("GET /.well-known/mta-sts.txt HTTP/1.1", Assert.Single(host!.Requests));
    }

    [Fact]
    public async Task Many_that_ask_at_once_get_one_discovery()
    {
        Domain("one.test");
        var hold = Hold("one.test");

        var runs = Enumerable.Range(0, 50).Select(_ => Discoverer().Discover(NextHop.Parse("one.test"), DiscoveryReason.Use)).ToList();
        hold.SetResult();
        await Task.WhenAll(runs.Select(run => run.Whole));

        Assert.Single(runs.Distinct());
        Assert.Single(dns.Questions, question => question is ("one.test", FakeDnsServer.Mx));
        Assert.Equal(0, discoverer!.Running);
    }

    [Fact]
    public async Task Sixty_four_destinations_are_asked_for_at_once_and_the_others_wait()
    {
        var hold = new TaskCompletionSource();
        for (var number = 0; number < 100; number++)
            dns.Set($"d{number}.test", FakeDnsServer.Mx, new FakeDnsReply { Held = hold.Task, AbsenceLife = 300 });
        await source.IsTrustedAsync(Cancellation);

        var runs = Enumerable.Range(0, 100).Select(number => Discoverer().Discover(NextHop.Parse($"d{number}.test"), DiscoveryReason.Use)).ToList();
        while (dns.Questions.Count(question => question.Type == FakeDnsServer.Mx) < 64)
            await dns.WhenAskedAsync(Cancellation);
        Assert.Equal(100, discoverer!.Running);
        Assert.Equal(64, dns.Questions.Count(question => question.Type == FakeDnsServer.Mx));
        hold.SetResult();
        await Task.WhenAll(runs.Select(run => run.Whole));

        Assert.Equal(100, dns.Questions.Count(question => question.Type == FakeDnsServer.Mx));
    }

    [Fact]
    public async Task A_slow_policy_host_holds_no_place_of_those_that_ask_DNS()
    {
        Domain("one.test", secure: false);
        var release = new TaskCompletionSource();
        PublishSlowly("one.test", release.Task, out var arrived);
        var slow = Discoverer(new DiscovererOptions { MaxDestinations = 1 }).Discover(NextHop.Parse("one.test"), DiscoveryReason.Use);
        await arrived;

        Domain("two.test");
        Assert.Equal(DiscoveredAnswer.DaneOnly, (await DiscoverAsync("two.test")).Verdict.Answer);
        Assert.False(slow.Verdict.IsCompleted); // unsigned: whether there is a policy decides
        release.SetResult();
        Assert.Equal(DiscoveredAnswer.Secure, (await slow.Verdict).Answer);
    }

    [Fact]
    public async Task Where_every_host_has_DANE_nobody_waits_for_the_policy()
    {
        Domain("one.test");
        var release = new TaskCompletionSource();
        PublishSlowly("one.test", release.Task, out var arrived);

        var run = Discoverer().Discover(NextHop.Parse("one.test"), DiscoveryReason.Use);

        Assert.Equal(DiscoveredAnswer.DaneOnly, (await run.Verdict).Answer);
        await arrived;
        Assert.False(run.Whole.IsCompleted);
        release.SetResult();
        Assert.Equal(Policy, (await run.Whole).Memory.Sts.Kept!.Text);
    }

    [Fact]
    public async Task A_policy_in_force_is_answered_while_a_new_one_is_fetched()
    {
        Domain("one.test", secure: false);
        Publish("one.test");
        await DiscoverAsync("one.test");
        await host!.DisposeAsync();
        var release = new TaskCompletionSource();
        PublishSlowly("one.test", release.Task, out var arrived, id: "2");
        time.Advance(TimeSpan.FromHours(2));
        await discoverer!.DisposeAsync();
        discoverer = null;

        var run = Discoverer().Discover(NextHop.Parse("one.test"), DiscoveryReason.Use);

        Assert.Equal("1", (await run.Verdict).Policy!.Id);
        await arrived;
        release.SetResult();
        Assert.Equal("2", (await run.Whole).Verdict.Policy!.Id);
    }

    [Fact]
    public async Task What_is_fresh_is_not_asked_for_again_and_nothing_is_written()
    {
        Domain("one.test");
        await DiscoverAsync("one.test");
        await discoverer!.FlushAsync();
        var (questions, batches) = (dns.Questions.Count(), store.Batches.Count);

        var result = await DiscoverAsync("one.test");

        Assert.Equal((DiscoveredAnswer.DaneOnly, null), (result.Verdict.Answer, result.Evidence));
        await discoverer.FlushAsync();
        Assert.Equal((questions, batches), (dns.Questions.Count(), store.Batches.Count));
    }

    [Fact]
    public async Task A_failure_is_not_asked_for_again_before_it_is_due()
    {
        dns.Set("one.test", FakeDnsServer.Mx, new FakeDnsReply { Code = 2 });
        int[] due = [30, 60, 120, 240, 300, 300];
        foreach (var seconds in due)
        {
            var asked = dns.Questions.Count(question => question is ("one.test", FakeDnsServer.Mx));
            Assert.Equal((DiscoveredAnswer.Dane, true), ((await DiscoverAsync("one.test")).Verdict.Answer, (await DiscoverAsync("one.test")).Verdict.IsUnknown));
            time.Advance(TimeSpan.FromSeconds(seconds - 1));
            await DiscoverAsync("one.test");
            Assert.Equal(asked + 2, dns.Questions.Count(question => question is ("one.test", FakeDnsServer.Mx))); // with the check whether it is bogus
            time.Advance(TimeSpan.FromSeconds(1));
        }

        Domain("one.test");
        Assert.Equal(DiscoveredAnswer.DaneOnly, (await DiscoverAsync("one.test")).Verdict.Answer);
    }

    [Fact]
    public async Task A_failure_leaves_the_last_verdict_and_the_change_says_so()
    {
        Domain("one.test");
        await DiscoverAsync("one.test");
        dns.Set("one.test", FakeDnsServer.Mx, new FakeDnsReply { Code = 2 });
        time.Advance(TimeSpan.FromHours(1));

        var result = await DiscoverAsync("one.test");

        Assert.Equal((DiscoveredAnswer.DaneOnly, DiscoveryRow.MxFailed, DiscoveryRow.AllDane), (result.Verdict.Answer, result.Verdict.Row, result.Verdict.LastRow));
        Assert.Equal((DiscoveryRow.AllDane, DiscoveryRow.MxFailed), (result.Change!.FromRow, result.Change.ToRow));
    }

    [Fact]
    public async Task All_questions_together_end_after_fifteen_seconds()
    {
        Domain("one.test");
        dns.Set("_25._tcp.mx.provider.test", FakeDnsServer.Tlsa, new FakeDnsReply { Silent = true });

        var discovering = DiscoverAsync("one.test");
        while (!dns.Questions.Any(question => question.Type == FakeDnsServer.Tlsa))
            await dns.WhenAskedAsync(Cancellation);
        time.Advance(TimeSpan.FromSeconds(15));

        var result = await discovering;
        Assert.Equal(DiscoveryRow.FailedDane, result.Verdict.Row);
        Assert.Contains("not answered in the time for all questions", Assert.Single(result.Verdict.Remarks).Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_resolver_that_does_not_validate_decides_nothing()
    {
        dns.Set("secure.test", FakeDnsServer.A, new FakeDnsReply { Records = [("secure.test", FakeDnsServer.A, [192, 0, 2, 9])] });
        Domain("one.test");
        Domain("two.test");
        Publish("two.test");

        var one = await DiscoverAsync("one.test");
        Assert.Equal((DiscoveryRow.NotVouched, DiscoveredAnswer.Dane), (one.Verdict.Row, one.Verdict.Answer));
        Assert.Contains("secure.test", one.Evidence!.Resolver, StringComparison.Ordinal);
        Assert.Equal(DiscoveredAnswer.Secure, (await DiscoverAsync("two.test")).Verdict.Answer);
    }

    [Theory]
    [InlineData(true, DiscoveryRow.UnsignedMx, DiscoveredAnswer.NotFound)]
    [InlineData(false, DiscoveryRow.NotVouched, DiscoveredAnswer.DaneOnly)]
    public async Task A_resolver_that_calls_insecure_what_was_secure_is_tested_before_DANE_is_given_up(bool validates, DiscoveryRow row, DiscoveredAnswer answer)
    {
        Domain("one.test");
        Assert.Equal(DiscoveredAnswer.DaneOnly, (await DiscoverAsync("one.test")).Verdict.Answer);

        // Within the hour for which its last self-test counts.
        time.Advance(TimeSpan.FromMinutes(10));
        Domain("one.test", secure: false);
        Host("mx.provider.test", secure: false, tlsa: false);
        if (!validates)
            dns.Set("secure.test", FakeDnsServer.A, new FakeDnsReply { Records = [("secure.test", FakeDnsServer.A, [192, 0, 2, 9])] });
        var result = await DiscoverAsync("one.test");

        Assert.Equal((row, answer), (result.Verdict.Row, result.Verdict.Answer));
        Assert.Equal(2, dns.Questions.Count(question => question is ("secure.test", FakeDnsServer.A)));
        if (!validates)
            Assert.Contains("less than before is secure of one.test", result.Evidence!.Resolver, StringComparison.Ordinal);

        // What stays lost is not tested for again and again.
        time.Advance(TimeSpan.FromMinutes(10));
        if (validates)
            await DiscoverAsync("one.test");
        Assert.Equal(2, dns.Questions.Count(question => question is ("secure.test", FakeDnsServer.A)));
    }

    [Fact]
    public async Task Without_DANE_no_self_test_is_made()
    {
        Domain("one.test");
        settings = new DiscoverySettings(TlsLevel.May, Dane: false, MtaSts: true);

        Assert.Equal(DiscoveredAnswer.NotFound, (await DiscoverAsync("one.test")).Verdict.Answer);
        Assert.DoesNotContain(dns.Questions, question => question.Name == "secure.test");
    }

    [Fact]
    public async Task A_person_gets_everything_asked_anew()
    {
        Domain("one.test", secure: false);
        Publish("one.test");
        await DiscoverAsync("one.test");

        await DiscoverAsync("one.test", DiscoveryReason.Person);

        Assert.Equal(2, host!.Requests.Count);
        Assert.Equal(2, dns.Questions.Count(question => question is ("one.test", FakeDnsServer.Mx)));
    }

    [Fact]
    public async Task A_policy_is_renewed_daily_though_no_mail_asks_and_its_MX_hosts_are_left_alone()
    {
        Domain("one.test", secure: false);
        Publish("one.test");
        await DiscoverAsync("one.test");
        var expires = store["one.test"]!.Sts.Kept!.Expires;
        Assert.Equal(0, await discoverer!.RenewPoliciesAsync(100, Cancellation));
        time.Advance(TimeSpan.FromHours(30));

        Assert.Equal(1, await discoverer.RenewPoliciesAsync(100, Cancellation));

        Assert.Equal((2, expires + TimeSpan.FromHours(30)), (host!.Requests.Count, store["one.test"]!.Sts.Kept!.Expires));
        Assert.Single(dns.Questions, question => question is ("one.test", FakeDnsServer.Mx));
        Assert.Equal(TestCertificates.Now, store["one.test"]!.Used);
        Assert.Equal(0, await discoverer.RenewPoliciesAsync(100, Cancellation));
    }

    [Fact]
    public async Task Renewals_that_cannot_be_written_or_are_not_tried_are_no_progress()
    {
        Domain("one.test", secure: false);
        Publish("one.test");
        await DiscoverAsync("one.test");
        time.Advance(TimeSpan.FromHours(30));

        // Whoever asks for page after page would be given the same one for ever.
        store.CannotWrite = true;
        Assert.Equal(0, await discoverer!.RenewPoliciesAsync(1, Cancellation));
        store.CannotWrite = false;
        Assert.Equal(0, await discoverer.RenewPoliciesAsync(1, Cancellation)); // what was fetched is written now
        Assert.Equal(2, host!.Requests.Count);

        time.Advance(TimeSpan.FromHours(30));
        settings = settings with { MtaSts = false };
        await using var without = Make();
        Assert.Equal(0, await without.RenewPoliciesAsync(1, Cancellation));
        Assert.Equal(2, host.Requests.Count);
    }

    [Fact]
    public async Task A_policy_that_came_from_elsewhere_is_renewed_with_what_DNS_says()
    {
        Domain("one.test", secure: false);
        Publish("one.test");
        var imported = StsRules.WithFetch(StsMemory.Empty, StsFetch.Served(TestCertificates.Now.AddDays(-2), Policy), spread: 1);
        store.Put(Discovered.Unseen(NextHop.Parse("one.test")) with { Sts = imported, Used = TestCertificates.Now.AddDays(-2) });

        Assert.Equal(1, await Discoverer().RenewPoliciesAsync(100, Cancellation));

        Assert.Equal((TestCertificates.Now, MxState.Insecure), (store["one.test"]!.Sts.Kept!.Fetched, store["one.test"]!.Facts!.Mx));
    }

    [Fact]
    public async Task The_renewal_of_a_policy_is_spread_over_a_third_of_a_day()
    {
        Publish("one.test", "two.test");
        Domain("one.test", secure: false);
        Domain("two.test", secure: false);
        await DiscoverAsync("one.test");
        await DiscoverAsync("two.test");

        var hours = new[] { "one.test", "two.test" }.Select(key => (store[key]!.Sts.FetchDue - TestCertificates.Now).TotalHours).ToList();
        Assert.NotEqual(hours[0], hours[1]);
        Assert.All(hours, due => Assert.InRange(due, 19.2, 28.8));
    }

    [Fact]
    public async Task What_cannot_be_written_is_served_and_written_later()
    {
        Domain("one.test", secure: false);
        Publish("one.test");
        store.CannotWrite = true;

        Assert.Equal(DiscoveredAnswer.Secure, (await DiscoverAsync("one.test")).Verdict.Answer);
        Assert.Null(store["one.test"]);
        Assert.Equal(DiscoveredAnswer.Secure, (await DiscoverAsync("one.test")).Verdict.Answer); // from memory
        Assert.Single(host!.Requests);
        store.CannotWrite = false;
        Assert.True(await store.Began.WaitAsync(0, Cancellation));
        time.Advance(TimeSpan.FromSeconds(30));
        Assert.True(await store.Began.WaitAsync(TimeSpan.FromSeconds(60), Cancellation));
        await discoverer!.FlushAsync();

        Assert.Equal(Policy, store["one.test"]!.Sts.Kept!.Text);
        Assert.Single(store.Changes);
    }

    [Fact]
    public async Task Verdicts_are_written_together_a_moment_later()
    {
        for (var number = 0; number < 10; number++)
        {
            Domain($"d{number}.test");
            await DiscoverAsync($"d{number}.test");
        }

        Assert.Empty(store.Batches);
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.True(await store.Began.WaitAsync(TimeSpan.FromSeconds(60), Cancellation));
        await discoverer!.FlushAsync();

        Assert.Equal(10, Assert.Single(store.Batches).Count);
    }

    [Fact]
    public async Task What_comes_while_others_are_written_is_written_after_them()
    {
        Domain("one.test");
        Domain("two.test");
        store.Writable = write.Task;
        await DiscoverAsync("one.test");
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.True(await store.Began.WaitAsync(TimeSpan.FromSeconds(60), Cancellation));
        await DiscoverAsync("two.test");
        time.Advance(TimeSpan.FromSeconds(1)); // its moment comes while the first batch is on its way
        write.SetResult();
        Assert.True(await store.Began.WaitAsync(TimeSpan.FromSeconds(60), Cancellation));

        await discoverer!.DisposeAsync();
        Assert.Equal([1, 1], store.Batches.Select(batch => batch.Count));
    }

    [Fact]
    public async Task A_full_batch_does_not_wait_for_the_moment()
    {
        Discoverer(new DiscovererOptions { WriteBatch = 3 });
        for (var number = 0; number < 3; number++)
        {
            Domain($"d{number}.test");
            await DiscoverAsync($"d{number}.test");
        }

        Assert.True(await store.Began.WaitAsync(TimeSpan.FromSeconds(60), Cancellation));
        await discoverer!.FlushAsync();
        Assert.Equal(3, Assert.Single(store.Batches).Count);
    }

    [Fact]
    public async Task The_end_writes_what_waits()
    {
        Domain("one.test");
        await DiscoverAsync("one.test");

        await discoverer!.DisposeAsync();

        Assert.NotNull(store["one.test"]);
    }

    [Fact]
    public async Task A_run_under_way_ends_with_the_discoverer()
    {
        Domain("one.test");
        Hold("one.test");
        var run = Discoverer().Discover(NextHop.Parse("one.test"), DiscoveryReason.Use);
        while (!dns.Questions.Any(question => question is ("one.test", FakeDnsServer.Mx)))
            await dns.WhenAskedAsync(Cancellation);

        await discoverer!.DisposeAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => run.Whole);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => run.Verdict);
        Assert.Throws<ObjectDisposedException>(() => discoverer.Discover(NextHop.Parse("one.test"), DiscoveryReason.Use));
    }

    [Fact]
    public async Task A_store_that_cannot_be_read_is_not_taken_for_an_empty_one()
    {
        Domain("one.test");
        store.CannotRead = true;

        var run = Discoverer().Discover(NextHop.Parse("one.test"), DiscoveryReason.Use);

        await Assert.ThrowsAsync<DiscoveryStoreException>(() => run.Verdict);
        Assert.Empty(dns.Questions);
        store.CannotRead = false;
        Assert.Equal(DiscoveredAnswer.DaneOnly, (await DiscoverAsync("one.test")).Verdict.Answer);
    }

    [Fact]
    public async Task Where_most_lookups_fail_the_trouble_is_ours_and_nothing_is_tried_soon()
    {
        for (var number = 0; number < 20; number++)
        {
            dns.Set($"d{number}.test", FakeDnsServer.Mx, new FakeDnsReply { Code = 2 });
            await DiscoverAsync($"d{number}.test");
        }

        Assert.StartsWith("20 of 20 DNS lookups for discovery failed", discoverer!.Trouble, StringComparison.Ordinal);
        dns.Set("last.test", FakeDnsServer.Mx, new FakeDnsReply { Code = 2 });
        Assert.Equal(time.GetUtcNow().AddMinutes(5), (await DiscoverAsync("last.test")).Memory.FactsDue);

        // Nothing has worked since.
        time.Advance(TimeSpan.FromMinutes(16));
        Assert.NotNull(discoverer.Trouble);
        Domain("good.test");
        await DiscoverAsync("good.test");
        Assert.Null(discoverer.Trouble);
    }

    [Fact]
    public async Task Where_most_fetches_fail_the_trouble_is_ours_too()
    {
        var domains = Enumerable.Range(0, 20).Select(number => $"d{number}.test").ToArray();
        await using var stranger = new FakePolicyHost(TestCertificates.SelfSigned("nobody.test"), FakePolicyHost.Ok(Policy));
        Publish(domains);
        await host!.DisposeAsync();
        host = null;
        foreach (var domain in domains)
        {
            Domain(domain, secure: false);
            await DiscoverAsync(domain, options: null, port: stranger.Port);
        }

        Assert.StartsWith("20 of 20 fetches of MTA-STS policies failed", discoverer!.Trouble, StringComparison.Ordinal);
    }

    private DiscoverySettings settings = DiscoverySettings.Default;

    private Discoverer Discoverer(DiscovererOptions? options = null, int? port = null) => discoverer ??= Make(options, port);

    private Discoverer Make(DiscovererOptions? options = null, int? port = null) => new(
        store, source,
        new PolicyFetcher(
            source, new StsOptions { Port = port ?? host?.Port ?? 1, PrivateAddresses = true, Roots = [TestCertificates.Root] }, time),
        settings, options ?? new DiscovererOptions(), new Random(7), time, NullLogger.Instance);

    private Task<DiscoveryResult> DiscoverAsync(string key, DiscoveryReason reason = DiscoveryReason.Use, DiscovererOptions? options = null, int? port = null) =>
        Discoverer(options, port).Discover(NextHop.Parse(key), reason).Whole;

    private void Domain(string name, bool secure = true)
    {
        dns.Set(name, FakeDnsServer.Mx, new FakeDnsReply
        {
            Authentic = secure,
            Records = [(name, FakeDnsServer.Mx, [0, 10, .. FakeDnsServer.WireName("mx.provider.test")])],
        });
        if (dns.Find($"_mta-sts.{name}", Txt) is null)
            dns.Set($"_mta-sts.{name}", Txt, new FakeDnsReply { AbsenceLife = 300 });
    }

    private TaskCompletionSource Hold(string name)
    {
        var hold = new TaskCompletionSource();
        dns.Set(name, FakeDnsServer.Mx, dns.Find(name, FakeDnsServer.Mx)! with { Held = hold.Task });
        return hold;
    }

    private void Host(string name, bool secure, bool tlsa)
    {
        dns.Set(name, FakeDnsServer.A, new FakeDnsReply { Authentic = secure, Records = [(name, FakeDnsServer.A, [192, 0, 2, 1])] });
        dns.Set(name, FakeDnsServer.Aaaa, new FakeDnsReply { Authentic = secure, AbsenceLife = 300 });
        if (tlsa)
            dns.Add($"_25._tcp.{name}", FakeDnsServer.Tlsa, [3, 1, 1, .. new byte[32]], authentic: secure);
    }

    private void Publish(params string[] domains)
    {
        host = new FakePolicyHost(Certificate, FakePolicyHost.Ok(Policy));
        foreach (var domain in domains)
            Announce(domain, "1");
    }

    private void PublishSlowly(string domain, Task release, out Task arrived, string id = "1")
    {
        var reached = new TaskCompletionSource();
        arrived = reached.Task;
        host = new FakePolicyHost(Certificate, async (stream, cancellation) =>
        {
            reached.TrySetResult();
            await release.WaitAsync(cancellation);
            await stream.WriteAsync(Encoding.ASCII.GetBytes(FakePolicyHost.Ok(Policy)), cancellation);
        });
        Announce(domain, id);
    }

    private void Announce(string domain, string id)
    {
        var text = Encoding.ASCII.GetBytes($"v=STSv1; id={id};");
        dns.Set($"_mta-sts.{domain}", Txt, new FakeDnsReply { Records = [($"_mta-sts.{domain}", Txt, [(byte)text.Length, .. text])] });
        dns.Set($"mta-sts.{domain}", FakeDnsServer.A, new FakeDnsReply { Records = [($"mta-sts.{domain}", FakeDnsServer.A, IPAddress.Loopback.GetAddressBytes())] });
        dns.Set($"mta-sts.{domain}", FakeDnsServer.Aaaa, new FakeDnsReply { AbsenceLife = 300 });
    }
}
