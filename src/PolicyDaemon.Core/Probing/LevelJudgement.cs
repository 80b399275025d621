using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Pins.Rotation;
using PolicyDaemon.Core.Policies;

namespace PolicyDaemon.Core.Probing;

/// <summary>The verdict of a destination without pins: what would happen to mail at its level.</summary>
public static class LevelJudgement
{
    /// <param name="level">Any level but <c>fingerprint</c>, which <see cref="PinRotation"/> judges.</param>
    /// <param name="nextHop">For <c>secure</c> without <c>match</c>, whose names are the next hop's.</param>
    /// <param name="match">The <c>match</c> attribute.</param>
    public static DestinationVerdict Of(
        TlsLevel level, NextHop nextHop, IReadOnlyCollection<string> match, IReadOnlyCollection<WatchedAddress> addresses)
    {
        ArgumentNullException.ThrowIfNull(match);
        ArgumentNullException.ThrowIfNull(addresses);
        var (accepted, refused, attempted) = (0, 0, 0);
        foreach (var address in addresses.Where(address => address.Listed && address.History.LastAttempt is not null))
        {
            attempted++;
            switch (Accepts(level, nextHop, match, address))
            {
                case true: accepted++; break;
                case false: refused++; break;
            }
        }

        return (accepted, refused) switch
        {
            ( > 0, 0) => DestinationVerdict.Ok,
            ( > 0, _) => DestinationVerdict.Degraded,
            (0, > 0) => DestinationVerdict.Mismatch,
            _ => attempted > 0 ? DestinationVerdict.Unreachable : DestinationVerdict.Unknown,
        };
    }

    // Null: nobody can tell, because the last attempt said nothing.
    private static bool? Accepts(TlsLevel level, NextHop nextHop, IReadOnlyCollection<string> match, WatchedAddress address)
    {
        var history = address.History;
        if (level is TlsLevel.None or TlsLevel.May)
            return history.IsConclusive ? true : null;
        if (history.LastOutcome is ProbeOutcome.StartTlsNotSupported or ProbeOutcome.HandshakeFailed or ProbeOutcome.PlaintextInjected)
            return false;
        if (!history.IsSecured)
            return null;
        var current = history.Algorithms.Select(algorithm => history.Latest(algorithm)!)
            .Where(run => run.Certificate is not null && run.Last == history.LastAttempt)
            .ToList();
        return level switch
        {
            TlsLevel.Encrypt => true,
            TlsLevel.Verify or TlsLevel.Secure => current.TrueForAll(run =>
                run.TrustedSince is not null && Names(level, nextHop, match, address.MxHost).Any(name => Covers(run.Certificate!, name))),
            TlsLevel.DaneOnly => current.TrueForAll(run => address.DaneOf(run.Algorithm) == DaneVerdict.Match),
            // Falls back by itself where there is nothing usable (postconf(5), smtp_tls_security_level).
            TlsLevel.Dane => current.TrueForAll(run => address.DaneOf(run.Algorithm) != DaneVerdict.Mismatch),
            _ => null,
        };
    }

    private static IEnumerable<string> Names(TlsLevel level, NextHop nextHop, IReadOnlyCollection<string> match, string host)
    {
        var wanted = match.Count > 0 ? match : level == TlsLevel.Verify ? ["hostname"] : ["nexthop", "dot-nexthop"];
        return wanted.Select(name => name switch
        {
            "hostname" => host,
            "nexthop" => nextHop.Host,
            "dot-nexthop" => "." + nextHop.Host,
            _ => name,
        });
    }

    /// <summary>A leading dot accepts any name below, at any depth, and not the name itself (postconf(5), smtp_tls_secure_cert_match).</summary>
    private static bool Covers(ServerCertificate certificate, string name) =>
        name.StartsWith('.')
            ? certificate.Names.Any(own => own.EndsWith(name, StringComparison.OrdinalIgnoreCase) && own.Length > name.Length)
            : certificate.Covers(name);
}
