using System.Globalization;
using PolicyDaemon.Benchmarks.Loads;
using PolicyDaemon.Benchmarks.Machine;
using PolicyDaemon.Benchmarks.Peers;
using PolicyDaemon.Benchmarks.Reports;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Discovery;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Lookup.Answering;
using PolicyDaemon.Store.Discovery;
using PolicyDaemon.Store.Probing;

namespace PolicyDaemon.Benchmarks.Sections;

/// <summary>What a verdict takes in memory, and how soon a daemon with many of them answers.</summary>
/// <remarks>Two that policyd has found out itself are the patterns of all others, under other names.</remarks>
internal static class VerdictMemory
{
    private const int Batch = 10_000;

    // Of a million destinations so many have a policy: some hundredths of all mail domains published one in 2026.
    private const int OneHasAPolicy = 20;

    internal static async Task MeasureAsync(Bench bench, PolicydStore store, ReportPart part)
    {
        var verdicts = bench.Options.Quick ? 20_000 : 1_000_000;
        long sleeping;
        await using (var few = await store.StartAsync())
        {
            await Task.Delay(TimeSpan.FromSeconds(1));
            sleeping = few.ResidentKiB;
        }

        using (var ledger = new ProbeLedger(store.Database, PostfixSettings.Default, TimeProvider.System))
        {
            var kept = new DiscoveredStore(ledger, TimeProvider.System);
            var nothing = await FindAsync(kept, DiscoveredZone.Nothing(0));
            var policy = await FindAsync(kept, DiscoveredZone.WithPolicy(0));
            part.Row("octets of memory for a verdict that nothing is published", Octets(bench, nothing), "", "at most 250");
            part.Row("for one with a policy", Octets(bench, policy), "", "at most 1,024");
            for (var first = 0; first < verdicts; first += Batch)
            {
                await kept.WriteAsync(
                    [.. Enumerable.Range(first, Batch).Select(index => new DiscoveredEntry((index % OneHasAPolicy == 0 ? policy : nothing) with { Key = Key(index) }, null))], CancellationToken.None);
            }
        }

        Samples wall = new(), cpu = new(), resident = new();
        for (var round = 0; round < bench.Rounds; round++)
        {
            // The check of the store's pages, which begins with it, has the other core.
            await using var many = await store.StartAsync(isPinned: false);
            wall.Add(many.FirstAnswer.TotalSeconds);
            cpu.Add(many.CpuToFirstAnswer.TotalSeconds);
            if ((await Asker.AskAsync(store.Unix, Key(0).Text))?.Contains("OK secure match=", StringComparison.Ordinal) != true)
                throw new BenchmarkException("a policy is not answered after the restart");
            await Task.Delay(TimeSpan.FromSeconds(1));
            resident.Add((many.ResidentKiB - sleeping) / 1024.0);
        }

        part.Row(string.Create(CultureInfo.InvariantCulture, $"restart with {verdicts:N0} verdicts, one in {OneHasAPolicy} with a policy, to the first answer, s"), wall.Text(), wall.Spread(), "at most 3");
        part.Row("processor time until then, s", cpu.Text(), cpu.Spread(), "");
        part.Row("resident afterwards, MiB more than with few of them", resident.Text("0"), resident.Spread("0"), "");
    }

    private static async Task<Discovered> FindAsync(DiscoveredStore kept, string key) =>
        await kept.ReadAsync([NextHop.Parse(key)], CancellationToken.None) is [var found] ? found : throw new BenchmarkException($"{key} is not remembered");

    private static NextHop Key(int index) => NextHop.Parse(Workload.Key(index));

    /// <summary>What the collector counts for the verdicts in memory, their keys and their places in the table.</summary>
    private static string Octets(Bench bench, Discovered memory)
    {
        var count = bench.Options.Quick ? 20_000 : 200_000;
        var now = TimeProvider.System.GetUtcNow();
        var verdict = DiscoveryVerdict.Of(memory, DiscoverySettings.Default, now) ?? throw new BenchmarkException($"nothing is known of {memory.Key}");
        var answers = new DiscoveredAnswers();
        var before = GC.GetTotalMemory(forceFullCollection: true);
        for (var index = 0; index < count; index++)
            answers.Put(Key(index).Text, DiscoveredRecord.Of(verdict, memory, DiscoverySettings.Default, PostfixSettings.Default, defersUnknown: false, now, out _));
        var after = GC.GetTotalMemory(forceFullCollection: true);
        GC.KeepAlive(answers);
        return ((after - before) / count).ToString(CultureInfo.InvariantCulture);
    }
}
