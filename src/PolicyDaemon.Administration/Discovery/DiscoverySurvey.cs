using System.Text;
using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Discovery;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Serving;
using PolicyDaemon.Store;
using PolicyDaemon.Store.Faults;

namespace PolicyDaemon.Administration.Discovery;

/// <summary>What discovery would change for the mail that was sent lately, were it on: <c>discovery report</c>.</summary>
/// <param name="Since">Destinations that Postfix asked for since then, UTC.</param>
/// <param name="Destinations">How many of them discovery would answer for.</param>
/// <param name="Entered">How many an entry answers for, their own, a parent's or a stricter <c>*</c>: discovery changes nothing for them.</param>
/// <param name="Verdicts">How many have which verdict, by its name, or <c>unknown</c>.</param>
/// <param name="Waiting">Those whose mail would wait, as far as DNS and the policies tell.</param>
public sealed record DiscoverySurvey(
    DateTimeOffset Since, long Destinations, long Entered, IReadOnlyDictionary<string, long> Verdicts, IReadOnlyList<WaitingDestination> Waiting)
{
    /// <summary>The name that a count has in the place of a verdict's, for destinations of which nothing is known.</summary>
    public const string Unknown = "unknown";

    /// <param name="store">What discovery remembers.</param>
    /// <param name="settings">The configuration of the daemon.</param>
    /// <param name="now">The time, UTC.</param>
    /// <param name="window">How long ago a destination may have been asked for.</param>
    /// <exception cref="StoreException">The store cannot be read.</exception>
    public static DiscoverySurvey Of(PolicyStore store, Settings settings, DateTimeOffset now, TimeSpan window)
    {
        ArgumentNullException.ThrowIfNull(store);
        ArgumentNullException.ThrowIfNull(settings);
        var since = now - window;
        var conditions = settings.Discovery.Conditions(settings.Postfix);
        var sources = new StoreSources(store, settings.Postfix, now, new DiscoveryScope(settings.Discovery.Skip));
        var verdicts = new Dictionary<string, long>(StringComparer.Ordinal);
        var waiting = new List<WaitingDestination>();
        var (entered, destinations) = (0L, 0L);
        // Read to the end before anything else is asked of the store.
        foreach (var memory in store.ListDiscovered().Where(memory => memory.Used >= since && memory.Used <= now).ToList())
        {
            var verdict = DiscoveryVerdict.Of(memory, conditions, now);
            var known = verdict is { IsUnknown: false } ? verdict.Answer : (DiscoveredAnswer?)null;
            var answerer = AnswererOf(memory.Key, verdict, known, sources, settings);
            if (answerer is not (Answerer.Discovery or Answerer.BelowFloor))
            {
                entered++;
                continue;
            }

            destinations++;
            var name = known?.Name() ?? Unknown;
            verdicts[name] = verdicts.GetValueOrDefault(name) + 1;
            var why = answerer == Answerer.BelowFloor
                ? $"its entry takes no less than {sources.Entry(memory.Key)!.Floor.Name()}"
                : verdict is null ? null : WhyWaiting(verdict);
            if (why is not null)
                waiting.Add(new WaitingDestination(memory.Key, name, why));
        }

        return new DiscoverySurvey(since, destinations, entered, verdicts, waiting);
    }

    /// <summary>True where an entry answers for the key, its own or a parent's: the first two sources of <see cref="Precedence"/>.</summary>
    internal static bool IsEntered(NextHop key, StoreSources sources) => sources.OriginOf(key) is Origin.Entry or Origin.Parent;

    /// <summary>Who would answer for the key, were discovery on: by the rule of the lookup path.</summary>
    private static Answerer AnswererOf(NextHop key, DiscoveryVerdict? verdict, DiscoveredAnswer? known, StoreSources sources, Settings settings)
    {
        var postfix = settings.Postfix;
        var everybody = sources.Everybody;
        var itsAnswer = everybody is null ? LookupAnswer.NotFound : PolicyText.Answer(everybody, postfix, MapName.TlsPolicy);
        var discovered = verdict is null || known is null
            ? DiscoveredReply.Unknown(settings.Discovery.Conditions(postfix), settings.Discovery.DefersFirstSight)
            : DiscoveredReply.Answers(verdict, postfix, out _).Plain;
        var entry = sources.Entry(key);
        // The memory of an entry in another form makes no near miss here: what that is answered does not change with discovery.
        return new AnswerRule(sources.OriginOf(key), sources.RoleOf(entry), entry?.Floor ?? DiscoveryFloor.None, IsNearMiss: false, postfix).Of(
            Encoding.ASCII.GetBytes(key.Text), new DiscoverySide(discovered.Kind, known),
            everybody is null ? null : new DefaultSide(itsAnswer.Kind, itsAnswer.Protection));
    }

    /// <summary>Why no MX host would take mail, where DNS and the policy say that none would; null where one may.</summary>
    private static string? WhyWaiting(DiscoveryVerdict verdict)
    {
        var hosts = verdict.Facts.Hosts.Where(host => host.Class != HostClass.NoAddress).ToList();
        return verdict.Answer switch
        {
            DiscoveredAnswer.Secure when hosts.Count > 0 && verdict.Policy is { } kept && !hosts.Exists(host => kept.Policy.Covers(host.Name)) =>
                "its MTA-STS policy names none of its MX hosts",
            DiscoveredAnswer.DaneOnly when hosts.Count > 0 && !hosts.Exists(host => host.Class == HostClass.Tlsa) =>
                "the TLSA lookup of every MX host that may have records fails",
            _ => null,
        };
    }
}

/// <param name="Key">The destination.</param>
/// <param name="Verdict">Its verdict.</param>
/// <param name="Why">Why mail would wait.</param>
public sealed record WaitingDestination(NextHop Key, string Verdict, string Why);

/// <summary>What others publish and is broken, or does not do what it seems to: <c>discovery problems</c>.</summary>
/// <param name="Key">Whose.</param>
/// <param name="Remark">What it is.</param>
/// <param name="Used">When Postfix asked for the destination last, UTC.</param>
public sealed record PublishedProblem(NextHop Key, DiscoveryRemark Remark, DateTimeOffset Used)
{
    /// <summary>Reads all published problems, the gravest first, equally grave ones by when mail asked for their destination last.</summary>
    /// <exception cref="StoreException">The store cannot be read.</exception>
    public static IReadOnlyList<PublishedProblem> Read(PolicyStore store, Settings settings, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(store);
        ArgumentNullException.ThrowIfNull(settings);
        var conditions = settings.Discovery.Conditions(settings.Postfix);
        var found = new List<PublishedProblem>();
        foreach (var memory in store.ListDiscovered())
        {
            if (DiscoveryVerdict.Of(memory, conditions, now) is not { } verdict)
                continue;
            // What the answer cannot hold is broken, too.
            DiscoveryRemark? ofAnswer = null;
            if (!verdict.IsUnknown)
                DiscoveredReply.Answers(verdict, settings.Postfix, out ofAnswer);
            foreach (var remark in ofAnswer is { } tooLong ? verdict.Remarks.Add(tooLong) : verdict.Remarks)
                found.Add(new PublishedProblem(memory.Key, remark, memory.Used));
        }

        return [.. found.OrderBy(problem => problem.Remark.Severity).ThenByDescending(problem => problem.Used).ThenBy(problem => problem.Key.Text, StringComparer.Ordinal)];
    }
}
