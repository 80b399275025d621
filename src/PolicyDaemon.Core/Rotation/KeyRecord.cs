using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Pins;

namespace PolicyDaemon.Core.Rotation;

/// <summary>A person's decision against a pin.</summary>
/// <param name="Fingerprint">The pin.</param>
/// <param name="Who">The person.</param>
/// <param name="At">When.</param>
/// <param name="Reason">Why; null where nobody said.</param>
public sealed record PinRefusal(Fingerprint Fingerprint, string Who, DateTimeOffset At, string? Reason);

/// <summary>What another destination makes of a key that is presented here.</summary>
/// <param name="Fingerprint">The pin there.</param>
/// <param name="Key">The other destination.</param>
/// <param name="State">The pin's state there: served, rejected or revoked.</param>
/// <param name="SharesHost">Its mail goes to one of the MX hosts of this destination, too.</param>
public sealed record PinElsewhere(Fingerprint Fingerprint, NextHop Key, PinState State, bool SharesHost);

/// <summary>What is on record about a key that is presented and not served: was it a pin here, is it one of another destination.</summary>
internal static class KeyRecord
{
    /// <summary>Clauses that follow "a key that is not pinned" or the like; empty where nothing is known of it.</summary>
    public static string Of(ServerCertificate certificate, RotationView view)
    {
        var clauses = new List<string>();
        foreach (var pin in view.Input.Pins.Where(pin => certificate.Matches(pin.Fingerprint)))
        {
            if (pin is { State: PinState.Retired, Strength: { } strength })
                clauses.Add($"it was a pin here ({strength.Name()}) and was retired on {pin.Since:yyyy-MM-dd}");
            else if (pin is { State: PinState.Retired })
                clauses.Add($"it was a candidate here before, and nobody trusted it ({pin.Since:yyyy-MM-dd})");
            else if (pin is { State: PinState.Candidate, Strength: { } before })
                clauses.Add($"it was a pin here before ({before.Name()}) and was retired");
        }

        foreach (var (_, key, state, sharesHost) in view.Input.Elsewhere.Where(other => certificate.Matches(other.Fingerprint)).Take(1))
        {
            clauses.Add((state, sharesHost) switch
            {
                (PinState.Rejected or PinState.Revoked, _) => $"{key} has {state.Name()} it",
                (_, true) => $"it is a pin of {key}, whose mail goes to the same MX host",
                _ => $"it is a pin of another destination, {key}, behind other MX hosts",
            });
        }

        return string.Concat(clauses.Select(clause => "; " + clause));
    }

    /// <summary>Who refused a pin, when and why.</summary>
    public static string Of(Pin refused, RotationView view) =>
        view.Input.Refusals.FirstOrDefault(one => one.Fingerprint == refused.Fingerprint) is { } decision
            ? $"{refused.State.Name()} by {decision.Who} on {decision.At:yyyy-MM-dd HH:mm} UTC, {(decision.Reason is null ? "without a reason" : $"because: {decision.Reason}")}"
            : $"{refused.State.Name()} on {refused.Since:yyyy-MM-dd}";
}
