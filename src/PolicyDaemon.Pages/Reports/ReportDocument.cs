using PolicyDaemon.Administration.Reports;
using PolicyDaemon.Pages.Layout;
using PolicyDaemon.Pages.Markup;

namespace PolicyDaemon.Pages.Reports;

/// <summary>A report as one HTML document that needs nothing else: no script, no other file, the style inside.</summary>
/// <remarks>It is written piece by piece, so that its length costs no memory. The same report is the same text, with the same version of the programs.</remarks>
public static class ReportDocument
{
    /// <summary>Writes the document.</summary>
    /// <param name="output">Where to.</param>
    /// <param name="report">What it says.</param>
    /// <param name="version">The version of the program that writes it.</param>
    public static void Write(TextWriter output, AuditReport report, string version)
    {
        ArgumentNullException.ThrowIfNull(output);
        ArgumentNullException.ThrowIfNull(report);
        var title = Title(report.Scope);
        // Whoever opens it from a mail: not even a mistake of ours may load or run anything.
        output.Write(Html.Of(
            $"""
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="color-scheme" content="light dark">
            <meta name="generator" content="policyctl {version}">
            <title>{title}, {Pieces.Moment(report.Scope.AsOf, "yyyy-MM-dd")}</title>
            <style>

            """));
        output.Write(PageAsset.Stylesheet.Text);
        output.Write(PageAsset.ReportStylesheet.Text);
        output.Write(Html.Of(
            $"""
            </style>
            </head>
            <body class="report">
            <main>
            {ReportCover.Of(report, title, version)}
            """));
        // Of one entry it is what stands that is asked for, of all of them what was done.
        if (report.Scope.Key is not null)
            Entries(output, report);
        Changes(output, report);
        if (report.Scope.Key is null)
            Entries(output, report);
        output.Write(Html.Of(
            $"""
            </main>
            </body>
            </html>

            """));
    }

    private static void Changes(TextWriter output, AuditReport report)
    {
        output.Write(Html.Of($"<section id=\"changes\">\n<h2>Changes</h2>\n"));
        ReportChanges.Write(output, report);
        output.Write(Html.Of($"</section>\n"));
    }

    private static void Entries(TextWriter output, AuditReport report)
    {
        output.Write(Html.Of($"<section id=\"entries\">\n<h2>{(report.Scope.Key is null ? "Entries" : "The entry")} as of {Pieces.Time(report.Scope.AsOf)}</h2>\n"));
        ReportEntries.Write(output, report);
        output.Write(Html.Of($"</section>\n"));
    }

    private static string Title(ReportScope scope) => scope.Key is { } key ? $"TLS policy of {key.Text}" : "TLS policies and their changes";
}
