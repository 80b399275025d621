using System.Collections.Immutable;
using System.Net.Sockets;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Policies;

namespace PolicyDaemon.Core.Deliveries;

/// <summary>What becomes of a mail.</summary>
public enum MailResult
{
    /// <summary>What becomes of the mail cannot be told.</summary>
    Unknown,

    /// <summary>Sent over TLS, at a level that authenticates to an authenticated server.</summary>
    SentOverTls,

    SentInPlainText,

    /// <summary>Tried again and again, and returned after <c>maximal_queue_lifetime</c>.</summary>
    Deferred,

    /// <summary>Returned to its sender at once.</summary>
    Returned,
}

/// <summary>The names of what becomes of a mail.</summary>
public static class MailResults
{
    private static readonly StoredNames<MailResult> Stored = new(
        (MailResult.Unknown, "unknown"), (MailResult.SentOverTls, "sent-over-tls"), (MailResult.SentInPlainText, "sent-in-plain-text"),
        (MailResult.Deferred, "deferred"), (MailResult.Returned, "returned"));

    public static string Name(this MailResult result) => Stored.Of(result);
}

/// <summary>What becomes of a destination's mail at one level, over all of its addresses.</summary>
/// <param name="Results">What can become of it, the likeliest to be noticed first; several where chance decides which addresses are tried.</param>
/// <param name="IsAfterWait">It is sent, and not in the first attempt, which fails.</param>
/// <param name="Addresses">What each address would do, as far as Postfix tries it.</param>
/// <param name="NotTried">How many addresses are beyond <c>smtp_mx_address_limit</c>.</param>
public sealed record MailForecast(
    ImmutableArray<MailResult> Results, bool IsAfterWait, ImmutableArray<(AddressState Address, AddressDelivery Delivery)> Addresses, int NotTried)
{
    public bool IsSent => Results.Any(result => result is MailResult.SentOverTls or MailResult.SentInPlainText);

    /// <summary>Whatever chance does, it is sent.</summary>
    public bool IsSurelySent => Results.All(result => result is MailResult.SentOverTls or MailResult.SentInPlainText);

    /// <summary>Whatever chance does, it is returned at once, and does not wait.</summary>
    public bool IsSurelyReturned => Results is [MailResult.Returned];

    /// <summary>There are addresses, and none of a family that Postfix uses (inet_protocols): the mail is returned.</summary>
    public bool IsOfNoFamily => Addresses.IsEmpty && IsSurelyReturned;

    public bool IsUnknown => Results.Contains(MailResult.Unknown);

    /// <summary>Addresses that would not take the mail, with the reason.</summary>
    public IEnumerable<(AddressState Address, ProbeOutcome Why)> Refusals => Addresses
        .Where(one => one.Delivery is { IsSent: false, Why: not null }).Select(one => (one.Address, one.Delivery.Why!.Value));

    /// <summary>The addresses with what each would do to the mail: as it was when it was met last (this forecast), or as it is now where only that makes it
    /// refuse the mail.</summary>
    /// <param name="present">The forecast by the last attempts at the same addresses.</param>
    public IEnumerable<(AddressState Address, AddressDelivery Delivery)> WithRefusals(MailForecast present)
    {
        ArgumentNullException.ThrowIfNull(present);
        return Addresses.Zip(present.Addresses, (met, now) => now.Delivery.IsRefused && !met.Delivery.IsRefused ? now : met);
    }

    /// <summary>Judges every address that DNS names and follows Postfix over them.</summary>
    public static MailForecast Of(DeliveryRules rules, IEnumerable<AddressState> addresses)
    {
        ArgumentNullException.ThrowIfNull(rules);
        ArgumentNullException.ThrowIfNull(addresses);
        var listed = addresses.Where(address => address.Listed).ToList();
        var judged = listed.Where(address => IsTried(address, rules.Postfix)).Select(address => (Address: address, Delivery: rules.At(address))).ToImmutableArray();
        // smtp/smtp_addr.c: a host without an address of a family that is used is one without an address, 5.4.4.
        if (judged.IsEmpty)
            return new MailForecast([listed.Count > 0 ? MailResult.Returned : MailResult.Unknown], IsAfterWait: false, judged, NotTried: 0);
        var route = new Route([.. judged.Select(one => new RouteStop(
            one.Address.Preference, one.Address.History.Target.Address.AddressFamily == AddressFamily.InterNetworkV6, one.Delivery))], rules.Postfix);
        var first = route.Attempt(delivery => delivery.Result);
        var results = first;
        var isAfterWait = false;
        if (first.Contains(MailResult.Deferred))
        {
            var later = route.Attempt(delivery => delivery.Later);
            results = [.. first.Where(result => result != MailResult.Deferred).Union(later)];
            isAfterWait = later.Any(result => result is MailResult.SentOverTls or MailResult.SentInPlainText);
        }

        return new MailForecast([.. results.Order()], isAfterWait, judged, route.NotTried);
    }

    private static bool IsTried(AddressState address, PostfixSettings postfix) => postfix.InetProtocols == AddressFamilies.Any
        || (address.History.Target.Address.AddressFamily == AddressFamily.InterNetworkV6) == (postfix.InetProtocols == AddressFamilies.IPv6);
}
