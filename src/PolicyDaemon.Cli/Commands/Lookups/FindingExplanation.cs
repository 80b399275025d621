using PolicyDaemon.Cli.Commands.Status;
using PolicyDaemon.Cli.Hosting;
using PolicyDaemon.Cli.Json;
using PolicyDaemon.Cli.Output;
using PolicyDaemon.Core.Findings;

namespace PolicyDaemon.Cli.Commands.Lookups;

/// <summary><c>explain finding KIND</c>: a page of policydaemon-findings(7).</summary>
internal static class FindingExplanation
{
    internal static ExitCode Write(CommandContext context, string name)
    {
        if (!FindingKinds.TryParse(name, out var kind))
            throw FindingText.Unknown(name);
        var row = kind.Description();
        List<(string, Cell)> facts =
        [
            ("finding", new Cell(row.Name, Tone.Heading)),
            ("means", row.Meaning),
            ("mail", row.Mail),
            ("do", row.WhatToDo),
            .. row.Partner is null ? [] : (IEnumerable<(string, Cell)>)[("partner", row.Partner)],
            ("grave", Grave(row)),
            ("ends", row.EndsByItself ? "by itself, when it does not hold any more" : "when a person has looked into it"),
            ("open", $"policyctl status --kind {row.Name}"),
        ];
        context.Report.Facts(facts, Json(row), CliJson.Default.FindingKindJson);
        return ExitCode.Done;
    }

    /// <summary>Every kind with what it means.</summary>
    internal static ExitCode List(CommandContext context)
    {
        var table = new Table("kind", "severity", "means");
        foreach (var row in FindingKinds.All.OrderBy(row => row.IsAdvice).ThenBy(row => row.Severity).ThenBy(row => row.Name, StringComparer.Ordinal))
            table.Add(row.Name, row.IsAdvice ? "advice" : row.Severity.Name(), row.Meaning);
        context.Report.Rows(table, [.. FindingKinds.All.Select(Json)], CliJson.Default.IReadOnlyListFindingKindJson);
        if (context.Report.IsTable)
            context.Report.Line("One of them in full: policyctl explain finding KIND");
        return ExitCode.Done;
    }

    private static FindingKindJson Json(FindingDescription row) =>
        new(row.Name, row.Severity.Name(), row.Meaning, row.Mail, row.WhatToDo, row.Partner, row.EndsByItself);

    /// <summary>The severity of findings of the kind, and what makes one graver.</summary>
    internal static string Grave(FindingDescription row) => row.Severity.Name() + (row.FollowsVerdict
        ? "; mail-waits where every address would be refused, mail-will-wait where some would"
        : "") + (row.IsSuspicious ? "; while it is open an attack is not excluded, and who changes a pin gives a reason" : "")
        + (row.IsAdvice ? "; advice: status only counts it, and nobody is alerted" : "");
}
