using System.Collections.Immutable;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Runtime;

namespace PolicyDaemon.Administration.PinDecisions;

/// <summary>Changes of a destination's pins that a person makes.</summary>
public static class PinEditing
{
    /// <summary>The pins with this one served: announced by a person, not seen by a probe yet.</summary>
    /// <param name="key">Whose pins they are, for the command that is proposed.</param>
    /// <param name="readmit">True where a person said why a rejected or revoked pin is to be trusted again.</param>
    /// <exception cref="RefusedException">The pin was rejected or revoked, and nobody said why it should come back.</exception>
    public static ImmutableArray<Pin> Trust(
        NextHop key, ImmutableArray<Pin> pins, Fingerprint fingerprint, PinSubject subject, TimeProvider time, bool readmit)
    {
        if (!readmit && pins.Find(fingerprint) is { } refused && refused.State.IsRefused())
        {
            throw new RefusedException(
                Refusal.NeedsReason, $"{fingerprint} was {refused.State.Name()} on {refused.Since:yyyy-MM-dd}; to trust it all the same: policyctl pin add {Shell.Quote(key.Text)} {fingerprint} --reason \"why\"");
        }

        return pins.Serve(new Pin(fingerprint, subject, PinState.Standby, PinStrength.Person, Now(time)));
    }

    public static DateTimeOffset Now(TimeProvider time) => UtcTime.WholeSeconds(time.GetUtcNow());
}
