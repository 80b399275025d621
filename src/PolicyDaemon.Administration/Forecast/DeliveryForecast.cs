using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Core.Deliveries;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Discovery;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Rotation;
using PolicyDaemon.Core.Serving;

namespace PolicyDaemon.Administration.Forecast;

/// <summary>The forecast of a destination's mail.</summary>
public enum Delivery
{
    /// <summary>The forecast cannot be made.</summary>
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
/// <param name="Verdict">The verdict of the probe; unknown where DNS ended the search, or mail waits for another answer of policyd.</param>
/// <param name="Text">A sentence, with the reason.</param>
/// <param name="Mail">The forecast that it rests on; null where that does not depend on the servers.</param>
public sealed record DeliveryForecast(Delivery Delivery, DestinationVerdict Verdict, string Text, MailForecast? Mail = null)
{
    public static DeliveryForecast Of(CheckResult result)
    {
        if (!result.Resolution.Worked)
            return OfDns(result.Resolution);
        if (OfAnswer(result) is { } waits)
            return waits;
        if (result is { IsDiscovered: true, AtDiscovered: { } found })
            return At(result, DiscoveredReply.Policy(result.Discovered!.Verdict!)!.Level, found, isEnforced: true);
        if (result.AtEntry is { } mail)
            return At(result, result.Entry!.Policy.Level, mail, isEnforced: !result.Entry.Observe);

        return result.Strongest switch
        {
            null => At(result, TlsLevel.May, result.Levels.FirstOrDefault(level => level.Level == TlsLevel.May)?.Mail, isEnforced: true),
            { Level: TlsLevel.May } may => new DeliveryForecast(
                Delivery.Deferred, DestinationVerdict.Mismatch,
                "only in plain text: no server offers TLS that works; at every level from encrypt on mail would be deferred", may.Mail),
            var strongest => At(result, strongest.Level, strongest.Mail, isEnforced: false),
        };
    }

    /// <summary>What becomes of mail, as JSON names it.</summary>
    public IReadOnlyList<MailResult> Results => Mail?.Results ?? [Delivery switch
    {
        Delivery.Deferred => MailResult.Deferred,
        Delivery.Returned => MailResult.Returned,
        _ => MailResult.Unknown,
    }];

    private static DeliveryForecast OfDns(MxResolution resolution) => resolution.Outcome switch
    {
        // Its entry answers for the names below, each of which has servers of its own.
        DnsOutcome.NullMx or DnsOutcome.NoMx when resolution.NextHop.IsSubdomains => new(
            Delivery.Unknown, DestinationVerdict.Unknown,
            $"cannot be told: {resolution.NextHop.Host} takes no mail itself, and its subdomains have servers of their own; one of them: policyctl check NAME{resolution.NextHop.Text}"),
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

    /// <summary>Mail that waits whatever the servers offer, as policyd answers a temporary error by <see cref="AnswerRule"/>; null where it does not.</summary>
    private static DeliveryForecast? OfAnswer(CheckResult result) => result switch
    {
        { Answerer: Answerer.BelowFloor, Entry: { } entry } => OfTemporary(
            $"the entry takes no less than {entry.Floor.Name()} (--floor), and {(result.Settings.Discovery.Mode == DiscoveryMode.On ? "discovery finds " + Found(result) : "discovery is not on (mode in [discovery])")}"),
        { Answerer: Answerer.NearMiss } => OfTemporary(
            $"the key is not configured, its host is in another form (near_miss = temp); policyctl explain {Shell.Quote(result.Key.Text)} names the command that settles it"),
        { Answerer: Answerer.Discovery, Discovered.Answer: { Kind: LookupAnswerKind.Temporary } answer } => OfTemporary(answer.Text),
        { Answerer: not Answerer.Discovery, Entry: { Observe: false } entry }
            when PolicyText.Answer(entry, result.Settings.Postfix, MapName.TlsPolicy) is { Kind: LookupAnswerKind.Temporary } refusal => OfTemporary(refusal.Text),
        _ => null,
    };

    private static DeliveryForecast OfTemporary(string why) =>
        new(Delivery.Deferred, DestinationVerdict.Unknown, $"deferred (4.7.5) and tried again until it is returned: policyd answers a temporary error; {why}");

    private static string Found(CheckResult result) => result.Discovered switch
    {
        { Verdict: { IsUnknown: false } known } => known.Answer.Name(),
        { } unknown => $"nothing that is certain: {unknown.Why}",
        null => "nothing",
    };

    /// <summary>Postfix may know where such a key leads; nothing here does.</summary>
    private static bool CannotBeLookedUp(NextHop key) =>
        key.IsPath || (key.Port is null && key.Text.LastIndexOf(':') > key.Text.LastIndexOf(']') && key.Text.Count(character => character == ':') == 1);

    private static DeliveryForecast At(CheckResult result, TlsLevel level, MailForecast? mail, bool isEnforced)
    {
        var at = isEnforced ? $"at level {level.Name()}" : $"if enforced now at level {level.Name()}";
        if (mail is null or { Addresses.IsEmpty: true, IsOfNoFamily: false })
            return new(Delivery.Unknown, DestinationVerdict.Unknown, "cannot be told: there is no address to probe", mail);
        var verdict = mail.Verdict();
        var why = MailSentence.Why(mail);
        var would = isEnforced ? "" : "would be ";
        var what = would + MailSentence.What(mail, at);
        if (!mail.Addresses.IsEmpty && mail.Addresses.All(one => one.Delivery.Why == ProbeOutcome.AddressNotAllowed))
            return new(Delivery.Unknown, verdict, "cannot be told: no address was probed, because private_addresses = no in [probe]", mail);
        return verdict switch
        {
            DestinationVerdict.Ok => new(Delivery.Delivered, verdict, what, mail),
            DestinationVerdict.Degraded when mail.IsSurelySent => new(Delivery.Partly, verdict, $"{what}, but not through every address: {why}", mail),
            DestinationVerdict.Degraded => new(Delivery.Partly, verdict, $"{what}: {why}", mail),
            DestinationVerdict.Mismatch when mail.IsSurelyReturned => new(Delivery.Returned, verdict, $"{what}: {why}", mail),
            DestinationVerdict.Mismatch => new(Delivery.Deferred, verdict, $"{what}, and tried again until it is returned: {why}", mail),
            DestinationVerdict.Unreachable => new(
                Delivery.Unknown, verdict, $"deferred: no address could be reached from here, and mail waits as long as that is so: {why}", mail),
            _ => new(
                Delivery.Unknown, verdict,
                mail.Addresses.Any(one => one.Delivery is { Result: AddressResult.Unknown, Why: ProbeOutcome.DaneRequired })
                    ? $"cannot be told {at}: {LevelForecasts.Unvouched}" : $"cannot be told {at}: {why}", mail),
        };
    }
}
