using System.Collections.Immutable;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Rotation;

namespace PolicyDaemon.Store.Probing;

/// <summary>Applies proposed transitions to pins as they are now: what the rules promised is checked once more where it is written.</summary>
/// <remarks>
/// <para>Between the proposal and this moment a person may have decided: a transition whose pin is not where it starts from is left
/// out. So is one that the mode of now does not allow, one that would take the last served pin, and one after which the entry could
/// not be served. A conversion is two transitions and happens whole or not at all.</para>
/// <para>Nothing here serves a pin that was not served, but on evidence A or B or as the same key in another digest; and nothing
/// touches a rejected pin.</para>
/// </remarks>
internal static class PinMoves
{
    /// <param name="canServe">Whether an entry with these pins could be served as well as now.</param>
    /// <returns>The pins afterwards, and what was applied of the proposal.</returns>
    internal static (ImmutableArray<Pin> Pins, ImmutableArray<PinTransition> Applied) Apply(
        ImmutableArray<Pin> pins, ImmutableArray<PinTransition> proposed, PinMode mode, DateTimeOffset at, Func<ImmutableArray<Pin>, bool> canServe)
    {
        var applied = ImmutableArray.CreateBuilder<PinTransition>();
        foreach (var step in Steps(proposed))
        {
            if (Take(pins, step, mode, at) is { } next && (!ChangesService(step) || canServe(next)))
            {
                pins = next;
                applied.AddRange(step);
            }
        }

        return (pins, applied.ToImmutable());
    }

    /// <summary>What happens whole or not at all.</summary>
    private static IEnumerable<ImmutableArray<PinTransition>> Steps(ImmutableArray<PinTransition> proposed)
    {
        for (var i = 0; i < proposed.Length; i++)
        {
            if (i + 1 < proposed.Length && proposed[i] is { Rule: RotationRule.Converted, From: null } && proposed[i + 1] is { Rule: RotationRule.Converted, From: not null })
            {
                yield return [proposed[i], proposed[i + 1]];
                i++;
                continue;
            }

            yield return [proposed[i]];
        }
    }

    /// <returns>Null where a transition of the step cannot be made.</returns>
    private static ImmutableArray<Pin>? Take(ImmutableArray<Pin> pins, ImmutableArray<PinTransition> step, PinMode mode, DateTimeOffset at)
    {
        foreach (var transition in step)
        {
            var known = pins.FirstOrDefault(pin => pin.Fingerprint == transition.Fingerprint);
            if (known?.State != transition.From || !IsAllowed(transition, mode))
                return null;
            var subject = transition.Subject == PinSubject.Unknown ? known?.Subject ?? PinSubject.Unknown : transition.Subject;
            var next = new Pin(transition.Fingerprint, subject, transition.To, transition.Strength, at);
            if (known is { IsServed: true } && !next.IsServed && pins.Count(pin => pin.IsServed) < 2)
                return null;
            pins = known is null ? pins.Add(next) : pins.Replace(known, next);
        }

        return pins;
    }

    private static bool IsAllowed(PinTransition transition, PinMode mode)
    {
        if (transition.From == PinState.Rejected || transition.To == PinState.Rejected)
            return false;
        if (mode == PinMode.Locked)
            return transition is { From: null, To: PinState.Candidate };
        return IsServed(transition.From) || !IsServed(transition.To) || transition.Rule switch
        {
            RotationRule.Dane => transition.From == PinState.Candidate,
            RotationRule.WebPki => transition.From == PinState.Candidate && mode == PinMode.Auto,
            RotationRule.Converted => transition.From is null,
            _ => false,
        };
    }

    private static bool ChangesService(ImmutableArray<PinTransition> step) =>
        step.Any(transition => IsServed(transition.From) || IsServed(transition.To));

    private static bool IsServed(PinState? state) => state is PinState.Standby or PinState.Active or PinState.Retiring;
}
