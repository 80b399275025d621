using System.Text;
using PolicyDaemon.Lookup.Answering;
using Xunit;

namespace PolicyDaemon.Tests.Lookup.Answering;

public sealed class LookupDemandTests
{
    [Fact]
    public void Each_kind_is_counted_and_drained_for_itself()
    {
        var demand = new LookupDemand();
        Add(demand, DemandKind.Pinned, "a.example", "b.example", "a.example");
        Add(demand, DemandKind.NearMiss, "a.example", "a.example");

        Assert.Equal([new("a.example", 1), new("b.example", 1)], Drained(demand, DemandKind.Pinned));
        Assert.Empty(demand.Drain(DemandKind.Pinned));
        Assert.Equal([new("a.example", 2)], Drained(demand, DemandKind.NearMiss));
        Add(demand, DemandKind.Pinned, "a.example");
        Assert.Equal([new("a.example", 1)], Drained(demand, DemandKind.Pinned));
    }

    [Theory]
    [InlineData(DemandKind.Pinned)]
    [InlineData(DemandKind.NearMiss)]
    public void How_many_keys_are_kept_is_bounded_whatever_is_asked_and_whether_or_not_anybody_drains(DemandKind kind)
    {
        var demand = new LookupDemand(10, 10);
        for (var port = 0; port < 1000; port++)
            Add(demand, kind, $"mx.example.net:{port}");
        for (var i = 0; i < 5; i++)
            Add(demand, kind, "mx.example.net:3");

        var drained = Drained(demand, kind);
        Assert.Equal(10, drained.Count);
        Assert.Equal(kind == DemandKind.Pinned ? 1 : 6, drained.Single(one => one.Key == "mx.example.net:3").Count);
        Add(demand, kind, "mx.example.net:999");
        Assert.Equal([new("mx.example.net:999", 1)], Drained(demand, kind));
    }

    [Fact]
    public void A_flood_of_one_kind_leaves_the_room_of_the_other()
    {
        var demand = new LookupDemand(pinned: 2, nearMisses: 2);
        for (var port = 0; port < 1000; port++)
            Add(demand, DemandKind.NearMiss, $"mx.example.net:{port}");
        Add(demand, DemandKind.Pinned, "a.example");

        Assert.Equal([new("a.example", 1)], Drained(demand, DemandKind.Pinned));
    }

    [Fact]
    public async Task Lookups_from_many_threads_are_all_counted()
    {
        var demand = new LookupDemand();
        await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => Task.Run(() =>
        {
            for (var i = 0; i < 10_000; i++)
                demand.Add(i % 2 == 0 ? "a.example"u8 : "b.example"u8, DemandKind.NearMiss);
        })));

        Assert.Equal([new("a.example", 20_000), new("b.example", 20_000)], Drained(demand, DemandKind.NearMiss));
    }

    [Fact]
    public void Only_pinned_keys_call_for_a_probe_and_the_second_time_costs_nothing()
    {
        var data = new LookupTestData();
        var pinned = Encoding.ASCII.GetBytes("[mx.example.net]:587");
        data.Ask("example.com");
        data.Ask("missing.example");
        Assert.Empty(data.Demand.Drain(DemandKind.Pinned));
        data.Service.Answer("tlspolicy"u8, pinned);
        var before = GC.GetAllocatedBytesForCurrentThread();

        data.Service.Answer("tlspolicy"u8, pinned);

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.Equal([new("[mx.example.net]:587", 1)], Drained(data.Demand, DemandKind.Pinned));
    }

    private static void Add(LookupDemand demand, DemandKind kind, params string[] keys)
    {
        foreach (var key in keys)
            demand.Add(Encoding.ASCII.GetBytes(key), kind);
    }

    private static List<Demand> Drained(LookupDemand demand, DemandKind kind) =>
        [.. demand.Drain(kind).OrderBy(one => one.Key, StringComparer.Ordinal)];
}
