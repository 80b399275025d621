using PolicyDaemon.Administration.Postfix;
using PolicyDaemon.Core;
using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Core.Policies;

namespace PolicyDaemon.Cli.Setup.Checks;

/// <summary>Discovery fits to this Postfix, and nobody else answers for the same destinations: another daemon is named with the way to replace it.</summary>
internal static class DiscoveryCheck
{
    private const string Name = "discovery";
    private const string Parameter = "smtp_tls_policy_maps";
    private const string EnforcePatterns = "smtp_tls_enforce_sts_mx_patterns";

    internal static IEnumerable<SetupResult> Run(SetupSubject subject)
    {
        var (postfix, discovery) = (subject.Postfix, subject.Settings.Discovery);
        var maps = postfix.List(Parameter).Select(PolicyMap.TryParse).OfType<PolicyMap>().ToList();
        foreach (var result in maps.Select(map => Peer(subject, map)).OfType<SetupResult>())
            yield return result;
        if (discovery.Mode == DiscoveryMode.Off)
            yield break;
        if (discovery.Dane && !subject.Settings.Probe.ResolverTrusted)
        {
            yield return new(
                Name, SetupSeverity.Warning,
                "DANE counts for nothing while resolver_trusted = no: where a validating resolver runs on this machine, write in [probe]: resolver_trusted = yes");
        }

        if (discovery.Mode != DiscoveryMode.On)
        {
            yield return new(Name, SetupSeverity.Note, "destinations without an entry are looked up and counted, and nothing is answered: mode = on in [discovery] answers it");
            yield break;
        }

        var below = BelowMainCf(subject);
        if (below is not null)
            yield return below;
        foreach (var map in maps.Where(map => map.IsServedBy(subject.Settings, postfix.QueueDirectory)))
        {
            if (map.Proxied && discovery.Wait > TimeSpan.Zero)
            {
                yield return new(
                    Name, SetupSeverity.Warning,
                    $"{map.Text} goes through proxymap(8), where a first sight that waits {discovery.Wait.ToText()} holds all other lookups up: ask directly, or write in [discovery]: wait = 0s",
                    postfix.SetCommand(Parameter, string.Join(", ", postfix.List(Parameter).Select(table => table == map.Text ? map.Text["proxy:".Length..] : table))));
            }

            if (IsTlsRpt(subject, map.Map) && postfix.Has(EnforcePatterns) && !postfix.IsYes(EnforcePatterns))
            {
                yield return new(
                    Name, SetupSeverity.Note,
                    $"{EnforcePatterns} is off: a pattern *.example.net is then matched as .example.net, at any depth", postfix.SetCommand(EnforcePatterns, "yes"));
            }
        }

        if (below is not null)
            yield break;
        if (!subject.Settings.AssumedOfMainCf.Contains(ConfigurationKeys.SecurityLevel.Name))
            yield return new(Name, SetupSeverity.Ok, "destinations without an entry are answered by what they publish");
        else
            yield return new(
                Name, SetupSeverity.Warning,
                "what is answered while nothing is known depends on smtp_tls_security_level; write it down in [postfix]: "
                + $"security_level = {(postfix["smtp_tls_security_level"] is { Length: > 0 } level ? level : TlsLevel.None.Name())}");
    }

    /// <summary>An answer that is less than main.cf asks of everybody takes its place: Postfix compares nothing.</summary>
    private static SetupResult? BelowMainCf(SetupSubject subject)
    {
        var ours = subject.Settings.Postfix.SecurityLevel;
        return TlsLevels.TryParse(subject.Postfix["smtp_tls_security_level"], out var theirs) && theirs.IsAbove(ours)
            ? new(
                Name, SetupSeverity.Problem,
                $"main.cf asks for {theirs.Name()} of every destination (smtp_tls_security_level), and [postfix] says security_level = {ours.Name()}: "
                + $"what is discovered is answered down to {ours.Name()}, and mail that would wait goes out, even in plain text; write in [postfix]: security_level = {theirs.Name()}")
            : null;
    }

    internal static bool IsTlsRpt(SetupSubject subject, string map) =>
        map == MapName.TlsPolicyTlsRpt.Name() || (subject.Settings.Discovery.MapAliases.TryGetValue(map, out var name) && name == MapName.TlsPolicyTlsRpt);

    /// <summary>Whether a map is another daemon's, by the name and the port that its manual gives.</summary>
    private static SetupResult? Peer(SetupSubject subject, PolicyMap map)
    {
        if (map.Protocol != "socketmap" || subject.Settings.Discovery.MapAliases.ContainsKey(map.Map))
            return null;
        // postfix-tlspol's README: socketmap:inet:127.0.0.1:8642:QUERY; postfix-mta-sts-resolver's: socketmap:inet:127.0.0.1:8461:postfix.
        var peer = map.Map is "QUERY" or "QUERYwithTLSRPT" || map.Endpoint.EndsWith(":8642", StringComparison.Ordinal) ? ("postfix-tlspol", "postfix-tlspol")
            : map.Map == "postfix" && map.Endpoint.EndsWith(":8461", StringComparison.Ordinal) ? ("postfix-mta-sts-resolver", "postfix-mta-sts-daemon")
            : default;
        if (peer is not ({ } name, { } unit))
            return null;
        var ours = map.Map == "QUERYwithTLSRPT" ? MapName.TlsPolicyTlsRpt : MapName.TlsPolicy;
        var endpoint = subject.Settings.Socketmap is [var first, ..] ? first.Text : "inet:127.0.0.1:8461";
        var replaced = string.Join(", ", subject.Postfix.List(Parameter)
            .Select(table => table == map.Text ? PolicyMap.Propose(endpoint, subject.Postfix.QueueDirectory, ours.Name()) : table).Distinct(StringComparer.Ordinal));
        var isOurPort = map.IsServedBy(subject.Settings, subject.Postfix.QueueDirectory);
        return new SetupResult(
            Name, isOurPort ? SetupSeverity.Problem : SetupSeverity.Warning,
            $"{map.Text} is the map of {name}{(isOurPort ? ", at an endpoint that policyd is to listen on" : "")}; to replace it, write in [discovery]: mode = on, stop {name}, reload policyd and then Postfix",
            $"systemctl disable --now {unit}",
            "systemctl restart policyd",
            subject.Postfix.SetCommand(Parameter, replaced));
    }
}
