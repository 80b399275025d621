using PolicyDaemon.Core.Audit;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Store;
using PolicyDaemon.Store.Changes;
using PolicyDaemon.Store.Engines;

namespace PolicyDaemon.Benchmarks.Sections;

/// <summary>Changes one destination to and fro, as policyctl would, without the cost of starting policyctl.</summary>
internal sealed class StoreToggle : IDisposable
{
    private readonly PolicyStore store;
    private readonly NextHop key;
    private bool isOn;

    /// <param name="database">The store.</param>
    /// <param name="key">A destination with <c>servername=hostname</c>.</param>
    internal StoreToggle(string database, string key)
    {
        if (!NextHop.TryParse(key, out this.key, out var problem))
            throw new BenchmarkException($"{key}: {problem}");
        store = PolicyStore.Open(database, StoreAccess.Write, TimeProvider.System);
    }

    /// <summary>Commits the other value.</summary>
    /// <returns>What the answer says from now on.</returns>
    internal string Change()
    {
        isOn = !isOn;
        var value = isOn ? "nexthop" : "hostname";
        using var change = store.BeginChange(new ChangeOrigin(new Actor("benchmarks", null, null), "benchmarks"), PostfixSettings.Default);
        var before = change.Find(key) ?? throw new BenchmarkException($"{key.Text} is not in the store");
        change.Put(before with { Policy = before.Policy with { ServerName = value } });
        change.Commit();
        return $"servername={value}";
    }

    /// <summary>So many changes a second until cancelled.</summary>
    internal async Task KeepChangingAsync(int perSecond, CancellationToken until)
    {
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(1) / perSecond, TimeProvider.System);
        try
        {
            while (await timer.WaitForNextTickAsync(until))
                Change();
        }
        catch (OperationCanceledException)
        {
            // As told.
        }
    }

    public void Dispose() => store.Dispose();
}
