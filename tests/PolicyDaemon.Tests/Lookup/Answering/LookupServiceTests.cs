using System.Text;
using Microsoft.Extensions.Time.Testing;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Serving;
using PolicyDaemon.Lookup.Answering;
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
    public void A_near_miss_is_counted_and_not_found()
    {
        var data = new LookupTestData();
        Assert.Equal(LookupAnswer.NotFound, data.Ask("mx.example.net"));
        Assert.Equal(LookupAnswer.NotFound, data.Ask("MX.example.net"));
        Assert.Equal(LookupAnswer.NotFound, data.Ask("[mx.example.net]:25"));
        Assert.Equal(3, data.Service.Counters.NearMisses);
        Assert.Equal([new("[mx.example.net]:25", 1), new("mx.example.net", 2)], data.NearMisses.Drain().OrderBy(miss => miss.Key, StringComparer.Ordinal));
        Assert.Empty(data.NearMisses.Drain());
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
        var service = new LookupService(new BrokenSource(), PostfixSettings.Default, new NearMissLog(), new LookupCounters(), logger, time);
        for (var i = 0; i < 100; i++)
            Assert.Equal(LookupAnswerKind.Temporary, service.Answer("tlspolicy"u8, "example.com\n"u8).Kind);
        Assert.Single(logger.Lines);
        Assert.Contains("example.com\\x0A", logger.Lines[0].Message, StringComparison.Ordinal);
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
    public void Near_misses_are_bounded_whatever_is_asked()
    {
        var log = new NearMissLog(10);
        for (var i = 0; i < 1000; i++)
            log.Add(Encoding.ASCII.GetBytes($"mx.example.net:{i}"));
        for (var i = 0; i < 5; i++)
            log.Add("mx.example.net:3"u8);
        var drained = log.Drain();
        Assert.Equal(10, drained.Count);
        Assert.Equal(6, drained.Single(miss => miss.Key == "mx.example.net:3").Count);
        Assert.Equal(990, log.Unnamed);
        log.Add("mx.example.net:999"u8);
        Assert.Equal([new("mx.example.net:999", 1)], log.Drain());
    }

    [Fact]
    public async Task Near_misses_from_many_threads_are_all_counted()
    {
        var log = new NearMissLog();
        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() =>
        {
            for (var i = 0; i < 10_000; i++)
                log.Add(i % 2 == 0 ? "a.example"u8 : "b.example"u8);
        })));
        Assert.Equal([new("a.example", 20_000), new("b.example", 20_000)], log.Drain().OrderBy(miss => miss.Key, StringComparer.Ordinal));
    }

    private sealed class BrokenSource : IPolicySource
    {
        public PolicySnapshot? Current => throw new InvalidOperationException("broken");
    }
}
