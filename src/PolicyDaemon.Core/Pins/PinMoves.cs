using System.Collections.Immutable;

namespace PolicyDaemon.Core.Pins;

/// <summary>Who moves a pin from one state to another.</summary>
public enum PinMover
{
    /// <summary>A person, by a command.</summary>
    Person,

    /// <summary>The rules of the pin life cycle.</summary>
    Rules,
}

/// <summary>The legal moves of a pin, and what a person's decisions make of a destination's pins. Nothing else changes a pin's state.</summary>
/// <remarks>
/// <code>
/// from        by a person                           by the rules
/// (no pin)    standby, active, revoked, rejected    candidate; active or retiring as the same key in another digest
/// candidate   standby, active, revoked, rejected    standby, active, retired, (no pin)
/// standby     revoked, rejected, retired            active, retired
/// active      revoked, rejected, retired            retiring, retired
/// retiring    revoked, rejected, retired            retired
/// retired     standby, active, revoked, rejected    candidate; (no pin) where nothing ever trusted it
/// revoked     standby, active, rejected             -
/// rejected    standby, active                       -
/// </code>
/// A pin that is not served is revoked by a file that declares an entry, which says what was decided where the pin was.
/// A person retires a pin where another takes its place: a table that is imported, the same key in another digest.
/// A move says only that the states may follow one another: the rules ask for evidence, mode and brake besides, and some decisions
/// of a person take a reason.
/// </remarks>
public static class PinMoves
{
    /// <param name="from">Null for a pin that is new.</param>
    /// <param name="to">Null for a pin that goes.</param>
    /// <param name="by">Who moves it.</param>
    public static bool IsLegal(PinState? from, PinState? to, PinMover by) => by == PinMover.Person
        ? to switch
        {
            PinState.Standby or PinState.Active => from?.IsServed() != true,
            PinState.Retired => from?.IsServed() == true,
            PinState.Revoked => from?.IsRefused() != true,
            PinState.Rejected => from != PinState.Rejected,
            _ => false,
        }
        : (from, to) switch
        {
            (null, PinState.Candidate or PinState.Active or PinState.Retiring) => true,
            (PinState.Candidate, PinState.Standby or PinState.Active or PinState.Retired or null) => true,
            (PinState.Standby, PinState.Active or PinState.Retired) => true,
            (PinState.Active, PinState.Retiring or PinState.Retired) => true,
            (PinState.Retiring, PinState.Retired) => true,
            (PinState.Retired, PinState.Candidate or null) => true,
            _ => false,
        };

    /// <summary>True where the move would take the last served pin, which no rule does: the mail of the destination would be deferred.</summary>
    public static bool TakesLastServed(IEnumerable<Pin> pins, Pin pin, PinState? to)
    {
        ArgumentNullException.ThrowIfNull(pins);
        ArgumentNullException.ThrowIfNull(pin);
        return pin.IsServed && to?.IsServed() != true && pins.Count(other => other.IsServed) <= 1;
    }

    /// <summary>The pins with this one served. One that is served already keeps its state and its strength.</summary>
    /// <param name="pin">The pin as it is to be: standby or active, with the strength of whoever decided.</param>
    public static ImmutableArray<Pin> Serve(this ImmutableArray<Pin> pins, Pin pin)
    {
        ArgumentNullException.ThrowIfNull(pin);
        if (pins.Find(pin.Fingerprint) is not { } known)
            return pins.Add(Moved(null, pin));
        var subject = pin.Subject == PinSubject.Unknown ? known.Subject : pin.Subject;
        return pins.Replace(known, known.IsServed ? known with { Subject = subject } : Moved(known, pin with { Subject = subject }));
    }

    /// <summary>The pins with this one, in whose place another is served, kept for the record and not served any more.</summary>
    public static ImmutableArray<Pin> Retire(this ImmutableArray<Pin> pins, Fingerprint fingerprint, DateTimeOffset at) =>
        pins.End(fingerprint, PinState.Retired, at);

    /// <summary>The pins with this one not served any more because a person said so, known before or not. One that is refused already stays as it is.</summary>
    public static ImmutableArray<Pin> Revoke(this ImmutableArray<Pin> pins, Fingerprint fingerprint, DateTimeOffset at) =>
        pins.Find(fingerprint) is not { } known
            ? pins.Add(Moved(null, new Pin(fingerprint, PinSubject.Unknown, PinState.Revoked, PinStrength.Person, at)))
            : known.State.IsRefused() ? pins : pins.End(fingerprint, PinState.Revoked, at);

    /// <summary>The pins with this one refused for good, known before or not.</summary>
    public static ImmutableArray<Pin> Reject(this ImmutableArray<Pin> pins, Fingerprint fingerprint, DateTimeOffset at)
    {
        if (pins.Find(fingerprint) is not { } known)
            return pins.Add(Moved(null, new Pin(fingerprint, PinSubject.Unknown, PinState.Rejected, PinStrength.Person, at)));
        return known.State == PinState.Rejected
            ? pins
            : pins.Replace(known, Moved(known, known with { State = PinState.Rejected, Strength = PinStrength.Person, Since = at }));
    }

    public static Pin? Find(this ImmutableArray<Pin> pins, Fingerprint fingerprint) => pins.FirstOrDefault(pin => pin.Fingerprint == fingerprint);

    private static ImmutableArray<Pin> End(this ImmutableArray<Pin> pins, Fingerprint fingerprint, PinState state, DateTimeOffset at)
    {
        var known = pins.Find(fingerprint) ?? throw new ArgumentException($"{fingerprint} is no pin here", nameof(fingerprint));
        return pins.Replace(known, Moved(known, known with { State = state, Since = at }));
    }

    private static Pin Moved(Pin? from, Pin to) => IsLegal(from?.State, to.State, PinMover.Person)
        ? to
        : throw new InvalidOperationException($"no person moves a pin from {from?.State.Name() ?? "nothing"} to {to.State.Name()}");
}
