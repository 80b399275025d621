using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Runtime;
using PolicyDaemon.Store;

namespace PolicyDaemon.Administration.Changes;

/// <summary>An entry that a request asks for.</summary>
/// <param name="Destination">The entry.</param>
public sealed record WantedEntry(Destination Destination)
{
    /// <summary>True where the request names the mode; otherwise an entry with any mode will do.</summary>
    public bool NamesMode { get; init; }

    /// <summary>True where the request names the note.</summary>
    public bool NamesNote { get; init; }

    /// <summary>True where the request names the hosts to probe.</summary>
    public bool NamesProbeAs { get; init; }

    /// <summary>The evidence of its pins, as JSON for the audit log; null where only a person vouches for them.</summary>
    public string? Evidence { get; init; }

    /// <summary>True where an existing entry answers as this one would, and has what the request names.</summary>
    /// <remarks>Pins that came to an entry since are no difference: following its servers is what it is for.</remarks>
    public bool IsMetBy(Destination entry)
    {
        ArgumentNullException.ThrowIfNull(entry);
        return entry.Policy == Destination.Policy
            && entry.Observe == Destination.Observe
            && entry.Floor == Destination.Floor
            && entry.Until == Destination.Until
            && entry.Former == Destination.Former
            && (!NamesMode || entry.Mode == Destination.Mode)
            && (!NamesNote || entry.Note == Destination.Note)
            && (!NamesProbeAs || entry.ProbeAs.AsSpan().SequenceEqual(Destination.ProbeAs.AsSpan()))
            && Destination.Pins.All(pin => entry.Pins.Any(known => known.Fingerprint == pin.Fingerprint && known.IsServed == pin.IsServed));
    }
}

/// <summary>Plans that add, change or remove entries.</summary>
public static class EntryPlans
{
    /// <exception cref="RefusedException">A key is configured already, otherwise than is wanted.</exception>
    public static IReadOnlyList<PlannedChange> Add(StoreView view, params IEnumerable<WantedEntry> wanted)
    {
        ArgumentNullException.ThrowIfNull(view);
        return [.. wanted.Select(entry => AddOne(view, entry))];
    }

    /// <summary>An entry for a key that is answered as another one is, as far as that says anything of this key.</summary>
    /// <param name="key">The key.</param>
    /// <param name="other">The entry that it is to be like.</param>
    /// <param name="time">The clock.</param>
    /// <remarks>Whose pins are served for the other key is said by a person here, but for a first sight, which stays one for ever: no probe of this key
    /// has seen any of them. What was refused there is refused here.</remarks>
    public static Destination Like(NextHop key, Destination other, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(other);
        ArgumentNullException.ThrowIfNull(time);
        var now = UtcTime.WholeSeconds(time.GetUtcNow());
        return other with
        {
            Key = key,
            ProbeAs = key.IsSubdomains ? other.ProbeAs : [],
            Pins =
            [
                .. other.Pins.Where(pin => pin.IsServed || pin.State.IsRefused()).Select(pin => pin.State.IsRefused() ? pin : pin with
                {
                    State = PinState.Standby,
                    Strength = pin.Strength == PinStrength.Tofu ? PinStrength.Tofu : PinStrength.Person,
                    Since = now,
                }),
            ],
        };
    }

    /// <summary>Refuses early what <see cref="Add"/> would refuse, before servers are probed or a person is asked.</summary>
    /// <exception cref="RefusedException">The key is configured already.</exception>
    public static void RefuseConfigured(PolicyStore store, NextHop key)
    {
        ArgumentNullException.ThrowIfNull(store);
        if (store.Find(key) is not null)
            throw Configured(key);
    }

    /// <param name="apply">Makes the entry as it shall be of the entry as it is.</param>
    /// <param name="evidence">The evidence of the new pins of a key, as JSON for the audit log.</param>
    /// <param name="acceptsUnsigned">A person says that the zones of the keys are not signed any more on purpose.</param>
    /// <exception cref="RefusedException">A key is not configured.</exception>
    public static IReadOnlyList<PlannedChange> Set(
        StoreView view, KeySelection selection, Func<Destination, Destination> apply, Func<NextHop, string?> evidence, bool acceptsUnsigned = false)
    {
        ArgumentNullException.ThrowIfNull(view);
        ArgumentNullException.ThrowIfNull(selection);
        ArgumentNullException.ThrowIfNull(apply);
        ArgumentNullException.ThrowIfNull(evidence);
        return [.. selection.In(view.Store).Select(key =>
        {
            var before = view.Get(key);
            // One whose end has come is as good as gone, whether or not the daemon has said so.
            var inForce = before.At(view.Now) ?? throw StoreView.Missing(view.Store, key);
            return new PlannedChange(key, before, apply(inForce).Settled()) { Evidence = evidence(key), AcceptsUnsigned = acceptsUnsigned };
        })];
    }

    /// <exception cref="RefusedException">A key is not configured.</exception>
    public static IReadOnlyList<PlannedChange> Remove(StoreView view, KeySelection selection)
    {
        ArgumentNullException.ThrowIfNull(view);
        ArgumentNullException.ThrowIfNull(selection);
        return [.. selection.In(view.Store).Select(key =>
        {
            // An entry that cannot be read can be removed, too: that is its remedy.
            var judged = view.Judge(key, null);
            return judged.Action is null ? throw StoreView.Missing(view.Store, key, isWanted: false) : new PlannedChange(key, judged.Before, null);
        })];
    }

    private static PlannedChange AddOne(StoreView view, WantedEntry wanted)
    {
        var key = wanted.Destination.Key;
        return view.Find(key) switch
        {
            null => new PlannedChange(key, null, wanted.Destination) { Evidence = wanted.Evidence },
            { } entry when wanted.IsMetBy(entry) => new PlannedChange(key, entry, entry),
            _ => throw Configured(key),
        };
    }

    private static RefusedException Configured(NextHop key) => new(
        Refusal.ConfiguredAlready,
        $"{key} is configured already, otherwise than this; nothing was changed. Change it with: policyctl domain set {Shell.Quote(key.Text)} ...");
}
