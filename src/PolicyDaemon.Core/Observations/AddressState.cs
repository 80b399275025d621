using System.Collections.Immutable;

namespace PolicyDaemon.Core.Observations;

/// <summary>One address of a destination's MX host, with its history.</summary>
public record MxAddress
{
    /// <summary>The MX host's name: the name a WebPKI certificate must be for.</summary>
    public required string MxHost { get; init; }

    /// <summary>The address as a probe's target, and the certificates that it presented.</summary>
    public required AddressHistory History { get; init; }

    /// <summary>True while DNS names the address; false for one that only earlier lookups named.</summary>
    public bool Listed { get; init; } = true;
}

/// <summary>An address with all that the rules of the pin life cycle judge it by: its history, and what DNS and a probe say of it now.</summary>
public sealed record AddressState : MxAddress
{
    /// <summary>The preference of the MX record that leads to the address; 0 where none does.</summary>
    public int Preference { get; init; }

    /// <summary>The DNSSEC status of the MX records; secure where none lead to the address, since nobody can have forged one.</summary>
    public DnssecStatus MxDnssec { get; init; } = DnssecStatus.Secure;

    /// <summary>The state of the MX host's TLSA records.</summary>
    public TlsaState Tlsa { get; init; }

    /// <summary>The observation of the present probe, which has more in it than the history; null where none was made.</summary>
    public Observation? Observation { get; init; }

    /// <summary>TLSA records of the host, where they and everything that leads to them are DNSSEC-secure; otherwise empty.</summary>
    public ImmutableArray<TlsaRecord> SecureTlsa { get; init; } = [];

    /// <summary>The verdict of those records over the latest certificate of each algorithm.</summary>
    public ImmutableArray<(KeyAlgorithm Algorithm, DaneVerdict Verdict)> Dane { get; init; } = [];

    public DaneVerdict DaneOf(KeyAlgorithm algorithm)
    {
        foreach (var (known, verdict) in Dane)
        {
            if (known == algorithm)
                return verdict;
        }

        return DaneVerdict.None;
    }
}
