using PolicyDaemon.Administration.Discovery;
using PolicyDaemon.Administration.Explaining;
using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Discovery;
using PolicyDaemon.Core.Policies;

namespace PolicyDaemon.Administration.Forecast;

/// <summary>What an answer does to mail, in plain words. See TLS_README, "Client TLS security levels".</summary>
public static class DeliverySentence
{
    private const string Waits = "otherwise it is deferred (4.7.5), tried again, and returned after maximal_queue_lifetime (5 days)";

    public static string Of(Explanation explanation, Settings settings) => explanation.Answer.Kind switch
    {
        LookupAnswerKind.NotFound => $"no policy: Postfix uses {settings.OfMainCf(ConfigurationKeys.SecurityLevel)}",
        LookupAnswerKind.Found when explanation.Decisive!.Answering is { } entry => Of(entry, explanation.NextHop, settings.Postfix),
        LookupAnswerKind.Found => Of(explanation.Decisive!.Discovered!),
        _ => $"deferred (4.7.5) and tried again, never sent in the clear: policyd answers a temporary error, {explanation.Answer.Text}",
    };

    private static string Of(DiscoveredState discovered) => discovered.Verdict switch
    {
        { Answer: DiscoveredAnswer.DaneOnly } => $"delivered only to a server that matches the domain's TLSA records under DNSSEC; {Waits}",
        { Answer: DiscoveredAnswer.Secure, Policy: { } kept } =>
            $"delivered only to a server with a certificate, from an authority that Postfix trusts, for {string.Join(" or ", kept.Policy.MxPatterns)}; {Waits}",
        _ => "authenticated by DANE where the domain has usable TLSA records under DNSSEC; elsewhere TLS without authentication, or plain text",
    };

    // Postfix compares names with the next hop, and not with the key of the walk that has the policy.
    private static string Of(Destination entry, NextHop nextHop, PostfixSettings postfix)
    {
        var policy = entry.Policy;
        var host = nextHop.Text.StartsWith('.') ? $"the subdomain of {nextHop.Text[1..]} that is written to" : nextHop.Host;
        return policy.Level switch
        {
            TlsLevel.None => "sent in plain text, always, even where the server offers TLS",
            TlsLevel.May => "TLS where the server offers it, otherwise plain text; nothing says that it is the right server",
            TlsLevel.Encrypt => "sent over TLS or not at all (deferred, 4.7.4, where the server offers none); nothing says that it is the right server",
            TlsLevel.Fingerprint => $"delivered only to a server whose certificate or public key has {Pins(entry, postfix)}; {Waits}",
            TlsLevel.Dane => "authenticated by DANE where the domain has usable TLSA records under DNSSEC; elsewhere TLS without authentication, or plain text",
            TlsLevel.DaneOnly => $"delivered only to a server that matches the domain's TLSA records under DNSSEC; {Waits}",
            TlsLevel.Verify => $"delivered only to a server with a certificate, from an authority that Postfix trusts, for {Names(policy, host)}; {Waits}",
            _ => $"delivered only to a server with a certificate, from an authority that Postfix trusts, for {Names(policy, host)}; {Waits}",
        };
    }

    private static string Pins(Destination entry, PostfixSettings postfix)
    {
        var count = PinSelection.Of(entry, postfix).Served.Length;
        return count == 1 ? "this one fingerprint" : FormattableString.Invariant($"one of these {count} fingerprints");
    }

    private static string Names(TlsPolicy policy, string host) =>
        string.Join(" or ", policy.Match.IsEmpty ? DefaultMatch.Of(policy.Level).Select(name => ByDefault(name, host)) : policy.Match.Select(Name));

    private static string ByDefault(string match, string host) => match switch
    {
        DefaultMatch.NextHopName => host,
        DefaultMatch.BelowNextHop => "a host below it",
        _ => Name(match),
    };

    private static string Name(string match) => match switch
    {
        DefaultMatch.NextHopName => "the next hop",
        DefaultMatch.BelowNextHop => "a host below the next hop",
        DefaultMatch.HostName => "the MX host's name, which plain DNS gives",
        _ when match.StartsWith('.') => $"a host below {match[1..]}",
        _ => match,
    };
}
