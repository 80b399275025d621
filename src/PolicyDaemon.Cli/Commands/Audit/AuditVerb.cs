using System.CommandLine;
using System.Globalization;
using PolicyDaemon.Cli.Hosting;
using PolicyDaemon.Cli.Json;
using PolicyDaemon.Cli.Output;
using PolicyDaemon.Core.Audit;
using PolicyDaemon.Core.Destinations;
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
        var verb = new Verb("audit", "Show who changed what, newest first, or verify that the record is whole.")
        {
            Columns = Columns,
            ExitCodes = "1 where the chain is broken or lacks HASH",
            Examples =
            [
                ("policyctl audit example.com", "The history of one destination."),
                ("policyctl audit --verify --head 3f9a...", "Prove that nothing up to a hash kept elsewhere was altered or cut off."),
                ("journalctl -t policyctl -t policyd -g head=", "The hashes kept in the journal."),
            ],
        };
        verb.Add(key);
        verb.Add(verify);
        verb.Add(head);
        verb.Add(limit);
        verb.SetAction(runner.Handle(context => context.Get(verify) || context.Get(head) is not null
            ? Verify(context, context.Get(head))
            : List(context, context.Get(key), context.Get(limit))));
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

    private static ExitCode List(CommandContext context, string? key, int? limit)
    {
        var nextHop = key is null ? (NextHop?)null : CommandContext.ParseKey(key);
        var report = context.Report;
        var most = limit switch
        {
            0 => (int?)null,
            < 0 => throw new CommandException(ExitCode.Usage, "--limit is a number of rows, or 0 for all"),
            null => report.IsTable ? RowsForPeople : null,
            _ => limit,
        };
        using var store = context.OpenStore(StoreAccess.Read);
        var rows = store.Audit(nextHop, most).ToList();
        if (report.Format == OutputFormat.Json)
            report.Json([.. rows.Select(AuditRowJson.From)], CliJson.Default.IReadOnlyListAuditRowJson);
        else if (report.Format == OutputFormat.Tsv)
            report.Rows(Full(rows), [], CliJson.Default.IReadOnlyListAuditRowJson);
        else
            Table(report, rows, limit is null && rows.Count == RowsForPeople);
        return rows.Count == 0 && nextHop is not null ? ExitCode.Negative : ExitCode.Done;
    }

    private static void Table(Report report, List<AuditRow> rows, bool cut)
    {
        if (rows.Count == 0)
        {
            report.Line("Nothing was changed yet.");
            return;
        }

        var table = new Table("change", "time", "who", "action", "key", "answer", "reason");
        foreach (var row in rows)
            table.Add(Number(row.ChangeId), Times.Text(row.Time), row.Actor.ToString(), row.Action, row.Key, Short(row.AnswerAfter), row.Reason);
        report.Aligned(table);
        if (cut)
            report.Line($"The newest {RowsForPeople}; all of them: policyctl audit --limit 0", Tone.Faint);
    }

    private static Table Full(List<AuditRow> rows)
    {
        var table = new Table(Columns);
        foreach (var row in rows)
            table.Add(
                Number(row.ChangeId), Times.Text(row.Time), row.Actor.ToString(), row.Action, row.Key,
                row.AnswerBefore, row.AnswerAfter, row.Reason, row.Command, Number(row.Sequence), row.Hash);
        return table;
    }

    private static string Number(long number) => number.ToString(CultureInfo.InvariantCulture);

    // Sixty pins would push the reason off every screen; the whole answer stands in the other formats.
    private static string Short(string? answer) => answer is { Length: > 48 } ? answer[..45] + "..." : answer ?? "";
}
