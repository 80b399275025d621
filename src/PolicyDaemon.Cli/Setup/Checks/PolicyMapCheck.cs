using PolicyDaemon.Administration.Postfix;
using PolicyDaemon.Administration;
using PolicyDaemon.Cli.Setup.Postfix;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;

namespace PolicyDaemon.Cli.Setup.Checks;

/// <summary>smtp_tls_policy_maps names us, rightly spelled, and asks nobody else first.</summary>
internal static class PolicyMapCheck
{
    internal const string Parameter = "smtp_tls_policy_maps";
    private const string Name = "policy-map";

    /// <summary>True where Postfix asks us, in whatever place.</summary>
    internal static bool AsksUs(SetupSubject subject) => Ours(subject) is not null;

    internal static IEnumerable<SetupResult> Run(SetupSubject subject)
    {
        var postfix = subject.Postfix;
        var tables = postfix.List(Parameter);
        var ours = Ours(subject);
        var proposal = Proposal(subject);
        if (ours is null)
        {
            yield return NotAsked(subject, tables, proposal);
            yield break;
        }

        var first = tables.ToList().IndexOf(ours.Text);
        if (first > 0)
            yield return new(
                Name, SetupSeverity.Problem,
                $"{string.Join(" and ", tables.Take(first))} is asked before us, and what it answers wins; import it and ask us first",
                [.. ImportCommands(subject, tables.Take(first)),
                    .. Switch(subject, string.Join(", ", tables.Where(table => table != ours.Text).Prepend(ours.Text)))]);
        else
            yield return new(Name, SetupSeverity.Ok, $"{Parameter} asks {ours.Text} first");
        foreach (var result in OlderTables.Behind(postfix, subject.Settings) is { Count: > 0 } behind ? Behind(subject, tables, behind) : [])
            yield return result;
        if (ours.Protocol == "socketmap" && !MapNames.All.Contains(ours.Map) && !subject.Settings.Discovery.MapAliases.ContainsKey(ours.Map))
            yield return new(
                Name, SetupSeverity.Problem,
                $"the map name '{ours.Map}' is not served, all mail is deferred; the names are {string.Join(" and ", MapNames.All)}",
                Replace(subject, tables, ours, proposal));
        else if (DiscoveryCheck.IsTlsRpt(subject, ours.Map) && postfix.Version is { } version && version < new Core.Policies.PostfixVersion(3, 10))
            yield return new(
                Name, SetupSeverity.Problem,
                $"{ours.Map} is for Postfix 3.10 and later; this one would defer mail over its attributes",
                Replace(subject, tables, ours, proposal));
        if (ours.Protocol == "tcp")
            yield return new(
                Name, SetupSeverity.Warning,
                "tcp_table holds 62 pins and costs 9 s for each lookup while policyd is down; socketmap is the better protocol",
                Replace(subject, tables, ours, proposal));
        if (ours.Proxied)
            yield return new(
                Name, SetupSeverity.Warning,
                "proxy: is not needed; proxymap(8) serves its clients one at a time and would make every table wait for one lookup",
                Replace(subject, tables, ours, ours.Text["proxy:".Length..]));
    }

    private static PolicyMap? Ours(SetupSubject subject) => subject.Postfix.List(Parameter).Select(PolicyMap.TryParse).OfType<PolicyMap>()
        .FirstOrDefault(map => map.IsServedBy(subject.Settings, subject.Postfix.QueueDirectory));

