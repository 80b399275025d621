using PolicyDaemon.Administration.Postfix;
using PolicyDaemon.Core.Destinations;

namespace PolicyDaemon.Cli.Setup.Checks;

/// <summary>Where mail goes through a relay, Postfix asks for the relay and never for the recipient's domain.</summary>
internal static class RoutingCheck
{
    private static readonly string[] Maps =
        ["transport_maps", "sender_dependent_relayhost_maps", "sender_dependent_default_transport_maps"];

    internal static IEnumerable<SetupResult> Run(SetupSubject subject)
    {
        var postfix = subject.Postfix;
        foreach (var relay in Relays(postfix))
        {
            if (!NextHop.TryParse(relay, out var key, out _))
                continue;
            if (subject.IsConfigured(key))
                yield return new("routing", SetupSeverity.Ok, $"mail goes to the relay {key}, which has an entry");
            else
                yield return new(
                    "routing", subject.Entries > 0 ? SetupSeverity.Problem : SetupSeverity.Warning,
                    $"mail goes to the relay {relay}: Postfix asks for that key only, entries for recipient domains are never asked for",
                    $"policyctl domain add {Shell.Quote(key.Text)} --level secure");
        }

        foreach (var map in Maps.Where(map => postfix[map].Length > 0))
            yield return new(
                "routing", SetupSeverity.Note,
                $"{map} = {postfix[map]}: where it names a next hop, Postfix asks for that next hop instead of the recipient's domain; `policyctl explain NEXTHOP` shows what it gets");
    }

    private static IEnumerable<string> Relays(PostfixConfiguration postfix)
    {
        foreach (var relay in postfix.List("relayhost"))
            yield return relay;
        foreach (var relay in postfix.List("smtp_fallback_relay"))
            yield return relay;
        // transport:nexthop
        var transport = postfix["default_transport"];
        var colon = transport.IndexOf(':', StringComparison.Ordinal);
        if (colon > 0 && colon < transport.Length - 1)
            yield return transport[(colon + 1)..];
    }
}
