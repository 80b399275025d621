using System.Text;
using PolicyDaemon.Lookup.Answering;
using Xunit;

namespace PolicyDaemon.Tests.Lookup.Answering;

public sealed class PinnedLookupsTests
{
    private readonly PinnedLookups lookups = new(capacity: 3);

    [Fact]
    public void A_key_is_noted_once_until_it_is_forgotten()
    {
        Add("a.example", "b.example", "a.example");

        Assert.Equal(["a.example", "b.example"], lookups.Take());
        Add("a.example");
        Assert.Empty(lookups.Take());
        lookups.Forget();
        Add("a.example");
        Assert.Equal(["a.example"], lookups.Take());
    }

    [Fact]
    public void How_many_are_kept_is_bounded_though_nobody_takes_them()
    {
        Add("a", "b", "c", "d", "e");

        Assert.Equal(["a", "b", "c"], lookups.Take());
    }

    [Fact]
    public void Only_pinned_keys_are_noted_and_the_second_time_costs_nothing()
    {
        var data = new LookupTestData();
        var pinned = Encoding.ASCII.GetBytes("[mx.example.net]:587");
        data.Ask("example.com");
        data.Ask("missing.example");
        Assert.Empty(data.Pinned.Take());
        data.Service.Answer("tlspolicy"u8, pinned);
        var before = GC.GetAllocatedBytesForCurrentThread();

        data.Service.Answer("tlspolicy"u8, pinned);

        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.Equal(["[mx.example.net]:587"], data.Pinned.Take());
    }

    private void Add(params string[] keys)
    {
        foreach (var key in keys)
            lookups.Add(Encoding.ASCII.GetBytes(key));
    }
}