    /// <summary>The tables behind us: of those that can be read what they still decide, of the others what they may.</summary>
    private static IEnumerable<SetupResult> Behind(SetupSubject subject, IReadOnlyList<string> tables, IReadOnlyList<string> behind)
    {
        foreach (var table in behind.Select(subject.OlderOf).OfType<OlderTable>())
        {
            yield return table.IsSettled
                ? new(
                    Name, SetupSeverity.Warning, OlderTableText.Settled(table),
                    subject.Postfix.SetCommand(Parameter, string.Join(", ", tables.Where(other => other != table.Name))))
                : new(
                    Name, table.Mismatched > 0 ? SetupSeverity.Problem : SetupSeverity.Warning,
                    OlderTableText.Deciding(table, subject.Settings.Postfix.FingerprintDigest.Name()), OlderTableText.Steps([table]));
        }

        var unread = behind.Where(table => subject.OlderOf(table) is null).ToList();
        if (unread.Count == 0)
            yield break;
        yield return new(
            Name, subject.Observed > 0 ? SetupSeverity.Problem : SetupSeverity.Warning,
            $"{string.Join(" and ", unread)} is asked for whatever has no entry here"
            + (subject.Observed > 0
                ? $", and for {Phrases.Count((int)subject.Observed, "entry", "entries")} that {(subject.Observed == 1 ? "is" : "are")} only observed: there its rows decide, and a pin in another digest than {subject.Settings.Postfix.FingerprintDigest.Name()} matches nothing, so that mail waits; enforce the entries (policyctl domain list shows them) or take the table out"
                : "; import its rows and take it out, or what is removed here comes back from there"),
            // No edit that is made without a person: what its rows say is not known here, and some may protect mail.
            [.. ImportCommands(subject, unread),
                subject.Postfix.SetCommand(Parameter, string.Join(", ", tables.Where(table => !unread.Contains(table)))).Text]);
    }

    private static SetupResult NotAsked(SetupSubject subject, IReadOnlyList<string> tables, string proposal)
    {
        var elsewhere = tables.Select(PolicyMap.TryParse).OfType<PolicyMap>().FirstOrDefault(map => MapNames.All.Contains(map.Map));
        var listening = string.Join(", ", subject.Settings.Socketmap.Concat(subject.Settings.TcpTable).Select(endpoint => endpoint.Text));
        var what = elsewhere is not null
            ? $"{Parameter} asks {elsewhere.Text}, but policyd is configured to listen on {listening}"
            : tables.Count == 0
                ? $"{Parameter} is not set: no policy is asked for, every destination gets smtp_tls_security_level"
                : $"{Parameter} = {string.Join(", ", tables)} does not ask policyd";
        var others = tables.Where(table => table != elsewhere?.Text).ToList();
        var older = others.Select(subject.OlderOf).OfType<OlderTable>().ToList();
        return new(
            Name, SetupSeverity.Problem, what + OlderTableText.NotHere(older),
            [.. ImportCommands(subject, others), .. Switch(subject, string.Join(", ", others.Prepend(proposal)))]);
    }

    /// <summary>The edit that has us asked first; none while a table is in the way.</summary>
    private static IReadOnlyList<SetupCommand> Switch(SetupSubject subject, string maps) =>
        subject.InTheWay.Count > 0 ? [] : [subject.Postfix.SetCommand(Parameter, maps)];

    private static string Proposal(SetupSubject subject)
    {
        var queue = subject.Postfix.QueueDirectory;
        var endpoints = subject.Settings.Socketmap.Select(endpoint => endpoint.Text).ToList();
        var reachable = endpoints.FirstOrDefault(
            endpoint => endpoint.StartsWith("inet:", StringComparison.Ordinal) || PolicyMap.Below(endpoint[5..], queue) is not null);
        return PolicyMap.Propose(reachable ?? endpoints.FirstOrDefault() ?? "inet:127.0.0.1:8461", queue, MapName.TlsPolicy.Name());
    }

    private static SetupCommand Replace(SetupSubject subject, IReadOnlyList<string> tables, PolicyMap ours, string by) =>
        subject.Postfix.SetCommand(Parameter, string.Join(", ", tables.Select(table => table == ours.Text ? by : table)));

    /// <summary>What brings in the rows of these tables; nothing for a table that decides nothing any more.</summary>
    private static IEnumerable<SetupCommand> ImportCommands(SetupSubject subject, IEnumerable<string> tables) => tables.SelectMany(table =>
        subject.OlderOf(table) is { } older ? OlderTableText.Steps([older])
        : OlderTable.Import(table) is { } command ? [command]
        : (IReadOnlyList<SetupCommand>)[]);
}
