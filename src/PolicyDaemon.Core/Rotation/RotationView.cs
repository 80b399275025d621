using System.Collections.Immutable;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Observations;

namespace PolicyDaemon.Core.Rotation;

/// <summary>An input prepared for the rules: its slots in one order, whatever the order of the addresses.</summary>
internal sealed class RotationView
{
    public RotationView(RotationInput input)
        : this(input, new PinSet(input.Pins, input.Now))
    {
    }

    private RotationView(RotationInput input, PinSet pins)
    {
        Input = input;
        Addresses =
        [
            .. input.Addresses
                .OrderBy(address => address.MxHost, StringComparer.Ordinal)
                .ThenBy(address => address.History.Target.Id, StringComparer.Ordinal),
        ];
        CertificateSlots = [.. Addresses.SelectMany(address => address.History.Algorithms.Select(algorithm => new CertificateSlot(address, algorithm)))];
        Current = [.. CertificateSlots.Where(slot => slot.IsCurrent)];
        Pins = pins;
    }

    public RotationInput Input { get; }

    public ImmutableArray<AddressState> Addresses { get; }

    public ImmutableArray<CertificateSlot> CertificateSlots { get; }

    /// <summary>The slots that the last attempts saw.</summary>
    public ImmutableArray<CertificateSlot> Current { get; }

    public PinSet Pins { get; }

    public RotationOptions Options => Input.Options;

    public DateTimeOffset Now => Input.Now;

    /// <summary>The command that shows more and changes nothing.</summary>
    public string Check => Command("check");

    /// <summary>A command about the entry, to be pasted into a shell.</summary>
    public string Command(string verb) => $"policyctl {verb} {Shell.Quote(Input.Entry)}";

    /// <summary>A view of the same pins, with the addresses as they were when a probe last reached them.</summary>
    public RotationView AsLastMet() => new(
        Input with { Addresses = [.. Input.Addresses.Select(address => address with { History = address.History.AsLastMet() })] }, Pins);

    /// <summary>A finding about these pins, with those that are served as expected and what the slots present as seen.</summary>
    public Finding Finding(FindingKind kind, ProbeOutcome outcome, IEnumerable<CertificateSlot> slots, string detail, string remedy) =>
        new(kind, Input.Entry, detail, remedy, Now)
        {
            Outcome = outcome,
            Expected = [.. Pins.Served.Select(pin => pin.Fingerprint)],
            Seen = [.. slots.Select(slot => slot.ToPresentedKey(Input.Digest))],
        };
}
