using System.Collections.Immutable;
using PolicyDaemon.Core.Policies;

namespace PolicyDaemon.Core.Deliveries;

/// <summary>An address in the order in which Postfix tries them.</summary>
/// <param name="Preference">Of its MX record.</param>
/// <param name="IsIPv6">Its family.</param>
/// <param name="Delivery">What it does to a mail.</param>
internal readonly record struct RouteStop(int Preference, bool IsIPv6, AddressDelivery Delivery);

/// <summary>The way of a mail over the addresses of its destination (smtp/smtp_addr.c, smtp_domain_addr; smtp/smtp_connect.c, smtp_connect_inet).</summary>
/// <remarks>
/// <code>
/// order    by MX preference, then by smtp_address_preference; of those that are equal at random (smtp_randomize_addresses)
/// limit    smtp_mx_address_limit; where there are more, and both families, each keeps its share (smtp_balance_inet_protocols)
/// end      the first address that takes the mail, or returns it; after the last one it is deferred
/// </code>
/// Chance makes several ends possible; all of them are found, without trying every order: of each preference it only matters how
/// many addresses of a family are kept, and whether those can all be such as are skipped.
/// </remarks>
internal sealed class Route(ImmutableArray<RouteStop> stops, PostfixSettings postfix)
{
    private readonly int limit = postfix.MxAddressLimit;
    private readonly AddressFamilies preference = postfix.AddressPreference;

    /// <summary>How many addresses are beyond the limit.</summary>
    public int NotTried => limit > 0 ? Math.Max(0, stops.Length - limit) : 0;

    /// <summary>Every end that an attempt can have.</summary>
    /// <param name="result">What an address does in this attempt.</param>
    public ImmutableArray<MailResult> Attempt(Func<AddressDelivery, AddressResult> result)
    {
        var ends = new SortedSet<MailResult>();
        foreach (var (four, six) in Shares())
            Follow(four, six, result, ends);
        return [.. ends];
    }

    /// <summary>How many IPv4 and IPv6 addresses are kept; two answers where the family of the first address decides, which is chance.</summary>
    private IEnumerable<(int Four, int Six)> Shares()
    {
        var six = stops.Count(stop => stop.IsIPv6);
        var four = stops.Length - six;
        if (limit <= 0 || stops.Length <= limit)
        {
            yield return (four, six);
        }
        else if (four == 0 || six == 0)
        {
            yield return (Math.Min(four, limit), Math.Min(six, limit));
        }
        else if (six <= limit / 2)
        {
            yield return (limit - six, six);
        }
        else if (four <= limit / 2)
        {
            yield return (four, limit - four);
        }
        else
        {
            var best = stops.Min(Order);
            foreach (var isSixFirst in stops.Where(stop => Order(stop) == best).Select(stop => stop.IsIPv6).Distinct())
            {
                var kept = (limit + (isSixFirst ? 0 : 1)) / 2;
                yield return (kept, limit - kept);
            }
        }
    }

    private void Follow(int four, int six, Func<AddressDelivery, AddressResult> result, SortedSet<MailResult> ends)
    {
        foreach (var tier in stops.GroupBy(Order).OrderBy(tier => tier.Key))
        {
            var mayGoOn = true;
            foreach (var family in tier.GroupBy(stop => stop.IsIPv6))
            {
                ref var left = ref family.Key ? ref six : ref four;
                var kept = Math.Min(left, family.Count());
                left -= kept;
                if (kept == 0)
                    continue;
                var results = family.Select(stop => result(stop.Delivery)).ToList();
                ends.UnionWith(results.Where(one => one != AddressResult.Skipped).Select(End));
                mayGoOn &= results.Count(one => one == AddressResult.Skipped) >= kept;
            }

            if (!mayGoOn)
                return;
        }

        ends.Add(MailResult.Deferred);
    }

    /// <summary>Addresses that are equal here are tried in any order.</summary>
    private (int Preference, bool IsLater) Order(RouteStop stop) =>
        (stop.Preference, preference != AddressFamilies.Any && stop.IsIPv6 != (preference == AddressFamilies.IPv6));

    private static MailResult End(AddressResult result) => result switch
    {
        AddressResult.SentOverTls => MailResult.SentOverTls,
        AddressResult.SentInPlainText => MailResult.SentInPlainText,
        AddressResult.Returned => MailResult.Returned,
        _ => MailResult.Unknown,
    };
}
