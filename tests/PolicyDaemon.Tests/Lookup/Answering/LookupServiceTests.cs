using System.Text;
using Microsoft.Extensions.Time.Testing;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Serving;
using PolicyDaemon.Lookup.Answering;
using PolicyDaemon.Lookup.Protocols;
using PolicyDaemon.Tests.Support;
using Xunit;

namespace PolicyDaemon.Tests.Lookup.Answering;

public sealed class LookupServiceTests
{
    [Fact]
    public void A_configured_key_is_found() =>
        Assert.Equal(LookupAnswer.Found(LookupTestData.Table["example.com"]), new LookupTestData().Ask("example.com"));

    [Fact]
    public void Without_a_snapshot_everything_is_a_temporary_error()
    {
        var data = new LookupTestData { Current = null };
        foreach (var key in (string[])["example.com", ".com", "", "no such thing", "unknown.example"])
            Assert.Equal(LookupAnswerKind.Temporary, data.Ask(key).Kind);
    }

    [Theory]
    [InlineData("")]
    [InlineData("TLSPOLICY")]
    [InlineData("tlspolicy-")]
    [InlineData("QUERY")]
    public void An_unknown_map_is_a_permanent_error(string map)
    {
        var data = new LookupTestData();
        Assert.Equal(LookupAnswerKind.Permanent, data.Ask("example.com", map).Kind);
        Assert.Equal(1, data.Service.Counters.Permanent);
    }

    [Fact]
    public void One_lookup_in_64_is_timed_the_first_among_them()
    {
        var data = new LookupTestData(time: new FakeTimeProvider());
        for (var lookup = 0; lookup < 129; lookup++)
            data.Ask(lookup % 2 == 0 ? "example.com" : "unknown.example");

        Assert.Equal((3, 3), (data.Service.Counters.Durations.Count, data.Service.Counters.Durations.Buckets[0]));
        Assert.Equal(129, data.Service.Counters.Lookups);
    }

    /// <summary>Whoever counts the levels that were answered reads them from the answers themselves.</summary>
    [Theory]
    [InlineData("none")]
    [InlineData("may")]
    [InlineData("encrypt ciphers=high")]
    [InlineData("fingerprint match=aa")]
    [InlineData("dane")]
    [InlineData("dane-only")]
    [InlineData("verify")]
    [InlineData("secure match=mx.example.com")]
    public void A_policy_text_tells_its_level(string text) =>
        Assert.Equal(text.Split(' ')[0], AnswerCounters.Level(Encoding.ASCII.GetBytes(text)).Name());

    [Fact]
    public void Lookups_are_counted_by_protocol_map_answer_and_level()
    {
        var data = new LookupTestData();
        data.Ask("example.com");
        data.Ask("example.com");
        data.Ask("example.com", "tlspolicy-tlsrpt");
        data.Ask("example.com", "nosuchmap");
        data.Service.Answer(MapName.TlsPolicy, "unknown.example"u8);
        Assert.True(TlsLevels.TryParse(LookupTestData.Table["example.com"].Split(' ')[0], out var level));

        Assert.Equal(
            [
                new(MapProtocol.Socketmap, MapName.TlsPolicy, LookupAnswerKind.Found, level, 2),
                new(MapProtocol.Socketmap, MapName.TlsPolicyTlsRpt, LookupAnswerKind.Found, level, 1),
                new(MapProtocol.Socketmap, null, LookupAnswerKind.Permanent, null, 1),
                new AnsweredLookups(MapProtocol.TcpTable, MapName.TlsPolicy, LookupAnswerKind.NotFound, null, 1),
            ],
            data.Service.Counters.ByAnswer);
        Assert.Equal((3, 1, 0, 1), (data.Service.Counters.Found, data.Service.Counters.NotFound, data.Service.Counters.Temporary, data.Service.Counters.Permanent));
    }

    [Fact]
    public void A_near_miss_is_counted_and_not_found()
    {
        var data = new LookupTestData();
        Assert.Equal(LookupAnswer.NotFound, data.Ask("mx.example.net"));
        Assert.Equal(LookupAnswer.NotFound, data.Ask("MX.example.net"));
        Assert.Equal(LookupAnswer.NotFound, data.Ask("[mx.example.net]:25"));
        Assert.Equal(3, data.Service.Counters.NearMisses);
        Assert.Equal([new("[mx.example.net]:25", 1), new("mx.example.net", 2)], data.Demand.Drain(DemandKind.NearMiss).OrderBy(miss => miss.Key, StringComparer.Ordinal));
        Assert.Empty(data.Demand.Drain(DemandKind.NearMiss));
    }

