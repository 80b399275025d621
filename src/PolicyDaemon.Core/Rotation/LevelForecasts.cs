using System.Collections.Immutable;
using System.Net;
using PolicyDaemon.Core.Deliveries;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Policies;

namespace PolicyDaemon.Core.Rotation;

/// <summary>The addresses of a destination as they show themselves to different SNI names.</summary>
/// <param name="Plain">Without SNI, as Postfix connects unless a policy says otherwise.</param>
/// <param name="Named">With the MX host's name, where that was tried; otherwise as in <paramref name="Plain"/>.</param>
/// <param name="Dane">With the TLSA base domain where the host has usable records, as Postfix connects at dane and dane-only.</param>
public sealed record ShownAddresses(ImmutableArray<AddressState> Plain, ImmutableArray<AddressState> Named, ImmutableArray<AddressState> Dane);

/// <summary>Every level for a destination, with what it would do to mail now. Pure.</summary>
public static class LevelForecasts
{
    // A match list longer than this is nobody's policy.
    private const int MaxNames = 8;

    /// <summary>Why nothing can be said of DANE.</summary>
    public const string Unvouched = "no trusted resolver says whether DNSSEC secures the records (resolver_trusted)";

    /// <param name="resolution">Where the mail goes.</param>
    /// <param name="shown">Its addresses.</param>
    /// <param name="postfix">The Postfix that sends it.</param>
    /// <returns>All levels, those that can be proposed first and the strongest of them first of all; secure a second time with the MX hosts' names.</returns>
    public static ImmutableArray<LevelForecast> Of(MxResolution resolution, ShownAddresses shown, PostfixSettings postfix)
    {
        ArgumentNullException.ThrowIfNull(resolution);
        ArgumentNullException.ThrowIfNull(shown);
        LevelForecast At(TlsLevel level, ImmutableArray<string> match, ImmutableArray<AddressState> addresses, bool sendsName = false) => new(
            level, match, sendsName,
            MailForecast.Of(new DeliveryRules(new DeliveryPolicy(level, resolution.NextHop) { Match = match }, postfix), addresses));
        LevelForecast Best(TlsLevel level, params ImmutableArray<string> match)
        {
            var without = At(level, match, shown.Plain);
            if (without.Delivers)
                return without;
            var with = At(level, match, shown.Named, sendsName: true);
            return with.Delivers ? with : without;
        }

        var forecasts = ImmutableArray.CreateBuilder<LevelForecast>();
        forecasts.Add(WithReason(At(TlsLevel.DaneOnly, [], shown.Dane), resolution));
        // A leading-dot key's next hops are its subdomains: the names by default cannot be judged here.
        if (!resolution.NextHop.IsSubdomains)
            forecasts.Add(Best(TlsLevel.Secure));
        if (Names(resolution, shown.Plain) is { IsEmpty: false } names)
            forecasts.Add(Best(TlsLevel.Secure, names));
        forecasts.Add(At(TlsLevel.Fingerprint, [], shown.Plain));
        forecasts.Add(At(TlsLevel.Encrypt, [], shown.Plain));
        forecasts.Add(At(TlsLevel.May, [], shown.Plain));
        // What is never proposed: verify trusts the DNS that it is to protect from, dane may come to nothing.
        forecasts.Add(At(TlsLevel.Verify, [], shown.Plain));
        forecasts.Add(WithReason(At(TlsLevel.Dane, [], shown.Dane), resolution));
        forecasts.Add(At(TlsLevel.None, [], shown.Plain));
        return forecasts.ToImmutable();
    }

    /// <summary>The strongest that would deliver at every address, or else at some; null where nothing would, or nothing was reached.</summary>
    /// <remarks>Encryption through some of the addresses is better than plain text through all.</remarks>
    public static LevelForecast? Strongest(IEnumerable<LevelForecast> forecasts)
    {
        ArgumentNullException.ThrowIfNull(forecasts);
        var all = forecasts.Where(forecast => forecast.Level is not (TlsLevel.Verify or TlsLevel.Dane or TlsLevel.None)).ToList();
        return all.Find(forecast => forecast.Delivers && forecast.Level != TlsLevel.May)
            ?? all.Find(forecast => forecast.Verdict == DestinationVerdict.Degraded && forecast.Level != TlsLevel.May)
            ?? all.Find(forecast => forecast.Mail.IsSent);
    }

    /// <summary>The names of the MX hosts, where DNS gave them and a policy can hold them; an address is no name to match.</summary>
    private static ImmutableArray<string> Names(MxResolution resolution, ImmutableArray<AddressState> addresses)
    {
        if (resolution.HostIsGiven && !resolution.NextHop.IsSubdomains)
            return [];
        var names = addresses.Where(address => address.Listed).Select(address => address.MxHost).Distinct(StringComparer.Ordinal)
            .Where(name => !IPAddress.TryParse(name, out _)).Order(StringComparer.Ordinal).ToImmutableArray();
        return names.Length <= MaxNames ? names : [];
    }

    private static LevelForecast WithReason(LevelForecast forecast, MxResolution resolution) => forecast switch
    {
        { Mail.IsUnknown: true } when forecast.Mail.Addresses.Any(one => one.Delivery is { Result: AddressResult.Unknown, Why: ProbeOutcome.DaneRequired }) =>
            forecast with { Why = Unvouched },
        // RFC 7672 section 2.2.1: an MX record that anybody could have forged leads to nobody's TLSA record.
        { Level: TlsLevel.DaneOnly } when !resolution.HostIsGiven && !resolution.IsImplicit
            && resolution.MxDnssec is DnssecStatus.Insecure or DnssecStatus.Bogus => forecast with
            {
                Why = resolution.MxDnssec == DnssecStatus.Insecure ? "the MX records are not signed" : "the MX records do not validate",
            },
        _ => forecast,
    };
}

/// <summary>What would happen to a destination's mail at one level, given what its servers showed just now.</summary>
/// <param name="Level">The level.</param>
/// <param name="Match">The names that it would need beside its own; empty where the level's defaults do.</param>
/// <param name="SendsName">True where it takes <c>servername=hostname</c>: the servers show another certificate without SNI.</param>
/// <param name="Mail">What becomes of mail.</param>
/// <param name="Why">Why the level is out of the question whatever the servers show; null where it is not.</param>
public sealed record LevelForecast(TlsLevel Level, ImmutableArray<string> Match, bool SendsName, MailForecast Mail, string? Why = null)
{
    public DestinationVerdict Verdict => Mail.Verdict();

    /// <summary>Every address that could be reached would accept.</summary>
    public bool Delivers => Verdict == DestinationVerdict.Ok;
}
