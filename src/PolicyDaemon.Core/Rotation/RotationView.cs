using System.Collections.Immutable;
using PolicyDaemon.Core.Deliveries;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Observations;

namespace PolicyDaemon.Core.Rotation;

/// <summary>An input prepared for the rules: its addresses and their key algorithms in one order, whatever the order of the addresses.</summary>
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
        Algorithms = [.. Addresses.SelectMany(address => address.History.Algorithms.Select(known => new AddressAlgorithm(address, known)))];
        Current = [.. Algorithms.Where(algorithm => algorithm.IsCurrent)];
        Pins = pins;
    }

    public RotationInput Input { get; }

    public ImmutableArray<AddressState> Addresses { get; }

    /// <summary>Each address with each key algorithm of which it ever presented a certificate.</summary>
    public ImmutableArray<AddressAlgorithm> Algorithms { get; }

    /// <summary>Certificates seen in the last probe of their address.</summary>
    public ImmutableArray<AddressAlgorithm> Current { get; }

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

    /// <summary>The forecast of mail with the pins as they are served.</summary>
    /// <returns>Null where no pin is served.</returns>
    public MailForecast? Forecast() => Pins.Served.Any()
        ? MailForecast.Of(new DeliveryRules(Input.Delivery with { IsPinned = Pins.Accepts }, Input.Postfix), Addresses)
        : null;

    /// <summary>A finding about these pins, with those that are served as expected and what is presented as seen.</summary>
    public Finding Finding(FindingKind kind, ProbeOutcome outcome, IEnumerable<AddressAlgorithm> algorithms, string detail, string remedy) =>
        new(kind, Input.Entry, detail, remedy, Now)
        {
            Outcome = outcome,
            Expected = [.. Pins.Served.Select(pin => pin.Fingerprint)],
            Seen = [.. algorithms.Select(algorithm => algorithm.ToPresentedKey(Input.Digest))],
        };
}
