using System.CommandLine;
using System.Globalization;
using System.Net;
using PolicyDaemon.Administration.Explaining;
using PolicyDaemon.Cli.Hosting;
using PolicyDaemon.Cli.Json;
using PolicyDaemon.Cli.Output;
using PolicyDaemon.Core.Deliveries;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Rotation;
using PolicyDaemon.Store;
using PolicyDaemon.Store.Engines;

namespace PolicyDaemon.Cli.Commands.Servers;

/// <summary><c>who</c>: which entries stand behind what a log shows, the other way round than everything else.</summary>
internal static class WhoVerb
{
    private const int Most = 10_000;

    internal static Command Create(CommandRunner runner)
    {
        var what = new Argument<string>("WHAT") { HelpName = "ADDRESS | HOST | USER@DOMAIN | QUEUEID", Description = "A mail server's address or name, a recipient, or the id of a message that waits" };
        var verb = new Verb("who", "Say which entries stand behind a mail server, a recipient or a message that waits.")
        {
            Columns = ["key", "level", "mx_host", "address", "listed (yes or no)", "verdict", "waiting (mails)"],
            ExitCodes = "1 where there is none; 6 for the id of a message where the queue cannot be read",
            Examples =
            [
                ("policyctl who 192.0.2.1", "Whose mail goes to this address?"),
                ("policyctl who 'mx.example.com[192.0.2.1]:25'", "The same, as Postfix's log names a server."),
                ("policyctl who someone@example.com", "Which entry decides about mail to this recipient?"),
            ],
        };
        verb.Add(what);
        verb.SetAction(runner.Handle(context => Run(context, LoggedKeys.QueueId(context.Get(what)!))));
        return verb;
    }

    private static ExitCode Run(CommandContext context, string word)
    {
        using var store = context.OpenStore(StoreAccess.Read);
        var mail = MailQueue.Read(context.Host);
        var rows = Find(context, store, mail, word).ToList();
        var table = new Table("key", "level", "mx_host", "address", "listed", "verdict", "waiting") { Spare = ["listed", "waiting"] };
        foreach (var row in rows)
        {
            table.Add(
                row.Key, row.Level ?? "-", row.MxHost ?? "-", row.Address ?? "-", row.MxHost is null ? "-" : row.Listed ? "yes" : "no", row.Verdict ?? "-",
                row.WaitingMessages is { } count ? string.Create(CultureInfo.InvariantCulture, $"{(mail!.IsWhole ? "" : ">=")}{count}") : "-");
        }

        if (rows.Count >= Most)
            context.Report.Warning($"{word}: only the first {Most} entries are shown; there are more behind it");
        // Who receives mail is known by the entries alone, and what stands behind a server only by probes.
        var none = LoggedName.TryParse(word, out var logged) && logged.Domain is { } domain
            ? $"No entry answers for mail to {domain.ToDisplayString()}."
            : $"No entry stands behind {word}, as far as probes have seen.";
        context.Report.Rows(table, rows, CliJson.Default.IReadOnlyListWhoJson, whenEmpty: none);
        if (rows.Count > 0)
            return ExitCode.Done;
        if (!context.Report.IsTable)
            context.Report.Note(none);
        return ExitCode.Negative;
    }

    private static IEnumerable<WhoJson> Find(CommandContext context, PolicyStore store, WaitingMail? mail, string word)
    {
        if (LoggedKeys.IsQueueId(word) && mail?.DomainsOf(word) is { Count: > 0 } domains)
            return LoggedKeys.Keys(domains).SelectMany(domain => OfDomain(context, store, mail, domain));
        if (LoggedName.TryParse(word, out var logged))
            return logged.Domain is { } domain ? OfDomain(context, store, mail, domain) : Behind(store, mail, logged.Host, logged.Address);
        var key = CommandContext.ParseKey(word);
        var address = IPAddress.TryParse(key.Host, out var literal) ? literal : null;
        var behind = Behind(store, mail, key.Host, address).ToList();
        if (behind.Count > 0)
            return behind;
        LoggedKeys.RequireKnown(word, mail, () => store.FindInForce(key) is not null);
        return OfDomain(context, store, mail, key);
    }

    private static IEnumerable<WhoJson> Behind(PolicyStore store, WaitingMail? mail, string? host, IPAddress? address)
    {
        foreach (var served in store.FindBehind(host, address, Most))
        {
            yield return new WhoJson(
                served.Key.Text, store.FindInForce(served.Key)?.Policy.Level.Name(), served.MxHost, served.Target.ToString(), served.IsListed, served.Verdict?.Name(),
                mail?.MessagesOf(served.Key));
        }
    }

    private static IEnumerable<WhoJson> OfDomain(CommandContext context, PolicyStore store, WaitingMail? mail, NextHop domain)
    {
        var explanation = Explanation.Of(domain, store, context.Settings, context.Host.Time.GetUtcNow());
        // The entry that decides, be it a parent's or *; where none does, one that is only observed.
        if ((explanation.Rule ?? explanation.Keys.Select(key => key.Entry).FirstOrDefault(entry => entry is not null)) is not { } entry)
            yield break;
        yield return new WhoJson(
            entry.Key.Text, entry.Policy.Level.Name(), null, null, false, store.ReadProbeState(entry.Key)?.Verdict?.Name(), mail?.MessagesOf(domain));
    }
}
