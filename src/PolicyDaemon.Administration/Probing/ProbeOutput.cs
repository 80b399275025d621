using System.Collections.Immutable;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Rotation;
using PolicyDaemon.Probe.Destinations;

namespace PolicyDaemon.Administration.Probing;

/// <summary>One destination, probed, with what was stored of it.</summary>
/// <param name="Probe">What the probe came to.</param>
/// <param name="Moved">The transitions that the store took: a person may have decided meanwhile.</param>
public sealed record ProbeOutput(ProbedDestination Probe, ImmutableArray<PinTransition> Moved)
{
    public string Key => Probe.Before.Key.Text;

    /// <summary>What was stored.</summary>
    public ProbeResult Result => Probe.Round;

    public DestinationVerdict Verdict => Result.Result.Verdict;

    /// <summary>The addresses that DNS names.</summary>
    public IEnumerable<AddressState> Listed => Probe.States.Where(address => address.Listed)
        .OrderBy(address => address.MxHost, StringComparer.Ordinal).ThenBy(address => address.History.Target);

    /// <summary>When the first of the certificates that were seen now expires; null where none was.</summary>
    public DateTimeOffset? FirstExpiry => Listed.SelectMany(Seen).Select(certificate => (DateTimeOffset?)certificate.NotAfter).Min();

    internal static ProbeOutput Of(ProbedDestination probe, ImmutableArray<Pin> after) => new(
        probe,
        [
            .. probe.Round.Result.Transitions.Where(transition =>
                after.Any(pin => pin.Fingerprint == transition.Fingerprint && pin.State == transition.To)),
        ]);

    /// <summary>What an address showed in its last attempt.</summary>
    public static IEnumerable<ServerCertificate> Seen(AddressState address) => address.History.IsSecured
        ? address.History.Algorithms
            .Select(algorithm => address.History.Latest(algorithm)!)
            .Where(run => run.Certificate is not null && run.Last == address.History.LastAttempt)
            .Select(run => run.Certificate!)
        : [];
}
