using System.Diagnostics;
using System.Globalization;
using PolicyDaemon.EndToEnd.Lab;

namespace PolicyDaemon.EndToEnd.Stories;

/// <summary>kill -9 at any moment: nothing acknowledged is lost, nothing is half done.</summary>
[Collection(typeof(Killing))]
public sealed class KillStories(KillingLaboratory lab)
{
    private const int Rows = 10_000;

    // What is checked after each round grows with the store; five small stores are checked sooner than a large one.
    private const int Stores = 5;
    private const int RoundsOfStore = 10;
    private const int Rounds = Stores * RoundsOfStore;

    [Fact]
    public async Task Killed_daemons_and_imports_leave_a_store_that_opens_with_whole_imports_and_a_whole_audit_chain()
    {
        var random = new Random(20261123);
        var interrupted = 0;
        for (var store = 1; store <= Stores; store++)
            interrupted += await KillAsync(string.Create(CultureInfo.InvariantCulture, $"kill{store}"), random);

        // Otherwise the moments were not where the work is.
        Assert.InRange(interrupted, Rounds / 4, Rounds);
    }

    /// <returns>How many imports did not end by themselves.</returns>
    private async Task<int> KillAsync(string store, Random random)
    {
        await using var policyd = await lab.AnotherAsync(store, 8481);

        // How long one takes undisturbed says which moments are worth trying.
        var watch = Stopwatch.StartNew();
        await policyd.DoAsync("import", await WriteTableAsync("undisturbed"));
        var span = watch.Elapsed * 1.3;
        var acknowledged = new HashSet<string> { "undisturbed" };
        var interrupted = 0;

        for (var round = 1; round <= RoundsOfStore; round++)
        {
            var name = string.Create(CultureInfo.InvariantCulture, $"round{round}");
            await policyd.StartAsync();
            await using (var import = policyd.StartCtl("import", await WriteTableAsync(name)))
            {
                var daemonDies = Task.Delay(span * random.NextDouble(), TestContext.Current.CancellationToken);
                var importDies = Task.Delay(span * random.NextDouble(), TestContext.Current.CancellationToken);
                await Task.WhenAll(
                    After(daemonDies, policyd.KillAsync),
                    After(importDies, () => import.SignalAsync("KILL")));
                // Killed processes end with another code; one that ended by itself said that all is stored.
                if (await import.ExitAsync() == 0) acknowledged.Add(name);
                else interrupted++;
            }

            await AssertWholeAsync(policyd, acknowledged, name);
        }

        return interrupted;
    }

    private async Task AssertWholeAsync(Policyd policyd, HashSet<string> acknowledged, string last)
    {
        (await policyd.CtlAsync("audit", "--verify")).Require();
        Assert.Equal("ok\n", (await lab.Sandbox.RunAsync(["sqlite3", policyd.Database, "PRAGMA integrity_check"])).Require());
        var rows = (await policyd.DoAsync("export")).Split('\n')
            .Where(line => line.Contains(".kill.test", StringComparison.Ordinal))
            .CountBy(line => line.Split('.', ' ', '\t')[1])
            .ToDictionary();
        foreach (var (name, count) in rows) Assert.True(count == Rows, $"{name} has {count} rows");
        foreach (var name in acknowledged) Assert.True(rows.ContainsKey(name), $"{name} was acknowledged and is lost");
        // Killed after its commit, before it could say so.
        if (rows.ContainsKey(last)) acknowledged.Add(last);
    }

    private static async Task After(Task moment, Func<Task> act)
    {
        await moment;
        await act();
    }

    private async Task<string> WriteTableAsync(string name)
    {
        var file = Path.Combine(lab.Sandbox.Folder, name + ".table");
        await File.WriteAllLinesAsync(
            file,
            Enumerable.Range(0, Rows).Select(row => string.Create(CultureInfo.InvariantCulture, $"d{row}.{name}.kill.test secure")),
            TestContext.Current.CancellationToken);
        return file;
    }
}
