using Microsoft.Extensions.Logging.Abstractions;
using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Discovery;
using PolicyDaemon.Probe;
using PolicyDaemon.Probe.Discovery;
using PolicyDaemon.Store;
using PolicyDaemon.Store.Faults;

namespace PolicyDaemon.Administration.Discovery;

/// <summary>Discovers destinations now, for a person, beside the daemon or without it; what is found is stored, and the daemon takes it over.</summary>
public static class DiscoveryRefresh
{
    private const int AtOnce = 32;

    /// <param name="store">Where it is remembered, open for writing.</param>
    /// <param name="settings">The configuration of the daemon.</param>
    /// <param name="keys">What is discovered.</param>
    /// <param name="isAnew">Everything is asked for again; otherwise what is due.</param>
    /// <param name="time">The clock.</param>
    /// <param name="done">Told of the result of each, one at a time.</param>
    /// <returns>Why so much failed that the cause is here; null where it did not.</returns>
    /// <exception cref="StoreException">The store cannot be used.</exception>
    /// <exception cref="ConfigurationException">A file that the configuration names cannot be used.</exception>
    public static async Task<string?> RunAsync(
        PolicyStore store, Settings settings, IReadOnlyCollection<NextHop> keys, bool isAnew, TimeProvider time, Action<DiscoveryResult> done,
        CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(settings);
        ArgumentNullException.ThrowIfNull(done);
        var turn = new Lock();
        using var parts = new ProberComposition(settings.Probe, settings.Postfix, time);
        await using var discoverer = parts.CreateDiscoverer(new StoredMemories(store), settings.Discovery.Conditions(settings.Postfix), NullLogger.Instance);
        await Parallel.ForEachAsync(
            keys, new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = cancellation },
            async (key, stopping) =>
            {
                var result = await discoverer.Discover(key, isAnew ? DiscoveryReason.Person : DiscoveryReason.Use).Whole.WaitAsync(stopping);
                lock (turn)
                    done(result);
            });
        await discoverer.FlushAsync();
        return discoverer.Trouble;
    }

    /// <summary>A store of a command, for the tasks of a discovery; one at a time.</summary>
    private sealed class StoredMemories(PolicyStore store) : IDiscoveredPolicies
    {
        private readonly Lock gate = new();

        public Task<IReadOnlyList<Discovered>> ReadAsync(IReadOnlyCollection<NextHop> keys, CancellationToken cancellation) =>
            Task.FromResult<IReadOnlyList<Discovered>>(Do(() => keys.Select(store.FindDiscovered).OfType<Discovered>().ToList()));

        public Task WriteAsync(IReadOnlyCollection<DiscoveredEntry> batch, CancellationToken cancellation)
        {
            Do(() =>
            {
                store.WriteDiscovered(batch);
                return true;
            });
            return Task.CompletedTask;
        }

        // The daemon renews policies.
        public Task<IReadOnlyList<NextHop>> ReadRenewalsAsync(DateTimeOffset now, int most, CancellationToken cancellation) =>
            Task.FromResult<IReadOnlyList<NextHop>>([]);

        private T Do<T>(Func<T> work)
        {
            lock (gate)
            {
                try
                {
                    return work();
                }
                catch (StoreException fault)
                {
                    throw new DiscoveryStoreException(fault.Message, fault);
                }
            }
        }
    }
}
