using System.Collections.Immutable;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Rotation;
using PolicyDaemon.Core.Runtime;

namespace PolicyDaemon.Administration.PinDecisions;

/// <summary>What a person does to the pins of a destination.</summary>
public static class PinEditing
{
    /// <summary>The pins with this one served: announced by a person, not seen by a probe yet.</summary>
    /// <param name="key">Whose pins they are, for the command that is proposed.</param>
    /// <param name="readmit">True where a person said why a rejected pin is to be trusted again.</param>
    /// <exception cref="RefusedException">The pin was rejected, and nobody said why it should come back.</exception>
    public static ImmutableArray<Pin> Trust(
        NextHop key, ImmutableArray<Pin> pins, Fingerprint fingerprint, PinSubject subject, TimeProvider time, bool readmit)
    {
        var pin = new Pin(fingerprint, subject, PinState.Standby, PinStrength.Person, Now(time));
        var known = pins.FirstOrDefault(candidate => candidate.Fingerprint == fingerprint);
        if (known is null)
            return pins.Add(pin);
        if (known.State == PinState.Rejected && !readmit)
            throw new RefusedException(
                Refusal.NeedsReason, $"{fingerprint} was rejected on {known.Since:yyyy-MM-dd}; to trust it all the same: policyctl pin add {Shell.Quote(key.Text)} {fingerprint} --reason \"why\"");
        if (known.IsServed)
            return subject == PinSubject.Unknown ? pins : pins.Replace(known, known with { Subject = subject });
        return pins.Replace(known, pin with { Subject = subject == PinSubject.Unknown ? known.Subject : subject });
    }

    /// <summary>The pins with this one kept for the record and not served any more.</summary>
    public static ImmutableArray<Pin> Revoke(ImmutableArray<Pin> pins, Fingerprint fingerprint, TimeProvider time)
    {
        var known = pins.First(pin => pin.Fingerprint == fingerprint);
        return pins.Replace(known, Retire(known, time));
    }

    public static Pin Retire(Pin pin, TimeProvider time) => pin with { State = PinState.Retired, Since = Now(time) };

    /// <summary>The pins with this one refused for good, known before or not.</summary>
    public static ImmutableArray<Pin> Reject(ImmutableArray<Pin> pins, Fingerprint fingerprint, TimeProvider time)
    {
        var known = pins.FirstOrDefault(pin => pin.Fingerprint == fingerprint);
        if (known is null)
            return pins.Add(new Pin(fingerprint, PinSubject.Unknown, PinState.Rejected, PinStrength.Person, Now(time)));
        return known.State == PinState.Rejected
            ? pins
            : pins.Replace(known, known with { State = PinState.Rejected, Strength = PinStrength.Person, Since = Now(time) });
    }

    public static DateTimeOffset Now(TimeProvider time) => UtcTime.WholeSeconds(time.GetUtcNow());
}
