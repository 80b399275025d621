using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Policies;

namespace PolicyDaemon.Core.Rotation;

/// <summary>What would happen to mail at a level that needs no pins, address by address.</summary>
/// <param name="level">Any level but <c>fingerprint</c>, which <see cref="PinRotation"/> judges.</param>
/// <param name="nextHop">For <c>secure</c> without <c>match</c>, whose names are the next hop's.</param>
/// <param name="match">The <c>match</c> attribute.</param>
public sealed class LevelVerdict(TlsLevel level, NextHop nextHop, IReadOnlyCollection<string> match)
{
    /// <summary>The verdict over all addresses that DNS names.</summary>
    public DestinationVerdict Verdict(IEnumerable<AddressState> addresses)
    {
        ArgumentNullException.ThrowIfNull(addresses);
        var (accepted, refused, attempted, unjudged) = (0, 0, 0, 0);
        foreach (var address in addresses.Where(address => address.Listed && address.History.LastAttempt is not null))
        {
            attempted++;
            if (!SaysSomething(address))
                continue;
            if (Refusal(address) is not null)
                refused++;
            else if (IsUnjudged(address))
                unjudged++;
            else
                accepted++;
        }

        return (accepted, refused) switch
        {
            ( > 0, 0) => DestinationVerdict.Ok,
            ( > 0, _) => DestinationVerdict.Degraded,
            _ when unjudged > 0 => DestinationVerdict.Unknown,
            (0, > 0) => DestinationVerdict.Mismatch,
            _ => attempted > 0 ? DestinationVerdict.Unreachable : DestinationVerdict.Unknown,
        };
    }

    /// <summary>Why mail would not go through this address; null where it would, or where the last attempt says nothing.</summary>
    public ProbeOutcome? Refusal(AddressState address)
    {
        ArgumentNullException.ThrowIfNull(address);
        if (!SaysSomething(address) || level is TlsLevel.None or TlsLevel.May)
            return null;
        var history = address.History;
        if (!history.IsSecured)
            return level == TlsLevel.Encrypt && history.LastOutcome is (ProbeOutcome.TlsTooOld or ProbeOutcome.TlsAnonymous) ? null : history.LastOutcome;
        foreach (var algorithm in history.Algorithms)
        {
            if (history.Latest(algorithm) is { Certificate: not null } run && run.Last == history.LastAttempt
                && Refusal(address, run) is { } refusal)
                return refusal;
        }

        return null;
    }

    /// <summary>True where TLSA records decide and no trusted resolver says whether there are secure ones: it is not known what Postfix will do.</summary>
    public bool IsUnjudged(AddressState address)
    {
        ArgumentNullException.ThrowIfNull(address);
        return level == TlsLevel.DaneOnly && address.History.IsSecured
            && address.Dane.Any(one => one.Verdict == DaneVerdict.Unjudged);
    }

    private static bool SaysSomething(AddressState address) =>
        address.History is { LastAttempt: not null, LastOutcome: ProbeOutcome.Secured or ProbeOutcome.StartTlsNotSupported
            or ProbeOutcome.HandshakeFailed or ProbeOutcome.PlaintextInjected or ProbeOutcome.TlsTooOld or ProbeOutcome.TlsAnonymous };

    private ProbeOutcome? Refusal(AddressState address, CertificateRun run)
    {
        switch (level)
        {
            case TlsLevel.Verify or TlsLevel.Secure:
                if (run.TrustedSince is null)
                    return run.Certificate!.NotAfter < run.Last ? ProbeOutcome.CertificateExpired : ProbeOutcome.CertificateNotTrusted;
                return Names(address.MxHost).Any(name => Covers(run.Certificate!, name)) ? null : ProbeOutcome.CertificateHostMismatch;
            // dane falls back by itself where there is nothing usable (postconf(5), smtp_tls_security_level); dane-only does not.
            case TlsLevel.Dane or TlsLevel.DaneOnly:
                return address.DaneOf(run.Algorithm) switch
                {
                    DaneVerdict.Match => null,
                    DaneVerdict.Unjudged => null,
                    DaneVerdict.Mismatch => ProbeOutcome.TlsaMismatch,
                    _ when level == TlsLevel.Dane => null,
                    DaneVerdict.None => ProbeOutcome.DaneRequired,
                    _ => ProbeOutcome.TlsaInvalid,
                };
            default:
                return null;
        }
    }

    private IEnumerable<string> Names(string host) =>
        (match.Count > 0 ? match : DefaultMatch.Of(level)).Select(name => DefaultMatch.Resolve(name, nextHop, host));

    private static bool Covers(ServerCertificate certificate, string name) =>
        name.StartsWith('.') ? certificate.Names.Any(own => DefaultMatch.Covers(name, own)) : certificate.Covers(name);
}
