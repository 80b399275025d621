using System.CommandLine;
using System.Globalization;
using PolicyDaemon.Cli.Hosting;
using PolicyDaemon.Cli.Json;
using PolicyDaemon.Cli.Output;
using PolicyDaemon.Core.Audit;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Runtime;
using PolicyDaemon.Store.Engines;

namespace PolicyDaemon.Cli.Commands.Audit;

/// <summary><c>audit</c>: who changed what, when and why; and whether the record is whole.</summary>
internal static class AuditVerb
{
    private const int RowsForPeople = 50;

    private static readonly string[] Columns =
        ["change", "time", "who", "action", "key", "before", "after", "reason", "command", "sequence", "hash"];

    internal static Command Create(CommandRunner runner)
    {
        var key = Arguments.OptionalKey("One destination; without it all changes are listed");
        var verify = new Option<bool>("--verify") { Description = "Check the whole chain of hashes" };
        var head = new Option<string?>("--head")
        {
            HelpName = "HASH",
            Description = "With --verify: a head hash from the journal that must stand in the chain",
        };
        var limit = new Option<int?>("--limit") { HelpName = "N", Description = $"At most N rows, newest first; 0 for all [default: {RowsForPeople} in a table, otherwise all]" };
        var since = new Option<string?>("--since")
        {
            HelpName = "TIME", Description = "Only what was changed since: 2h, 7d, 2026-11-23 or 2026-11-23T08:00 (local time, or UTC with a final Z)",
        };
        var who = new Option<string?>("--who") { HelpName = "USER", Description = "Only what this user did, under whichever of the three names; prober for the prober's rules" };
        var verb = new Verb("audit", "Show who changed what, newest first, or verify that the record is whole.")
        {
            Columns = Columns,
            ExitCodes = "1 where nothing was found, or the chain is broken or lacks HASH",
            Examples =
            [
                ("policyctl audit example.com", "The history of one destination."),
                ("policyctl audit --since 7d --who alice", "What one person changed in a week."),
                ("policyctl audit --verify --head 3f9a6d33a3717ee826353a404ba4618d1aeeb6879ad7936bce8ed5f46814924d", "Prove that nothing up to a hash kept elsewhere was altered or cut off."),
                ("journalctl -t policyctl -t policyd -g head=", "The hashes kept in the journal."),
            ],
        };
        verb.Add(key);
        verb.Add(verify);
        verb.Add(head);
        verb.Add(limit);
        verb.Add(since);
        verb.Add(who);
        verb.SetAction(runner.Handle(context => context.Get(verify) || context.Get(head) is not null
            ? Verify(context, context.Get(head))
            : List(context, context.Get(key), context.Get(limit), Since(context, context.Get(since)), context.Get(who))));
        return verb;
    }

    private static ExitCode Verify(CommandContext context, string? head)
    {
        if (head is not null && (head.Length != 64 || !head.All(char.IsAsciiHexDigit)))
            throw new CommandException(ExitCode.Usage, $"'{head}' is no head hash; it has 64 hexadecimal digits, as the journal shows after head=");
        using var store = context.OpenStore(StoreAccess.Read);
        AuditVerification verification;
        using (var progress = Progress.Start(context.Host, "verifying", store.Head().Sequence))
            verification = store.VerifyAudit(head, progress);
        var report = context.Report;
        if (report.IsTable)
        {
            if (verification.Problem is { } problem)
                report.Line("BROKEN: " + problem, Tone.Bad);
            report.Line(string.Create(CultureInfo.InvariantCulture, $"{verification.Rows} rows are sound, the last one with hash {verification.Head.Hash}"), verification.IsSound ? Tone.Good : Tone.Plain);
        }
        else
        {
            var table = new Table("sound", "rows", "head", "problem");
            table.Add(verification.IsSound ? "yes" : "no", verification.Rows.ToString(CultureInfo.InvariantCulture), verification.Head.Hash, verification.Problem);
            report.Rows(
                table,
                new AuditVerificationJson(verification.IsSound, verification.Rows, verification.Head.Hash, verification.Problem),
                CliJson.Default.AuditVerificationJson);
        }

        return verification.IsSound ? ExitCode.Done : ExitCode.Negative;
    }

