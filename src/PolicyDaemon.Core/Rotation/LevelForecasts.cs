using System.Collections.Immutable;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Policies;

namespace PolicyDaemon.Core.Rotation;

/// <summary>Every level worth setting for a destination, the strongest first, with what it would do to mail now. Pure.</summary>
public static class LevelForecasts
{
    // A match list longer than this is nobody's policy.
    private const int MaxNames = 8;

    /// <summary>Why nothing can be said of DANE.</summary>
    public const string Unvouched = "no trusted resolver says whether DNSSEC secures the records (resolver_trusted)";

    /// <param name="resolution">Where the mail goes.</param>
    /// <param name="plain">Its addresses, as they are without SNI or as the entry has it.</param>
    /// <param name="named">The same, seen with the MX host's name as SNI where that was tried; otherwise as in <paramref name="plain"/>.</param>
    public static ImmutableArray<LevelForecast> Of(
        MxResolution resolution, ImmutableArray<AddressState> plain, ImmutableArray<AddressState> named)
    {
        ArgumentNullException.ThrowIfNull(resolution);
        var key = resolution.NextHop;
        var forecasts = ImmutableArray.CreateBuilder<LevelForecast>();
        forecasts.Add(DaneOnly(resolution, named));
        // A leading-dot key's next hops are its subdomains: the names by default cannot be judged here.
        if (!key.IsSubdomains)
            forecasts.Add(Best(TlsLevel.Secure, key, [], plain, named));
        if (!resolution.HostIsGiven || key.IsSubdomains)
        {
            var names = plain.Where(address => address.Listed).Select(address => address.MxHost).Distinct(StringComparer.Ordinal)
                .Order(StringComparer.Ordinal).ToImmutableArray();
            if (names.Length is > 0 and <= MaxNames)
                forecasts.Add(Best(TlsLevel.Secure, key, names, plain, named));
        }

        // With the keys that were seen pinned, fingerprint asks for no more than TLS everywhere.
        forecasts.Add(At(TlsLevel.Encrypt, key, [], plain, false) with { Level = TlsLevel.Fingerprint });
        forecasts.Add(At(TlsLevel.Encrypt, key, [], plain, false));
        forecasts.Add(At(TlsLevel.May, key, [], plain, false));
        return forecasts.ToImmutable();
    }

    /// <summary>The strongest that would deliver at every address, or else at some; null where nothing would, or nothing was reached.</summary>
    /// <remarks>Encryption through some of the addresses is better than plain text through all.</remarks>
    public static LevelForecast? Strongest(IEnumerable<LevelForecast> forecasts)
    {
        ArgumentNullException.ThrowIfNull(forecasts);
        var all = forecasts.ToList();
        return all.Find(forecast => forecast.Delivers && forecast.Level != TlsLevel.May)
            ?? all.Find(forecast => forecast.Verdict == DestinationVerdict.Degraded)
            ?? all.Find(forecast => forecast.Delivers);
    }

    private static LevelForecast DaneOnly(MxResolution resolution, ImmutableArray<AddressState> addresses)
    {
        var forecast = At(TlsLevel.DaneOnly, resolution.NextHop, [], addresses, false);
        // Only what holds without any TLSA record is certain then, such as a server without STARTTLS.
        if (resolution.HostIsGiven ? forecast.Verdict == DestinationVerdict.Unknown : resolution.MxDnssec == DnssecStatus.Unknown)
        {
            var encrypt = At(TlsLevel.Encrypt, resolution.NextHop, [], addresses, false);
            return encrypt.Verdict == DestinationVerdict.Mismatch
                ? encrypt with { Level = TlsLevel.DaneOnly }
                : forecast with { Verdict = DestinationVerdict.Unknown, Refusals = [], Why = Unvouched };
        }

        // RFC 7672 section 2.2.1: an MX record that anybody could have forged leads to nobody's TLSA record.
        return resolution.MxDnssec == DnssecStatus.Secure || resolution.HostIsGiven
            ? forecast
            : forecast with
            {
                Verdict = DestinationVerdict.Mismatch,
                Refusals = [],
                Why = resolution.MxDnssec == DnssecStatus.Insecure ? "the MX records are not signed" : "the MX records do not validate",
            };
    }

    private static LevelForecast Best(
        TlsLevel level, NextHop key, ImmutableArray<string> match, ImmutableArray<AddressState> plain, ImmutableArray<AddressState> named)
    {
        var without = At(level, key, match, plain, false);
        if (without.Delivers)
            return without;
        var with = At(level, key, match, named, true);
        return with.Delivers ? with : without;
    }

    private static LevelForecast At(
        TlsLevel level, NextHop key, ImmutableArray<string> match, ImmutableArray<AddressState> addresses, bool sendsName)
    {
        var judgement = new LevelVerdict(level, key, match);
        return new LevelForecast(
            level, match, sendsName, judgement.Verdict(addresses),
            [
                .. addresses
                    .Where(address => address.Listed && judgement.Refusal(address) is not null)
                    .Select(address => (address, judgement.Refusal(address)!.Value)),
            ]);
    }
}

/// <summary>What would happen to a destination's mail at one level, given what its servers showed just now.</summary>
/// <param name="Level">The level.</param>
/// <param name="Match">The names that it would need beside its own; empty where the level's defaults do.</param>
/// <param name="SendsName">True where it takes <c>servername=hostname</c>: the servers show another certificate without SNI.</param>
/// <param name="Verdict">Over all addresses.</param>
/// <param name="Refusals">Addresses at which mail would not go through, with the reason.</param>
/// <param name="Why">Why the level is out of the question whatever the servers show; null where it is not.</param>
public sealed record LevelForecast(
    TlsLevel Level, ImmutableArray<string> Match, bool SendsName, DestinationVerdict Verdict,
    ImmutableArray<(AddressState Address, ProbeOutcome Outcome)> Refusals, string? Why = null)
{
    /// <summary>Every address that could be reached would accept.</summary>
    public bool Delivers => Verdict == DestinationVerdict.Ok;
}