    [Fact]
    public void A_near_miss_is_a_temporary_error_where_the_configuration_says_so()
    {
        var data = new LookupTestData(NearMissAnswer.Temporary);
        Assert.Equal(LookupAnswerKind.Temporary, data.Ask("mx.example.net").Kind);
        Assert.Equal(LookupAnswer.NotFound, data.Ask("other.example.net"));
        data.Service.Postfix = PostfixSettings.Default;
        Assert.Equal(LookupAnswer.NotFound, data.Ask("mx.example.net"));
    }

    [Fact]
    public void An_exception_is_a_temporary_error_and_logged_at_a_bounded_rate()
    {
        var logger = new CollectingLogger<LookupService>();
        var time = new FakeTimeProvider();
        var service = new LookupService(new BrokenSource(), PostfixSettings.Default, new LookupDemand(), new LookupCounters(), logger, time);
        for (var i = 0; i < 100; i++)
            Assert.Equal(LookupAnswerKind.Temporary, service.Answer("tlspolicy"u8, "example.com\n"u8).Kind);
        Assert.Single(logger.Lines);
        Assert.Contains("example.com\\x0a", logger.Lines[0].Message, StringComparison.Ordinal);
        time.Advance(TimeSpan.FromSeconds(11));
        service.Answer("tlspolicy"u8, "example.com"u8);
        Assert.Equal(2, logger.Lines.Count);
        Assert.Contains("99 more", logger.Lines[1].Message, StringComparison.Ordinal);
        Assert.Equal(101, service.Counters.Temporary);
    }

    [Fact]
    public void Every_lookup_is_counted_once_by_its_answer()
    {
        var data = new LookupTestData();
        data.Ask("example.com");
        data.Ask("unknown.example");
        data.Ask(".com");
        data.Ask([0xff, 0xfe]);
        data.Ask("example.com", "other");
        var counters = data.Service.Counters;
        Assert.Equal((1, 2, 1, 1, 5), (counters.Found, counters.NotFound, counters.Temporary, counters.Permanent, counters.Lookups));
    }

    [Fact]
    public void A_hit_and_a_miss_allocate_nothing()
    {
        var service = new LookupTestData().Service;
        var hit = Encoding.ASCII.GetBytes("EXAMPLE.com");
        var miss = Encoding.ASCII.GetBytes("nothing.example.org");
        var found = Ask();
        var before = GC.GetAllocatedBytesForCurrentThread();
        found += Ask();
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.Equal(2, found);

        int Ask()
        {
            var count = service.Answer("tlspolicy"u8, hit).Kind == LookupAnswerKind.Found ? 1 : 0;
            return count + (service.Answer("tlspolicy-tlsrpt"u8, miss).Kind == LookupAnswerKind.Found ? 1 : 0);
        }
    }

    [Fact]
    public void An_entry_lapses_at_its_end_and_is_not_taken_for_a_near_miss_of_itself()
    {
        var time = new FakeTimeProvider(new DateTimeOffset(2026, 11, 29, 12, 0, 0, TimeSpan.Zero));
        var answer = LookupAnswer.Found("secure");
        var data = new LookupTestData(NearMissAnswer.Temporary, time)
        {
            Current = PolicySnapshot.Build(LookupTestData.Identity, [new SnapshotEntry("a.example", answer, answer, ValidUntil: time.GetUtcNow().AddHours(1))]),
        };

        Assert.Equal(answer, data.Ask("a.example"));
        time.Advance(TimeSpan.FromHours(1) - TimeSpan.FromSeconds(1));
        Assert.Equal(answer, data.Ask("a.example"));
        time.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(LookupAnswer.NotFound, data.Ask("a.example"));
        Assert.Empty(data.Demand.Drain(DemandKind.NearMiss));
    }

    private sealed class BrokenSource : ICurrentSnapshot
    {
        public PolicySnapshot? Current => throw new InvalidOperationException("broken");
    }
}
