using System.Globalization;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Rotation;

namespace PolicyDaemon.Administration.Forecast;

/// <summary>What would happen to mail.</summary>
public enum Delivery
{
    /// <summary>It cannot be told.</summary>
    Unknown,

    /// <summary>Delivered, through whichever address.</summary>
    Delivered,

    /// <summary>Delivered through some addresses, refused at others.</summary>
    Partly,

    /// <summary>Tried again until it is returned after <c>maximal_queue_lifetime</c>.</summary>
    Deferred,

    /// <summary>Returned to its sender at once.</summary>
    Returned,
}

/// <summary>Whether mail would go through now, at the level that is configured or, without an entry, at the strongest that could be set.</summary>
/// <param name="Delivery">What would happen.</param>
/// <param name="Verdict">The verdict of the probe; unknown where DNS ended the search.</param>
/// <param name="Text">A sentence, with the reason.</param>
public sealed record DeliveryForecast(Delivery Delivery, DestinationVerdict Verdict, string Text)
{
    public static DeliveryForecast Of(CheckResult result)
    {
        if (!result.Resolution.Worked)
            return OfDns(result.Resolution);
        if (result.Entry is { } entry)
        {
            var verdict = result.Probed.Round.Result.Verdict;
            return At(result, entry.Policy.Level, verdict, isEnforced: !entry.Observe);
        }

        return result.Strongest switch
        {
            null => At(result, TlsLevel.May, Worst(result), isEnforced: true),
            { Level: TlsLevel.May } => new DeliveryForecast(
                Delivery.Deferred, DestinationVerdict.Mismatch,
                "only in plain text: no server offers TLS that works; at every level from encrypt on mail would be deferred"),
            var strongest => At(result, strongest.Level, strongest.Verdict, isEnforced: false),
        };
    }

    private static DestinationVerdict Worst(CheckResult result) =>
        result.Levels.IsEmpty ? DestinationVerdict.Unknown : result.Levels[^1].Verdict;

    private static DeliveryForecast OfDns(MxResolution resolution) => resolution.Outcome switch
    {
        DnsOutcome.NullMx => new(
            Delivery.Returned, DestinationVerdict.Unknown, "returned at once: the domain takes no mail (null MX, RFC 7505)"),
        DnsOutcome.NoMx when CannotBeLookedUp(resolution.NextHop) => new(
            Delivery.Unknown, DestinationVerdict.Unknown, $"cannot be told: {resolution.Detail}"),
        // smtp/smtp_addr.c: a name without address is "Host or domain name not found", 5.4.4.
        DnsOutcome.NoMx => new(
            Delivery.Returned, DestinationVerdict.Unknown, "returned at once (5.4.4): there is nowhere to send it"),
        DnsOutcome.Bogus => new(
            Delivery.Deferred, DestinationVerdict.Unknown, "deferred where the resolver validates: DNSSEC says that the answer was tampered with"),
        _ => new(
            Delivery.Unknown, DestinationVerdict.Unknown, "cannot be told: the lookup failed here, which says nothing about the destination"),
    };

    /// <summary>Postfix may know where such a key leads; nothing here does.</summary>
    private static bool CannotBeLookedUp(NextHop key) =>
        key.IsPath || (key.Port is null && key.Text.LastIndexOf(':') > key.Text.LastIndexOf(']') && key.Text.Count(character => character == ':') == 1);

    private static DeliveryForecast At(CheckResult result, TlsLevel level, DestinationVerdict verdict, bool isEnforced)
    {
        var at = isEnforced ? $"at level {level.Name()}" : $"if enforced now at level {level.Name()}";
        var would = isEnforced ? "" : "would be ";
        var (accepted, refused) = Addresses(result);
        return verdict switch
        {
            DestinationVerdict.Ok => new(Delivery.Delivered, verdict, $"{would}delivered {at}"),
            DestinationVerdict.Degraded => new(Delivery.Partly, verdict, $"{would}delivered {at}, but not through every address: {refused}"),
            DestinationVerdict.Mismatch => new(Delivery.Deferred, verdict, $"{would}deferred {at}, and tried again until it is returned: {refused}"),
            DestinationVerdict.Unreachable when result.Probed.Addresses.All(address => address.Seen.Outcome == ProbeOutcome.AddressNotAllowed) => new(
                Delivery.Unknown, verdict, "cannot be told: no address was probed, because private_addresses = no in [probe]"),
            DestinationVerdict.Unreachable => new(
                Delivery.Unknown, verdict, "cannot be told: no address could be reached from here; mail waits as long as that is so"),
            _ => new(Delivery.Unknown, verdict, accepted == 0 && result.Probed.Addresses.IsEmpty
                ? "cannot be told: there is no address to probe"
                : level == TlsLevel.DaneOnly ? $"cannot be told {at}: {LevelForecasts.Unvouched}"
                : $"cannot be told {at}: the entry has no pin that could be compared"),
        };
    }

    /// <summary>How many addresses would accept, and the reason of the first others.</summary>
    private static (int Accepted, string Refused) Addresses(CheckResult result)
    {
        const int Shown = 3;
        var refusals = Refusals.Of(result).ToList();
        var text = string.Join("; ", refusals.Take(Shown).Select(refusal => $"{refusal.Where} {refusal.Why}"));
        return (
            result.Probed.Addresses.Length - refusals.Count,
            refusals.Count > Shown ? string.Create(CultureInfo.InvariantCulture, $"{text}; and {refusals.Count - Shown} more") : text);
    }
}
