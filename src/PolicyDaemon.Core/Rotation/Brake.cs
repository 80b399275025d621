using PolicyDaemon.Core.Pins;

namespace PolicyDaemon.Core.Rotation;

/// <summary>The brake: when many MX hosts of pinned destinations show a new key at once, our own network, resolver or clock is the
/// likelier culprit.</summary>
/// <remarks>
/// <code>
/// an hour   of the MX hosts probed since the first new key of the last hour more than a tenth show one, and at least 5. Counted are
///           a hundred of them at least, or all there are: the first new key has a sample of the others probed (BrakeSample)
/// a day     more than three times as many as on a usual day of the last 28, and at least 5
/// </code>
/// It stays set for <see cref="RotationOptions.BrakeWindow"/>, so that a person can look. It counts MX hosts: a provider that renews the key
/// of one host is one, however many destinations are its customers.
/// </remarks>
/// <param name="Counts">What the ledger knows.</param>
/// <param name="PassEnded">When the last pass ended: every target that was due at its start has been probed.</param>
/// <param name="Now">The present.</param>
public readonly record struct Brake(BrakeCounts Counts, DateTimeOffset? PassEnded, DateTimeOffset Now)
{
    /// <summary>The window of the share of hosts.</summary>
    public static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    // So that the few hosts of one operator, renewed together, are no share of everything.
    private const int LeastCounted = 100;
    private const int TimesUsual = 3;

    private readonly RotationOptions? options;

    /// <summary>The rules' options: the thresholds of the brake, and how long evidence waits for it.</summary>
    public RotationOptions Options
    {
        get => options ?? RotationOptions.Default;
        init => options = value;
    }

    /// <summary>True while the brake is on, so that no pin is promoted without a person.</summary>
    public bool IsOn => IsTripped || (Counts.SetAt <= Now && Now - Counts.SetAt < Options.BrakeWindow);

    /// <summary>True where present counts exceed a threshold, whether the brake was set before or not.</summary>
    public bool IsTripped => IsManyOfTheHour || IsManyOfTheDay;

    /// <summary>True where the brake trips and was not set before, so that the ledger is to keep the time.</summary>
    public bool IsNews => IsTripped && !(Counts.SetAt <= Now && Now - Counts.SetAt < Options.BrakeWindow);

    /// <summary>The reason why the brake is on, a clause; empty where it is off.</summary>
    public string Why => IsManyOfTheHour
        ? $"{Counts.NewInHour} of {Counted} MX hosts probed within an hour show a new key"
        : IsManyOfTheDay
            ? $"{Counts.NewInDay} MX hosts of {Counts.PinnedHosts} showed a new key within a day, and {Counts.UsualDay} on a usual one"
            : IsOn ? $"too many MX hosts showed a new key at once on {Counts.SetAt:yyyy-MM-dd HH:mm} UTC" : "";

    private int Counted => Math.Max(Counts.Probed, Math.Min(LeastCounted, Counts.PinnedHosts));

    private bool IsManyOfTheHour =>
        Counts.NewInHour >= Options.BrakeAtLeast && (long)Counts.NewInHour * 100 > (long)Counted * Options.BrakePercent;

    private bool IsManyOfTheDay => Counts.NewInDay >= Options.BrakeAtLeast && Counts.NewInDay > TimesUsual * (long)Counts.UsualDay;

    /// <summary>True where a key seen at that time has waited for the end of a pass, or long enough.</summary>
    /// <remarks>A time in the future is from before the clock was set back, and no pass that is known ended before that.</remarks>
    public bool HasWaited(DateTimeOffset seen, DateTimeOffset now) =>
        PassEnded > seen || (seen > now && PassEnded is not null) || now - seen >= Options.EvidenceWait;
}

/// <summary>What the ledger knows for the <see cref="Brake"/>. MX hosts of pinned destinations, each once; new keys are those of <see cref="HostWithNewKey"/>.</summary>
public readonly record struct BrakeCounts
{
    /// <summary>The days that tell what is usual.</summary>
    public const int Days = 28;

    // Certificates that live 47 days are renewed as often, twice as many on a working day; of days that nobody counted this is assumed.
    private const int LifeInDays = 47;
    private const int TimesOnWorkingDays = 2;

    // One day of each week.
    private const int DaysWithMore = 3;

    /// <summary>MX hosts of all pinned destinations.</summary>
    public int PinnedHosts { get; init; }

    /// <summary>MX hosts that showed a new key within the last hour.</summary>
    public int NewInHour { get; init; }

    /// <summary>MX hosts probed since the hour's first new key, whatever key they showed; may be left out where too few have a new one to matter.</summary>
    public int Probed { get; init; }

    /// <summary>MX hosts that showed a new key within the last 24 hours; the count may be a moment old.</summary>
    public int NewInDay { get; init; }

    /// <summary>MX hosts that show a new key on a usual day; may be left out where those of today are too few to matter.</summary>
    public int UsualDay { get; init; }

    /// <summary>When the brake was last set; null where it never was.</summary>
    public DateTimeOffset? SetAt { get; init; }

    /// <summary>The usual day is the busiest of a week: three of the last <see cref="Days"/> had more. Quiet weekends do not make an ordinary
    /// Monday look like a fault, and a bad day or two do not make the next one usual.</summary>
    /// <param name="counted">How many there were on each of the days that were counted, in any order.</param>
    /// <param name="pinnedHosts">All MX hosts.</param>
    public static int Usual(IReadOnlyCollection<int> counted, int pinnedHosts)
    {
        ArgumentNullException.ThrowIfNull(counted);
        var assumed = ((TimesOnWorkingDays * pinnedHosts) + LifeInDays - 1) / LifeInDays;
        return counted.Concat(Enumerable.Repeat(assumed, Math.Max(0, Days - counted.Count))).OrderDescending().ElementAt(DaysWithMore);
    }
}

/// <summary>An MX host that presents a key of which nobody knew: no pin serves or rejects it, and none announced it.</summary>
/// <param name="MxHost">The host's name.</param>
/// <param name="Since">When any of its addresses presented the key first.</param>
public readonly record struct HostWithNewKey(string MxHost, DateTimeOffset Since)
{
    // Pins are dated in whole seconds, observations need not be.
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    /// <summary>The new keys of the last probes that are young enough to count.</summary>
    internal static IEnumerable<HostWithNewKey> In(RotationView view)
    {
        foreach (var algorithm in view.Current)
        {
            var certificate = algorithm.Certificate;
            if (view.Pins.Accepts(certificate) || view.Pins.Refuses(certificate))
                continue;
            var runs = view.Algorithms
                .SelectMany(other => other.Runs, (other, run) => (other.Address.MxHost, Run: run))
                .Where(seen => seen.Run.Certificate?.KeyId == certificate.KeyId)
                .ToList();
            var first = runs.Min(seen => seen.Run.First);
            var isAnnounced = view.Input.Pins.Any(pin =>
                pin.State == PinState.Candidate && certificate.Matches(pin.Fingerprint) && pin.Since + Second < first);
            var since = runs.Where(seen => seen.MxHost == algorithm.Address.MxHost).Min(seen => seen.Run.First);
            if (!isAnnounced && view.Now - since <= view.Options.BrakeWindow)
                yield return new HostWithNewKey(algorithm.Address.MxHost, since);
        }
    }
}
