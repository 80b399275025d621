
using PolicyDaemon.Administration.Postfix;

namespace PolicyDaemon.Cli.Setup.Checks;

/// <summary>The socket can be reached from where smtp(8) runs: inside the queue directory, with the address families that are on.</summary>
internal static class ReachabilityCheck
{
    internal static IEnumerable<SetupResult> Run(SetupSubject subject)
    {
        var postfix = subject.Postfix;
        foreach (var map in postfix.List("smtp_tls_policy_maps").Select(PolicyMap.TryParse).OfType<PolicyMap>().Where(map => !map.Proxied && map.IsServedBy(subject.Settings, postfix.QueueDirectory)))
        {
            if (map.SocketPath is { } path)
            {
                foreach (var result in UnixSocket(subject, map, path))
                    yield return result;
            }
            else if (map.Endpoint.Contains("[::1]", StringComparison.Ordinal) && postfix["inet_protocols"] == "ipv4")
            {
                yield return new(
                    "reachability", SetupSeverity.Problem, $"{map.Text} is IPv6 and inet_protocols is ipv4: every lookup fails and mail is deferred; use 127.0.0.1");
            }
        }
    }

    private static IEnumerable<SetupResult> UnixSocket(SetupSubject subject, PolicyMap map, string path)
    {
        var postfix = subject.Postfix;
        var queue = postfix.QueueDirectory;
        // Inside the chroot an absolute path starts at the queue directory; a relative one works everywhere (smtp(8) runs there).
        var jailed = postfix.SmtpClients.Where(service => service.Chroot).Select(service => service.FullName).ToList();
        if (!path.StartsWith('/') || jailed.Count == 0)
        {
            yield return new("reachability", SetupSeverity.Ok, $"smtp(8) reaches {map.Endpoint}");
            yield break;
        }

        var below = PolicyMap.Below(path, queue);
        var fixedMap = $"socketmap:unix:{below}:{map.Map}";
        if (below is not null)
            yield return new(
                "reachability", SetupSeverity.Problem,
                $"{string.Join(", ", jailed)} run chrooted in {queue}, where {path} is not found: all mail is deferred; name the socket relative to the queue directory",
                postfix.SetCommand("smtp_tls_policy_maps", string.Join(", ", postfix.List("smtp_tls_policy_maps").Select(table => table == map.Text ? fixedMap : table))));
        else
            yield return new(
                "reachability", SetupSeverity.Problem,
                $"{string.Join(", ", jailed)} run chrooted in {queue} and cannot reach {path}: all mail is deferred; let policyd listen on "
                + $"unix:{queue.TrimEnd('/')}/policydaemon/socketmap or inet:127.0.0.1:8461 (socketmap in [lookup])");
    }
}
