using System.Collections.Immutable;
using PolicyDaemon.Core.Pins;

namespace PolicyDaemon.Core.Rotation;

/// <summary>A proposed change of one pin. The ledger applies it only while the pin is still in <paramref name="From"/>.</summary>
/// <param name="Fingerprint">The pin's fingerprint.</param>
/// <param name="Subject">What the fingerprint is a digest of.</param>
/// <param name="From">The pin's state; null for a pin that is new.</param>
/// <param name="To">The pin's next state; null for one that nothing ever trusted and that is forgotten.</param>
/// <param name="Strength">The pin's strength afterwards, and for ever; null while nothing has trusted it.</param>
/// <param name="Rule">The rule of the life cycle that proposes the change; the audit log names it.</param>
/// <param name="Reason">Why, in a sentence for people.</param>
public sealed record PinTransition(
    Fingerprint Fingerprint, PinSubject Subject, PinState? From, PinState? To, PinStrength? Strength, RotationRule Rule, string Reason)
{
    internal bool ChangesService => From?.IsServed() == true || To?.IsServed() == true;
}

/// <summary>Applies proposed transitions to pins as they are now: what the rules promised is checked once more where it is written.</summary>
/// <remarks>
/// <para>Between the proposal and this moment a person may have decided: a transition whose pin is not where it starts from is left
/// out. So is one that the mode of now does not allow, one that would take the last served pin, and one after which the entry could
/// not be served. A conversion is two transitions and happens whole or not at all.</para>
/// <para>Nothing here serves a pin that was not served, but on evidence A or B or as the same key in another digest; nothing
/// touches a rejected or revoked pin, and nothing forgets one that was ever trusted.</para>
/// </remarks>
public static class PinTransitions
{
    /// <param name="pins">The pins as they are now.</param>
    /// <param name="mode">The mode as it is now.</param>
    /// <param name="at">The time from which the new states count.</param>
    /// <param name="canServe">Whether an entry with these pins could be served as well as now.</param>
    /// <returns>The pins afterwards, and what was applied of the proposal.</returns>
    public static (ImmutableArray<Pin> Pins, ImmutableArray<PinTransition> Applied) Apply(
        ImmutableArray<Pin> pins, ImmutableArray<PinTransition> proposed, PinMode mode, DateTimeOffset at, Func<ImmutableArray<Pin>, bool> canServe)
    {
        ArgumentNullException.ThrowIfNull(canServe);
        var applied = ImmutableArray.CreateBuilder<PinTransition>();
        foreach (var step in Steps(proposed))
        {
            if (Take(pins, step, mode, at) is { } next && (!step.Any(transition => transition.ChangesService) || canServe(next)))
            {
                pins = next;
                applied.AddRange(step);
            }
        }

        return (pins, applied.ToImmutable());
    }

    /// <summary>The transitions grouped by what happens whole or not at all.</summary>
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
            var known = pins.Find(transition.Fingerprint);
            if (known?.State != transition.From || !IsAllowed(transition, mode))
                return null;
            if (known is not null && (PinMoves.TakesLastServed(pins, known, transition.To) || (transition.To is null && known.Strength is not null)))
                return null;
            if (transition.To is not { } state)
            {
                pins = pins.Remove(known!);
                continue;
            }

            var subject = transition.Subject == PinSubject.Unknown ? known?.Subject ?? PinSubject.Unknown : transition.Subject;
            var next = new Pin(transition.Fingerprint, subject, state, transition.Strength, at);
            pins = known is null ? pins.Add(next) : pins.Replace(known, next);
        }

        return pins;
    }

    private static bool IsAllowed(PinTransition transition, PinMode mode)
    {
        if (!PinMoves.IsLegal(transition.From, transition.To, PinMover.Rules))
            return false;
        if (mode == PinMode.Locked)
            return transition is { From: null, To: PinState.Candidate } or { From: PinState.Candidate, To: null };
        var entersService = transition.To?.IsServed() == true && transition.From?.IsServed() != true;
        return !entersService || transition.Rule switch
        {
            RotationRule.Dane => transition.From == PinState.Candidate,
            RotationRule.WebPki => transition.From == PinState.Candidate && mode == PinMode.Auto,
            RotationRule.Converted => transition.From is null,
            _ => false,
        };
    }
}
