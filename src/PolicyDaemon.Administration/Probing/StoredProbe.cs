using System.Collections.Immutable;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Rotation;
using PolicyDaemon.Probe.Destinations;
using PolicyDaemon.Store;

namespace PolicyDaemon.Administration.Probing;

/// <summary>A probe of one destination that was stored, with the state of the store after it.</summary>
public sealed record StoredProbe
{
    /// <summary>The entry with its pins, after the probe.</summary>
    public required Destination Entry { get; init; }

    /// <summary>The stored probe state of the destination, after the probe.</summary>
    public required ProbeState State { get; init; }

    /// <summary>The result of the probe.</summary>
    public required ProbeResult Result { get; init; }

    /// <summary>The state of every address after the probe, also of those that DNS does not name any more.</summary>
    public required ImmutableArray<AddressState> Addresses { get; init; }

    /// <summary>The transitions that were written; those that a person's decision overtook are left out.</summary>
    public required ImmutableArray<PinTransition> Moved { get; init; }

    /// <summary>The open findings of the destination, as the store has them.</summary>
    public required ImmutableArray<Finding> Findings { get; init; }

    public string Key => Entry.Key.Text;

    public DestinationVerdict Verdict => Result.Result.Verdict;

    /// <summary>The addresses that DNS names.</summary>
    public IEnumerable<AddressState> Listed => Addresses.Where(address => address.Listed)
        .OrderBy(address => address.MxHost, StringComparer.Ordinal).ThenBy(address => address.History.Target);

    /// <summary>When the first of the certificates that were seen now expires; null where none was.</summary>
    public DateTimeOffset? FirstExpiry => Listed.SelectMany(Presented).Select(certificate => (DateTimeOffset?)certificate.NotAfter).Min();

    /// <summary>What an address presented in its last attempt.</summary>
    public static IEnumerable<ServerCertificate> Presented(AddressState address)
    {
        ArgumentNullException.ThrowIfNull(address);
        return address.History.IsSecured
            ? address.History.Algorithms
                .Select(algorithm => address.History.Latest(algorithm)!)
                .Where(run => run.Certificate is not null && run.Last == address.History.LastAttempt)
                .Select(run => run.Certificate!)
            : [];
    }

    /// <returns>Null where the destination was removed meanwhile.</returns>
    internal static StoredProbe? Of(ProbedDestination probed, PolicyStore store, IReadOnlyDictionary<(FindingKind, string), Finding> open)
    {
        var result = probed.Recorded;
        return store.FindInForce(result.Key) is { } entry && store.ReadProbeState(result.Key) is { } state
            ? new StoredProbe
            {
                Entry = entry,
                State = state,
                Result = result,
                Addresses = probed.States,
                Moved =
                [
                    .. result.Result.Transitions.Where(transition =>
                        entry.Pins.Any(pin => pin.Fingerprint == transition.Fingerprint && pin.State == transition.To)),
                ],
                Findings = [.. result.Result.Findings.Select(finding => open.GetValueOrDefault((finding.Kind, finding.Subject), finding))],
            }
            : null;
    }
}
