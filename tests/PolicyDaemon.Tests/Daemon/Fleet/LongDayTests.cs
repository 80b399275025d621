using System.Text;
using Microsoft.Extensions.Logging.Abstractions;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Lookup.Answering;
using PolicyDaemon.Store.Snapshots;
using PolicyDaemon.Tests.Support;
using Xunit;

namespace PolicyDaemon.Tests.Daemon.Fleet;

/// <summary>A server that is away for ten minutes, and one that does not come back: real servers, and a clock of the test's own.</summary>
[Trait(Part.Name, Part.Store)]
public sealed class LongDayTests : IDisposable
{
    private readonly string directory = Directory.CreateTempSubdirectory("policydaemon-longday").FullName;
    private readonly PostgreSqlCluster server = new PostgreSqlCluster().Start();
    private readonly SettableClock time = new(new DateTimeOffset(2026, 11, 23, 12, 0, 0, TimeSpan.Zero));
    private readonly FleetStore store;

    public LongDayTests() => store = FleetStore.Make(server);

    [Fact]
    public void Ten_minutes_without_it_are_one_finding_and_no_lookup_notices()
    {
        using var loader = Start();
        server.Stop();
        for (var second = 0; second < 600; second += 5)
        {
            time.Advance(TimeSpan.FromSeconds(5));
            loader.Poll();
            AssertAnswered(loader);
            // The first of them noticed it.
            if (second < 60)
                Assert.Empty(loader.Findings);
        }

        Assert.Equal(FindingKind.StoreUnavailable, Assert.Single(loader.Findings).Kind);
        server.Start();
        store.Put("after.example");
        loader.Poll();

        AssertAnswered(loader, "after.example");
        Assert.Empty(loader.Findings);
        Assert.True(loader.Status!.IsOfStore());
    }

    [Fact]
    public void For_good_without_it_answers_stay_what_they_were_over_a_year_and_a_restart()
    {
        using (var loader = Start())
        {
            server.Stop();
            for (var month = 0; month < 12; month++)
            {
                time.Advance(TimeSpan.FromDays(30));
                loader.Poll();
                AssertAnswered(loader);
            }

            var told = Assert.Single(loader.Findings);
            TestContext.Current.TestOutputHelper?.WriteLine($"{told.Detail}\n{told.Remedy}");
            Assert.Contains("nothing listens there", told.Detail, StringComparison.Ordinal);
        }

        using var again = Start();
        AssertAnswered(again);
        Assert.False(again.Status!.IsOfStore());
        time.Advance(TimeSpan.FromMinutes(2));
        again.Poll();
        Assert.Equal(FindingKind.StoreUnavailable, Assert.Single(again.Findings).Kind);
        AssertAnswered(again);
    }

    public void Dispose()
    {
        server.Dispose();
        Directory.Delete(directory, recursive: true);
    }

    private void AssertAnswered(SnapshotLoader loader, string key = FleetNode.Known)
    {
        var service = new LookupService(loader, PostfixSettings.Default, new LookupDemand(), new LookupCounters(), NullLogger<LookupService>.Instance, time);
        var reply = service.Answer("tlspolicy"u8, Encoding.ASCII.GetBytes(key));
        Assert.Equal((LookupAnswerKind.Found, "secure"), (reply.Kind, Encoding.ASCII.GetString(reply.Text)));
    }

    private SnapshotLoader Start()
    {
        var loader = new SnapshotLoader(
            new SnapshotLoaderOptions(store.Words, Path.Combine(directory, "snapshot")) { Patience = TimeSpan.FromMilliseconds(200) }, PostfixSettings.Default, time, NullLogger<SnapshotLoader>.Instance);
        loader.Start();
        return loader;
    }
}
