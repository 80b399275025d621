using System.Globalization;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Discovery;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Store.Changes;
using PolicyDaemon.Store.Discovery;
using PolicyDaemon.Store.Probing;
using PolicyDaemon.Tests.Core.Discovery;
using Xunit;

namespace PolicyDaemon.Tests.Store.Discovery;

public sealed class DiscoveredStoreTests : IDisposable
{
    private readonly TemporaryStore temporary = new();
    private readonly List<ProbeLedger> ledgers = [];

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public void Dispose()
    {
        ledgers.ForEach(ledger => ledger.Dispose());
        temporary.Dispose();
    }

    [Fact]
    public async Task What_was_written_is_read_by_the_next_program_whole()
    {
        var policy = Policy("a.example");
        await Open().WriteAsync([new DiscoveredEntry(policy, null), new DiscoveredEntry(Nothing("b.example"), null)], Cancellation);

        var read = await Open().ReadAsync([policy.Key, NextHop.Parse("unknown.example"), NextHop.Parse("b.example")], Cancellation);

        Assert.Equal([policy, Nothing("b.example")], read);
        Assert.Equal("enforce", read[0].Sts.Kept!.Policy.Mode.ToString().ToLowerInvariant());
    }

    [Fact]
    public async Task What_protects_mail_is_read_before_the_first_lookup_and_the_rest_is_not()
    {
        var dane = Of(DiscoveryScenario.Of("S", "T10"), "dane.example");
        await Open().WriteAsync(
            [new DiscoveredEntry(Policy("sts.example"), null), new DiscoveredEntry(Nothing("nothing.example"), null), new DiscoveredEntry(dane, null)], Cancellation);

        Assert.Equal(["dane.example", "sts.example"], Open().ReadProtected().Select(memory => memory.Key.Text));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    public async Task All_of_it_is_read_whatever_it_has_of_pages(int more)
    {
        var keys = Enumerable.Range(0, (2 * DiscoveredStore.Page) - 1 + more).Select(number => string.Create(CultureInfo.InvariantCulture, $"sts{number:D5}.example")).ToList();
        var policy = Policy("sts.example");
        await Open().WriteAsync([.. keys.Select(key => new DiscoveredEntry(policy with { Key = NextHop.Parse(key) }, null))], Cancellation);

        Assert.Equal(keys, Open().ReadProtected().Select(memory => memory.Key.Text));
    }

    [Fact]
    public async Task Policies_in_force_that_are_due_are_renewed_the_longest_due_first()
    {
        var now = temporary.Time.GetUtcNow();
        await Open().WriteAsync(
            [
                Entry("late.example", now - TimeSpan.FromHours(1), now),
                Entry("later.example", now - TimeSpan.FromHours(2), now),
                Entry("early.example", now + TimeSpan.FromHours(1), now),
                Entry("clock-was-ahead.example", now + TimeSpan.FromDays(40), now),
                Entry("nobody-asks.example", now - TimeSpan.FromHours(3), now - TimeSpan.FromDays(181)),
                new DiscoveredEntry(Nothing("nothing.example"), null),
            ],
            Cancellation);

        var due = await Open().ReadRenewalsAsync(now, 10, Cancellation);
        Assert.Equal(["later.example", "late.example", "clock-was-ahead.example"], due.Select(key => key.Text));
        Assert.Single(await Open().ReadRenewalsAsync(now, 1, Cancellation));

        // It expires, whatever becomes of it.
        Assert.Empty(await Open().ReadRenewalsAsync(now + TimeSpan.FromDays(8), 10, Cancellation));

        // Those that are kept for want of mail are not counted any more; the others end in a week.
        Assert.Equal(0, Open().CountNearLapse(now + TimeSpan.FromDays(1)));
        Assert.Equal(4, Open().CountNearLapse(now + TimeSpan.FromDays(8)));
    }

    [Fact]
    public async Task Changes_of_a_verdict_are_kept_with_their_evidence_up_to_a_bound()
    {
        var scenario = DiscoveryScenario.Of("S", "T10");
        scenario.Use();
        var evidence = scenario.Last!;
        var store = Open();
        for (var count = 0; count < DiscoveredTable.ChangesPerKey + 5; count++)
        {
            var change = new DiscoveryChange(
                scenario.Now + TimeSpan.FromMinutes(count), DiscoveredAnswer.NotFound, DiscoveryRow.NoDane, DiscoveredAnswer.DaneOnly, DiscoveryRow.AllDane, evidence);
            await store.WriteAsync([new DiscoveredEntry(scenario.Memory, change)], Cancellation);
        }

        // That a domain publishes nothing is no news.
        var first = new DiscoveryChange(scenario.Now, null, null, DiscoveredAnswer.NotFound, DiscoveryRow.NoDane, evidence);
        await store.WriteAsync([new DiscoveredEntry(Nothing("nothing.example"), first)], Cancellation);

        using var reading = temporary.Open();
        var history = reading.ReadVerdictChanges(scenario.Key, 100);
        Assert.Equal(DiscoveredTable.ChangesPerKey, history.Count);
        Assert.Equal((scenario.Now + TimeSpan.FromMinutes(24)).ToUnixTimeSeconds(), history[0].At);
        Assert.Equal(("not-found", "2", "dane-only", "1"), (history[0].FromAnswer, history[0].FromRow, history[0].ToAnswer, history[0].ToRow));
        Assert.True(DiscoveryJson.TryRead(history[0].Evidence, out var read, out _));
        Assert.Equal(evidence.Answers.AsEnumerable(), read.Answers);
        Assert.Empty(reading.ReadVerdictChanges(NextHop.Parse("nothing.example"), 100));
    }

    [Fact]
    public async Task Beyond_the_bound_those_that_protect_nothing_leave_the_least_recently_used_first()
    {
        var store = new DiscoveredStore(Ledger(), temporary.Time, most: 2);
        await store.WriteAsync(
            [
                .. Enumerable.Range(1, 5).Select(number => new DiscoveredEntry(
                    Nothing(string.Create(CultureInfo.InvariantCulture, $"n{number}.example")) with { Used = temporary.Time.GetUtcNow() - TimeSpan.FromHours(number) }, null)),
                new DiscoveredEntry(Policy("policy.example") with { Used = DateTimeOffset.UnixEpoch }, null),
            ],
            Cancellation);

        using var reading = temporary.Open();
        Assert.Equal(["n1.example", "n2.example", "policy.example"], reading.ListDiscovered().Select(memory => memory.Key.Text));
    }

    [Fact]
    public async Task However_many_protect_mail_the_others_have_room_and_of_those_without_a_policy_in_force_the_least_recently_used_leave()
    {
        var now = temporary.Time.GetUtcNow();
        var dane = Of(DiscoveryScenario.Of("S", "T10"), "dane.example");
        var store = new DiscoveredStore(Ledger(), temporary.Time, most: 4);
        await store.WriteAsync(
            [
                .. Enumerable.Range(1, 3).Select(number => new DiscoveredEntry(
                    Policy(string.Create(CultureInfo.InvariantCulture, $"p{number}.example")) with { Used = DateTimeOffset.UnixEpoch }, null)),
                .. Enumerable.Range(1, 3).Select(number => new DiscoveredEntry(
                    dane with { Key = NextHop.Parse(string.Create(CultureInfo.InvariantCulture, $"dane{number}.example")), Used = now - TimeSpan.FromHours(number) }, null)),
                new DiscoveredEntry(Nothing("nothing.example"), null),
            ],
            Cancellation);

        using var reading = temporary.Open();
        Assert.Equal(
            ["dane1.example", "nothing.example", "p1.example", "p2.example", "p3.example"], reading.ListDiscovered().Select(memory => memory.Key.Text));
    }

    [Fact]
    public async Task A_policy_that_has_expired_and_that_nobody_asks_for_is_forgotten_after_half_a_year()
    {
        var now = temporary.Time.GetUtcNow();
        var store = new DiscoveredStore(Ledger(), temporary.Time, most: 9);
        var (asked, unused) = (now - TimeSpan.FromDays(179), now - TimeSpan.FromDays(181));
        await store.WriteAsync(
            [
                new DiscoveredEntry(Expired("asked.example") with { Used = asked }, null),
                new DiscoveredEntry(Expired("unused.example") with { Used = unused }, null),
                new DiscoveredEntry(Policy("in-force.example") with { Used = unused }, null),
                new DiscoveredEntry(Of(DiscoveryScenario.Of("S", "T10"), "dane.example") with { Used = unused }, null),
                .. Enumerable.Range(1, 5).Select(number => new DiscoveredEntry(Nothing(string.Create(CultureInfo.InvariantCulture, $"n{number}.example")), null)),
            ],
            Cancellation);

        Assert.Equal(["asked.example", "dane.example", "in-force.example"], Open().ReadProtected().Select(memory => memory.Key.Text));

        Discovered Expired(string key)
        {
            var policy = Policy(key);
            return policy with { Sts = policy.Sts with { Kept = policy.Sts.Kept! with { Expires = now } } };
        }
    }

    [Fact]
    public async Task What_another_program_changes_is_noticed_until_it_was_acted_on()
    {
        var store = Open();
        await store.WriteAsync([new DiscoveredEntry(Policy("a.example"), null)], Cancellation);
        Assert.Empty(store.ReadNotices(10));

        using (var other = temporary.Open())
        {
            other.WriteDiscovered([new DiscoveredEntry(Nothing("b.example"), null)]);
            Assert.True(other.ForgetDiscovered(NextHop.Parse("a.example")));
            Assert.False(other.ForgetDiscovered(NextHop.Parse("a.example")));
            Assert.Null(other.FindDiscovered(NextHop.Parse("a.example")));
            Assert.NotNull(other.FindDiscovered(NextHop.Parse("b.example")));
        }

        Assert.Equal(["b.example", "a.example", "a.example"], store.ReadNotices(10).Select(notice => notice.Key));
        await store.RemoveNoticesAsync(Assert.Single(store.ReadNotices(1)).Id);
        Assert.Equal(["a.example", "a.example"], store.ReadNotices(10).Select(notice => notice.Key));
        await store.RemoveNoticesAsync(store.ReadNotices(10)[^1].Id);
        Assert.Empty(store.ReadNotices(10));
    }

    [Fact]
    public async Task Who_forgets_a_destination_settles_what_was_found_about_it_and_nothing_else()
    {
        var now = temporary.Time.GetUtcNow();
        var store = Open();
        await store.WriteAsync([new DiscoveredEntry(Policy("a.example"), null)], Cancellation);
        await store.WriteFindingsAsync("a.example", [new Finding(FindingKind.PolicyLapsed, "a.example", "detail", "remedy", now)]);
        using var other = temporary.Open();
        other.RaiseFinding(new Finding(FindingKind.DestinationUnreachable, "a.example", "detail", "remedy", now));

        other.ForgetDiscovered(NextHop.Parse("a.example"));

        Assert.Equal(FindingKind.DestinationUnreachable, Assert.Single(other.OpenFindings()).Finding.Kind);
    }

    [Fact]
    public async Task What_cannot_be_read_counts_as_not_remembered()
    {
        await Open().WriteAsync([new DiscoveredEntry(Policy("a.example"), null)], Cancellation);
        temporary.Sql("UPDATE discovered SET memory = '{\"key\":'");

        Assert.Empty(await Open().ReadAsync([NextHop.Parse("a.example")], Cancellation));
        Assert.Empty(Open().ReadProtected());
    }

    [Fact]
    public async Task A_store_that_is_held_by_another_program_or_gone_is_said()
    {
        var store = new DiscoveredStore(Ledger(TimeSpan.FromMilliseconds(20)), temporary.Time);
        using (var other = temporary.Open())
        using (other.BeginChange(new ChangeOrigin(TemporaryStore.Alice, "slow"), PostfixSettings.Default))
        {
            var fault = await Assert.ThrowsAsync<DiscoveryStoreException>(() => store.WriteAsync([new DiscoveredEntry(Nothing("a.example"), null)], Cancellation));
            Assert.Contains("another program", fault.Message, StringComparison.Ordinal);
        }

        await store.WriteAsync([new DiscoveredEntry(Nothing("a.example"), null)], Cancellation);
        temporary.TakeAway();
        await Assert.ThrowsAsync<DiscoveryStoreException>(() => store.ReadAsync([NextHop.Parse("a.example")], Cancellation));
    }

    private static DiscoveredEntry Entry(string key, DateTimeOffset due, DateTimeOffset used)
    {
        var memory = Policy(key);
        return new DiscoveredEntry(memory with { Used = used, Sts = memory.Sts with { FetchDue = due } }, null);
    }

    private static Discovered Policy(string key) => Of(DiscoveryScenario.Of("W", "I10", enforce: true), key);

    private static Discovered Nothing(string key) => Of(DiscoveryScenario.Of("W", "I10"), key);

    private static Discovered Of(DiscoveryScenario scenario, string key)
    {
        scenario.Use();
        return scenario.Memory with { Key = NextHop.Parse(key) };
    }

    private DiscoveredStore Open() => new(Ledger(), temporary.Time);

    private ProbeLedger Ledger(TimeSpan? patience = null)
    {
        var ledger = new ProbeLedger(temporary.Path, PostfixSettings.Default, temporary.Time, patience ?? TimeSpan.FromSeconds(5));
        ledgers.Add(ledger);
        return ledger;
    }
}
