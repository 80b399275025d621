using System.Collections.Immutable;

namespace PolicyDaemon.Core.Observations;

/// <summary>One address of a destination's MX host, with all that the rules of the pin life cycle judge it by.</summary>
public sealed record AddressState
{
    /// <summary>The MX host's name: the name a WebPKI certificate must be for.</summary>
    public required string MxHost { get; init; }

    public required AddressHistory History { get; init; }

    /// <summary>True while DNS names the address; false for one that only earlier lookups named.</summary>
    public bool Listed { get; init; } = true;

    /// <summary>Of the MX record that leads here; 0 where none does.</summary>
    public int Preference { get; init; }

    /// <summary>Of the MX records; secure where none lead here, since nobody can have forged one.</summary>
    public DnssecStatus MxDnssec { get; init; } = DnssecStatus.Secure;

    /// <summary>What the TLSA records of the host come to.</summary>
    public TlsaState Tlsa { get; init; }

    /// <summary>The probe just made, which knows more than is remembered; null where there is only what is remembered.</summary>
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

/// <summary>An address of a destination's MX host with its history, for people.</summary>
/// <param name="MxHost">The MX host's name.</param>
/// <param name="Listed">True while the last lookup that worked names the address.</param>
/// <param name="History">What the address presented.</param>
public sealed record MxAddress(string MxHost, bool Listed, AddressHistory History);
