using PolicyDaemon.Core.Destinations;

namespace PolicyDaemon.Core.Findings;

/// <summary>Whose mail a finding is about, for whoever counts what waits.</summary>
public static class FindingMail
{
    private const FindingSource AboutDestinations = FindingSource.Probe | FindingSource.Discovery | FindingSource.Lookup | FindingSource.Entry;

    /// <summary>The destination that a finding is about.</summary>
    /// <returns>Null where it is about a part of the program or of the machine, whose name may look like a destination's.</returns>
    public static NextHop? Destination(this FindingJson finding)
    {
        ArgumentNullException.ThrowIfNull(finding);
        return FindingKinds.TryParse(finding.Kind, out var kind) ? Destination(kind, finding.Subject) : null;
    }

    /// <summary>The destination that a finding of a kind is about.</summary>
    /// <param name="kind">The kind.</param>
    /// <param name="subject">The finding's subject.</param>
    /// <returns>Null as above.</returns>
    public static NextHop? Destination(FindingKind kind, string subject)
    {
        if (!NextHop.TryParse(subject, out var key, out _))
            return null;
        return kind switch
        {
            FindingKind.EntryNotServable or FindingKind.DeliveryDeferred => key,
            FindingKind.DiscoveryTrouble => null,
            // Of the lookups of one destination, or of all of them.
            FindingKind.DnsTrouble => key.Host.Contains('.', StringComparison.Ordinal) ? key : null,
            _ => kind.IsOf(AboutDestinations) ? key : null,
        };
    }
}
