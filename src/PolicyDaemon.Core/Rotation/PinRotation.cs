using System.Collections.Immutable;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Pins;

namespace PolicyDaemon.Core.Rotation;

/// <summary>The pin life cycle: what probes saw, turned into proposed transitions, findings and a verdict. Pure.</summary>
/// <remarks>
/// <code>
/// first seen ----> candidate --(a person, evidence A or B)--> active --(replaced everywhere)--> retiring --(grace)--> retired
/// announced  ----> candidate --(a person, evidence A)--> standby --(seen)--> active                        rejected: a person, for good
/// </code>
/// <para>Served are standby, active and retiring. Four gates stand before every change of what is served: the mode
/// (<c>locked</c>: none), a current look at DNS, what always takes a person (<see cref="Holds"/>, <see cref="CandidateHolds"/>)
/// and the <see cref="Brake"/>. A destination of which the last probes saw nothing changes in nothing.</para>
/// </remarks>
public static class PinRotation
{
    public static RotationResult Evaluate(RotationInput input)
    {
        ArgumentNullException.ThrowIfNull(input);
        var view = new RotationView(input);
        var findings = ImmutableArray.CreateBuilder<Finding>();

        // Everything that describes the present comes first, with the pins as they are served now.
        var verdict = PinVerdict.Of(view);
        var seesServedPin = view.Current.Any(slot => view.Pins.Accepts(slot.Certificate));
        Alarms.Add(view, verdict, findings);
        var holds = Holds.Of(view);
        findings.AddRange(holds);

        DateTimeOffset? reconsider = null;
        var newKeySeen = false;
        ImmutableArray<HostWithNewKey> newKeys = [];
        if (input.Mx.IsCurrent)
        {
            newKeys = [.. HostWithNewKey.In(view).Distinct()];
            newKeySeen = Proposals.FirstSeen(view);
            PinConversion.Apply(view);
            Proposals.KeyBesideCertificate(view);
            Proposals.Announced(view);
            if (input.Mode != PinMode.Locked)
                reconsider = Change(view, findings, mayChange: holds.IsEmpty && !input.Brake.IsOn);
        }

        return new RotationResult(
            [.. view.Pins.Transitions], [.. findings.DistinctBy(finding => finding.Kind)], verdict, newKeySeen, seesServedPin, reconsider)
        {
            NewKeys = newKeys,
        };
    }

    private static DateTimeOffset? Change(RotationView view, ImmutableArray<Finding>.Builder findings, bool mayChange)
    {
        // Standby is served already: that it is in use now changes no answer.
        Promotion.OnFirstUse(view, findings);
        Expiry.Candidates(view);
        if (!mayChange)
            return null;
        var reconsider = Promotion.OnEvidence(view, findings);
        Retirement.Complete(view);
        Retirement.Begin(view);
        Expiry.Standby(view, findings);
        return reconsider;
    }
}
