using System.Collections.Immutable;
using PolicyDaemon.Core.Observations;

namespace PolicyDaemon.Administration.PinDecisions;

/// <summary>A public key in the certificate in which it was shown last, with every place of a destination that shows it or showed it.</summary>
/// <param name="Certificate">The certificate in which it was seen last.</param>
/// <param name="Places">The places, at least one.</param>
public sealed record ShownKey(ServerCertificate Certificate, ImmutableArray<ShownPlace> Places)
{
    /// <summary>The first probe that saw it, as far as remembered.</summary>
    public DateTimeOffset First => Places.Min(place => place.First);

    /// <summary>The last probe that saw it.</summary>
    public DateTimeOffset Last => Places.Max(place => place.Last);

    /// <summary>True where a listed address presented it in the last probe.</summary>
    public bool IsCurrent => Places.Any(place => place.IsCurrent);

    /// <summary>The MX hosts, each once.</summary>
    public IEnumerable<string> Hosts => Places.Select(place => place.MxHost).Distinct(StringComparer.OrdinalIgnoreCase);

    /// <summary>The addresses, each once.</summary>
    public IEnumerable<string> Addresses => Places.Select(place => place.Target.Address.ToString()).Distinct(StringComparer.Ordinal);

    /// <summary>True where the WebPKI trusted the chain at every place, in the last probe that saw the certificate there.</summary>
    public bool IsTrusted => Places.All(place => place.IsTrusted);

    /// <summary>True where the certificate is for the name of every MX host that shows it.</summary>
    public bool CoversHosts => Hosts.All(Certificate.Covers);

    /// <summary>True where the certificate names itself as its issuer.</summary>
    public bool IsIssuedByItself => Certificate.Issuer == Certificate.Subject;
}

/// <summary>A place that shows a key or showed it: an address of an MX host, with what speaks for the key there.</summary>
/// <param name="MxHost">The MX host.</param>
/// <param name="Target">The host's address and port.</param>
/// <param name="First">The first probe that saw the key there, as far as remembered.</param>
/// <param name="Last">The last one.</param>
/// <param name="Probes">How many did.</param>
/// <param name="IsCurrent">True where the address is listed and showed it when it was last asked for a certificate of that algorithm.</param>
public sealed record ShownPlace(string MxHost, ProbeTarget Target, DateTimeOffset First, DateTimeOffset Last, int Probes, bool IsCurrent)
{
    /// <summary>True where the last probe of the address that saw any certificate saw this one: a server that has shown one of another algorithm
    /// since may have this one besides, or not any more.</summary>
    public bool WasShownLast { get; init; } = true;

    /// <summary>True where the last probe that saw the certificate there found its chain trusted by the WebPKI, names apart.</summary>
    public bool IsTrusted { get; init; }

    /// <summary>Why the chain is not trusted, for people; null where it is, or where that is not kept.</summary>
    public string? ChainDetail { get; init; }

    /// <summary>The verdict of the host's TLSA records, as they were looked up last.</summary>
    public DaneVerdict Dane { get; init; }

    /// <summary>True where the same address has shown a key that is trusted.</summary>
    public bool HasShownTrusted { get; init; }

    /// <summary>True where the server there has a certificate of another algorithm, too.</summary>
    public bool HasSeveral { get; init; }

    /// <summary>How many other keys that nobody trusts the address has shown since the last that is trusted.</summary>
    public int StrangersBefore { get; init; }

    /// <summary>The place as people read it.</summary>
    public override string ToString() => $"{MxHost} [{Target.Address}]";
}
