using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Discovery;
using PolicyDaemon.Core.Tables;
using PolicyDaemon.Store;
using PolicyDaemon.Store.Faults;

namespace PolicyDaemon.Administration.Discovery;

/// <summary>Discovers the destinations of a list or of a mail log beforehand, so that the first day has no first sights.</summary>
public sealed class DiscoveryWarmUp
{
    /// <summary>Destinations at most; as many verdicts are kept in memory.</summary>
    public const int Most = 1_000_000;

    private const int MostProblems = 1000;

    private readonly List<NextHop> keys = [];
    private readonly List<(int Line, string Problem)> problems = [];
    private readonly Dictionary<string, long> verdicts = new(StringComparer.Ordinal);

    /// <summary>The destinations to discover, each once, in the order of the list.</summary>
    public IReadOnlyList<NextHop> Keys => keys;

    /// <summary>Lines that name no destination, each with the reason; the first thousand.</summary>
    public IReadOnlyList<(int Line, string Problem)> Problems => problems;

    /// <summary>Lines that name no destination.</summary>
    public long Unreadable { get; private set; }

    /// <summary>Destinations that an entry answers for, its own or a parent's.</summary>
    public long Entered { get; private set; }

    /// <summary>Destinations that are not discovered: addresses, local names, and what <c>skip</c> names.</summary>
    public long Outside { get; private set; }

    /// <summary>Destinations beyond <see cref="Most"/>.</summary>
    public long Beyond { get; private set; }

    /// <summary>How many have which verdict now, by its name, or <c>unknown</c>.</summary>
    public IReadOnlyDictionary<string, long> Verdicts => verdicts;

    /// <summary>True where no line names a destination that is discovered or has an entry, and some name none: it is no list of domains.</summary>
    public bool IsNoList => Unreadable > 0 && keys.Count + Entered == 0;

    /// <summary>Reads the list.</summary>
    /// <exception cref="StoreException">The store cannot be read.</exception>
    public void Read(Stream list, PolicyStore store, Settings settings, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(settings);
        var (scope, seen) = (new DiscoveryScope(settings.Discovery.Skip), new HashSet<NextHop>());
        var sources = new StoreSources(store, settings.Postfix, now, scope);
        foreach (var listed in DestinationListReader.Read(list))
        {
            if (listed.Key is not { } key)
            {
                Unreadable++;
                if (problems.Count < MostProblems)
                    problems.Add((listed.Line, listed.Problem!.ToString()));
            }
            else if (seen.Count >= Most)
                Beyond += seen.Contains(key) ? 0 : 1;
            else if (seen.Add(key))
                Sort(key, scope, sources);
        }
    }

    /// <summary>Discovers what is not known, or due.</summary>
    /// <param name="store">Open for writing.</param>
    /// <param name="settings">The configuration of the daemon.</param>
    /// <param name="time">The clock.</param>
    /// <param name="done">Told how many are done.</param>
    /// <returns>Why so much failed that the cause is here; null where it did not.</returns>
    /// <exception cref="DiscoveryStoreException">The store cannot be written.</exception>
    public Task<string?> RunAsync(PolicyStore store, Settings settings, TimeProvider time, Action<long> done, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(done);
        var count = 0L;
        return DiscoveryRefresh.RunAsync(
            store, settings, keys, isAnew: false, time,
            result =>
            {
                var name = result.Verdict.IsUnknown ? DiscoverySurvey.Unknown : result.Verdict.Answer.Name();
                verdicts[name] = verdicts.GetValueOrDefault(name) + 1;
                done(++count);
            },
            cancellation);
    }

    private void Sort(NextHop key, DiscoveryScope scope, StoreSources sources)
    {
        if (!scope.Includes(key))
            Outside++;
        else if (DiscoverySurvey.IsEntered(key, sources))
            Entered++;
        else
            keys.Add(key);
    }
}

/// <summary>That what discovery remembers is nobody's answer, in the words of whoever stores some.</summary>
public static class UnansweredDiscovery
{
    /// <param name="settings">The configuration of the daemon.</param>
    /// <param name="isOfPolicies">What is stored are policies of MTA-STS, and nothing else.</param>
    /// <returns>A sentence with what to do about it; null where policyd answers from what is stored.</returns>
    public static string? Of(Settings settings, bool isOfPolicies)
    {
        ArgumentNullException.ThrowIfNull(settings);
        return settings.Discovery switch
        {
            { Mode: DiscoveryMode.Off } => "discovery is off (mode in [discovery]): what is stored answers nobody, and no mail is safer for it; for answers set mode = on",
            { Mode: DiscoveryMode.Observe } => "discovery only observes (mode in [discovery]): what is stored answers nobody, and no mail is safer for it; for answers set mode = on",
            { MtaSts: false } when isOfPolicies => "policies of MTA-STS do not count (mta_sts = no in [discovery]): what is stored answers nobody; for answers set mta_sts = yes",
            _ => null,
        };
    }
}
