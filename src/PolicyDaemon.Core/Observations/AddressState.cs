using System.Collections.Immutable;

namespace PolicyDaemon.Core.Observations;

/// <summary>One address of an MX host, as the rotation of one destination's pins sees it.</summary>
public sealed record AddressState
{
    /// <summary>The MX host's name: the name a WebPKI certificate must be for.</summary>
    public required string MxHost { get; init; }

    public required AddressHistory History { get; init; }

    /// <summary>True while DNS names it; false for one that is only remembered.</summary>
    public bool Listed { get; init; } = true;

    /// <summary>TLSA records of the host, where they and everything that leads to them are DNSSEC-secure; otherwise empty.</summary>
    public ImmutableArray<TlsaRecord> SecureTlsa { get; init; } = [];

    /// <summary>What those records say of the latest certificate of each algorithm.</summary>
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

/// <summary>An address of an MX host of a destination, with what is remembered of it.</summary>
/// <param name="MxHost">The MX host's name.</param>
/// <param name="Listed">True while the last lookup that worked names it.</param>
/// <param name="History">What it presented.</param>
public sealed record MxAddress(string MxHost, bool Listed, AddressHistory History);
