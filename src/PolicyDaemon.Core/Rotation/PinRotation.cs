using System.Collections.Immutable;
using PolicyDaemon.Core.Deliveries;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;

namespace PolicyDaemon.Core.Rotation;

/// <summary>The pin life cycle: what probes saw, turned into proposed transitions, findings and a verdict. Pure.</summary>
/// <remarks>
/// <code>
/// first seen ----> candidate --(a person, evidence A or B)--> active --(replaced everywhere)--> retiring --(grace)--> retired
/// announced  ----> candidate --(a person, evidence A)--> standby --(seen)--> active                        rejected, revoked: a person, for good
/// </code>
/// <para>Served are standby, active and retiring. Four gates stand before every change of what is served: the mode
/// (<c>locked</c>: none), a lookup of the MX hosts that worked, what always takes a person (<see cref="Holds"/>, <see cref="CandidateHolds"/>)
/// and the <see cref="Brake"/>. A destination whose last probes saw nothing keeps its pins as they are.</para>
/// </remarks>
public static class PinRotation
{
    public static RotationResult Evaluate(RotationInput input)
    {
        ArgumentNullException.ThrowIfNull(input);
        var view = new RotationView(input);
        var met = view.AsLastMet();

        // What describes the present comes first, with the pins as they are served now.
        var present = view.Forecast();
        var verdict = present.Verdict();
        var seesServedPin = view.Current.Any(algorithm => view.Pins.Accepts(algorithm.Certificate));
        var holds = Holds.Of(met);
        var mayChange = input.Mx.IsCurrent && input.Mode != PinMode.Locked && holds.IsEmpty && !input.Brake.IsOn;

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
                reconsider = Change(view, mayChange);
        }

        var causes = Causes.Of(met, present, holds, mayChange);
        var findings = causes.Findings.Select(finding => finding with { Severity = verdict.SeverityOf(finding.Kind, input.IsObserved) });
        return new RotationResult(
            [.. view.Pins.Transitions], [.. findings], verdict, newKeySeen, seesServedPin, Earlier(reconsider, causes.SettledAt))
        {
            NewKeys = newKeys,
        };
    }

    private static DateTimeOffset? Earlier(DateTimeOffset? one, DateTimeOffset? other) => one is null || other < one ? other ?? one : one;

    private static DateTimeOffset? Change(RotationView view, bool mayChange)
    {
        // Standby is served already: that it is in use now changes no answer.
        Promotion.OnFirstUse(view);
        Expiry.Candidates(view);
        if (!mayChange)
            return null;
        var reconsider = Promotion.OnEvidence(view);
        Retirement.Complete(view);
        Retirement.Begin(view);
        Expiry.Standby(view);
        return reconsider;
    }
}

/// <summary>All that <see cref="PinRotation"/> decides from.</summary>
public sealed record RotationInput
{
    /// <summary>The key of the entry whose pins these are: the subject of the findings, and in their commands.</summary>
    public required string Entry { get; init; }

    public required PinMode Mode { get; init; }

    public required ImmutableArray<Pin> Pins { get; init; }

    /// <summary>The digest Postfix compares in; new pins are made in it.</summary>
    public required DigestAlgorithm Digest { get; init; }

    /// <summary>What the entry asks of a server; its pins are <see cref="Pins"/>.</summary>
    public required DeliveryPolicy Delivery { get; init; }

    /// <summary>The Postfix that sends the mail.</summary>
    public PostfixSettings Postfix { get; init; } = PostfixSettings.Default;

    /// <summary>Every known address of the MX set, in any order.</summary>
    public required ImmutableArray<AddressState> Addresses { get; init; }

    public required MxHistory Mx { get; init; }

    public Brake Brake { get; init; }

    /// <summary>When the machine's clock was last set by much: no hold-down counts from before; null where that is not known.</summary>
    public DateTimeOffset? ClockSetAt { get; init; }

    /// <summary>Who rejected or revoked pins, when and why.</summary>
    public ImmutableArray<PinRefusal> Refusals { get; init; } = [];

    /// <summary>What other destinations make of the keys that are presented and that no pin here serves.</summary>
    public ImmutableArray<PinElsewhere> Elsewhere { get; init; } = [];

    public RotationOptions Options { get; init; } = RotationOptions.Default;

    /// <summary>The entry is only observed: what is found holds up no mail.</summary>
    public bool IsObserved { get; init; }

    public required DateTimeOffset Now { get; init; }
}

/// <summary>What <see cref="PinRotation"/> proposes. Equal inputs give equal results, in equal order.</summary>
/// <param name="Transitions">The proposed changes, to be applied in this order.</param>
/// <param name="Findings">Every finding that holds now; one that was open before and is missing has settled.</param>
/// <param name="Verdict">What would happen to mail with the pins as they were.</param>
/// <param name="NewKeySeen">A key was seen that no pin knew: others are probed, too, so that the brake can see whether it is everywhere.</param>
/// <param name="SeesServedPin">A served pin was seen; the MX set is the trusted one from now on.</param>
/// <param name="ReconsiderAt">When waiting alone changes the result; null where it does not.</param>
public sealed record RotationResult(
    ImmutableArray<PinTransition> Transitions, ImmutableArray<Finding> Findings, DestinationVerdict Verdict, bool NewKeySeen,
    bool SeesServedPin, DateTimeOffset? ReconsiderAt)
{
    /// <summary>For the brake: MX hosts that show a new key, again at every probe until it is old.</summary>
    public ImmutableArray<HostWithNewKey> NewKeys { get; init; } = [];
}
