using System.Diagnostics;
using System.Globalization;
using PolicyDaemon.Benchmarks.Loads;
using PolicyDaemon.Benchmarks.Machine;
using PolicyDaemon.Benchmarks.Reports;
using PolicyDaemon.Tests.Support;

namespace PolicyDaemon.Benchmarks.Sections.Fleet;

/// <summary>Tables of the next version under three nodes that are exchanged one after the other, with lookups and changes all the while.</summary>
/// <remarks>There is no next version: its tables have one column more and say that this version may read and write them, as an upgrade within
/// its promises does; the nodes are started anew with the program that there is.</remarks>
internal static class FleetUpgrade
{
    private static readonly TimeSpan Between = TimeSpan.FromMilliseconds(100);

    private const string Next =
        """
        BEGIN;
        ALTER TABLE destination ADD COLUMN of_the_next_version TEXT;
        INSERT INTO schema_version SELECT max(version) + 1, max(version), max(version) FROM schema_version;
        COMMIT
        """;

    internal static async Task MeasureAsync(Bench bench, ReportPart part, PostgreSqlCluster server)
    {
        var words = FleetChanges.Make(server, "upgraded");
        var nodes = Enumerable.Range(1, 3).Select(number => new PolicydStore(bench, Path.Combine(bench.Directory, $"upgraded{number}")) { Words = words, Node = $"mx{number}" }).ToList();
        var programs = new List<Server>();
        var watches = new List<LookupWatch>();
        using var stop = new CancellationTokenSource();
        try
        {
            foreach (var node in nodes)
            {
                programs.Add(await node.StartAsync(isAlone: false, isPinned: false));
                await FleetChanges.LiveAsync(node, FleetChanges.Known, Stopwatch.GetTimestamp());
                watches.Add(new LookupWatch(node.Unix, FleetChanges.Known));
            }

            var (changes, refused) = (0, 0);
            var changing = Task.Run(async () =>
            {
                while (!stop.IsCancellationRequested)
                {
                    if (!FleetChanges.TryPut("postgresql:" + words, $"change{changes + 1}.example"))
                        refused++;
                    else
                        changes++;
                    await Task.WhenAny(Task.Delay(Between, stop.Token));
                }
            });
            await Task.Delay(TimeSpan.FromSeconds(1));
            server.Sql(Next, "upgraded");
            await Task.Delay(TimeSpan.FromSeconds(bench.Options.Quick ? 1 : 5));
            for (var number = 0; number < nodes.Count; number++)
            {
                // Its own lookups wait as Postfix does while its daemon is started anew.
                await watches[number].PauseAsync();
                await programs[number].DisposeAsync();
                programs[number] = await nodes[number].StartAsync(isAlone: false, isPinned: false);
                watches[number].Continue();
                await Task.Delay(TimeSpan.FromSeconds(bench.Options.Quick ? 1 : 5));
            }

            await stop.CancelAsync();
            await changing;
            var frozen = 0;
            foreach (var node in nodes)
            {
                var since = Stopwatch.GetTimestamp();
                if (await FleetChanges.LiveAsync(node, $"change{changes}.example", since) > TimeSpan.FromSeconds(5))
                    frozen++;
            }

            part.Row(
                string.Create(CultureInfo.InvariantCulture, $"upgrade of the tables and of three nodes, one by one, under {changes} changes: failed lookups of {watches.Sum(watch => watch.Asked)}"),
                watches.Sum(watch => watch.Failed).ToString(CultureInfo.InvariantCulture), watches.Select(watch => watch.First).FirstOrDefault(first => first is not null) ?? "", "0");
            part.Row("changes refused meanwhile", refused.ToString(CultureInfo.InvariantCulture), "", "0");
            part.Row("nodes that do not serve the last change after 5 s", frozen.ToString(CultureInfo.InvariantCulture), "", "0");
        }
        finally
        {
            await stop.CancelAsync();
            foreach (var watch in watches)
                await watch.DisposeAsync();
            foreach (var program in programs)
                await program.DisposeAsync();
        }
    }
}