    /// <exception cref="CommandException">It is no time.</exception>
    private static DateTimeOffset? Since(CommandContext context, string? text) => text is null
        ? null
        : Moments.TryParse(text, context.Host.Time, out var since)
            ? since
            : throw new CommandException(ExitCode.Usage, $"--since takes 90m, 2h, 7d, 2026-11-23 or 2026-11-23T08:00, not '{text}'");

    private static ExitCode List(CommandContext context, string? key, int? limit, DateTimeOffset? since, string? who)
    {
        var nextHop = key is null ? (NextHop?)null : CommandContext.EntryKey(key);
        var report = context.Report;
        var most = limit switch
        {
            0 => (int?)null,
            < 0 => throw new CommandException(ExitCode.Usage, "--limit is a number of rows, or 0 for all"),
            null => report.IsTable ? RowsForPeople : null,
            _ => limit,
        };
        using var store = context.OpenStore(StoreAccess.Read);
        var isFiltered = since is not null || who is not null;
        // Newest first: the first that is older ends it.
        var rows = store.Audit(nextHop, isFiltered ? null : most)
            .TakeWhile(row => since is null || row.Time >= since)
            .Where(row => who is null || IsBy(row.Actor, who))
            .Take(most ?? int.MaxValue).ToList();
        if (report.Format == OutputFormat.Json)
            report.Json([.. rows.Select(AuditRowJson.From)], CliJson.Default.IReadOnlyListAuditRowJson);
        else if (report.Format == OutputFormat.Tsv)
            report.Rows(Full(rows), [], CliJson.Default.IReadOnlyListAuditRowJson);
        else
            Table(report, rows, limit is null && rows.Count == RowsForPeople);
        if (rows.Count > 0)
            return ExitCode.Done;
        report.Note(nextHop is null && !isFiltered ? "Nothing was changed yet." : "Nothing of that kind was changed.");
        return nextHop is not null || isFiltered ? ExitCode.Negative : ExitCode.Done;
    }

    private static bool IsBy(Actor actor, string who) => actor.Effective == who || actor.Login == who || actor.SudoUser == who;

    private static void Table(Report report, List<AuditRow> rows, bool cut)
    {
        if (rows.Count == 0)
            return;

        // A line too long for the screen is cut there; the other formats have the whole of it.
        var table = new Table("change", "time", "who", "action", "key", "answer", "reason", "command") { CutsLast = true };
        long? said = null;
        foreach (var row in rows)
        {
            // Of a thousand rows of one change the command is the same.
            var command = row.ChangeId == said ? null : row.Command;
            said = row.ChangeId;
            table.Add(Number(row.ChangeId), UtcTime.Text(row.Time), row.Actor.ToString(), row.Action, row.Key, Short(row.AnswerAfter), row.Reason, command);
        }

        report.Aligned(table);
        if (cut)
            report.Line($"The newest {RowsForPeople}; all of them: policyctl audit --limit 0", Tone.Faint);
    }

    private static Table Full(List<AuditRow> rows)
    {
        var table = new Table(Columns);
        foreach (var row in rows)
            table.Add(
                Number(row.ChangeId), UtcTime.Text(row.Time), row.Actor.ToString(), row.Action, row.Key,
                row.AnswerBefore, row.AnswerAfter, row.Reason, row.Command, Number(row.Sequence), row.Hash);
        return table;
    }

    private static string Number(long number) => number.ToString(CultureInfo.InvariantCulture);

    // Sixty pins would push the reason off every screen; the whole answer stands in the other formats.
    private static string Short(string? answer) => answer is { Length: > 48 } ? answer[..45] + "..." : answer ?? "";
}
