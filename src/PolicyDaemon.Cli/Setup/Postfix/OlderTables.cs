using PolicyDaemon.Administration.Postfix;
using PolicyDaemon.Cli.Hosting;
using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Core.Destinations;

namespace PolicyDaemon.Cli.Setup.Postfix;

/// <summary>Tables that Postfix asks for what policyd does not answer: an older table left behind it decides about every entry that is only observed.</summary>
internal static class OlderTables
{
    /// <returns>The tables behind policyd in smtp_tls_policy_maps; none where there is no Postfix, or where it does not ask policyd.</returns>
    internal static IReadOnlyList<string> Behind(CommandContext context)
    {
        try
        {
            return Behind(PostfixConfigurationReader.Read(context.Host.Postfix.Postconf, null), context.Settings);
        }
        catch (CommandException)
        {
            // Whoever administers from another machine is told by setup, there.
            return [];
        }
    }

    internal static IReadOnlyList<string> Behind(PostfixConfiguration postfix, Settings settings)
    {
        var tables = postfix.List("smtp_tls_policy_maps");
        for (var i = 0; i < tables.Count; i++)
        {
            if (PolicyMap.TryParse(tables[i]) is { } map && map.IsServedBy(settings, postfix.QueueDirectory))
                return [.. tables.Skip(i + 1)];
        }

        return [];
    }

    internal static string Sentence(string key, IReadOnlyList<string> tables) =>
        $"{key} is answered \"not found\", so Postfix asks {string.Join(" and then ", tables)}, and a row there decides; see it with: "
        + $"postmap -q {(key.Contains(' ', StringComparison.Ordinal) ? "KEY" : Shell.Quote(key))} {Shell.Quote(tables[0])}";
}
