using System.CommandLine;
using PolicyDaemon.Administration;
using PolicyDaemon.Administration.Changes;
using PolicyDaemon.Administration.Tables;
using PolicyDaemon.Cli.Commands.Changes;
using PolicyDaemon.Cli.Commands.Domains;
using PolicyDaemon.Cli.Files;
using PolicyDaemon.Cli.Hosting;
using PolicyDaemon.Cli.Output;
using PolicyDaemon.Cli.Setup;
using PolicyDaemon.Core.Tables;

namespace PolicyDaemon.Cli.Commands.Tables;

/// <summary><c>import</c>: a Postfix table becomes entries, all of it or nothing.</summary>
internal static class ImportVerb
{
    private sealed record Options(
        Argument<string> File, Option<bool> WithApex, Option<string?> Unservable, Option<bool> Probe, Option<bool> Replace, Option<bool> Observe,
        WriteOptions Write)
    {
        public Option<bool> Verbose { get; } = new("--verbose") { Description = "Say of every row what is said of several only once" };
    }

    internal static Command Create(CommandRunner runner)
    {
        var options = new Options(
            new Argument<string>("FILE") { Description = "The source of a Postfix policy table, such as /etc/postfix/tls_policy; - is standard input" },
            new Option<bool>("--with-apex") { Description = "Where .example.com has a row and example.com has none, add it with the same policy" },
            new Option<string?>("--unservable") { HelpName = "observe", Description = "Keep rows whose pins Postfix cannot compare, without enforcing them, instead of refusing the table" },
            new Option<bool>("--probe") { Description = "Probe the servers of rows whose pins are in another digest, and carry over the pins that they prove" },
            new Option<bool>("--replace") { Description = "Rows for configured keys replace their policy; without it they are refused unless they say the same" },
            new Option<bool>("--observe") { Description = "Enforce nothing: every row is answered as if not configured" },
            new WriteOptions());
        options.Unservable.AcceptOnlyFromAmong("observe");
        var verb = new Verb("import", "Import a Postfix TLS policy table. All rows or none; each bad line is named with its number.")
        {
            Columns = ChangeReport.Columns,
            ExitCodes = "5 where a row cannot be imported; then nothing is",
            Examples =
            [
                ("policyctl import --dry-run /etc/postfix/tls_policy", "See every problem, every warning and every answer first."),
                ("policyctl import --with-apex /etc/postfix/tls_policy", "Import; .example.com covers example.com too."),
                ("policyctl import --probe --dry-run /etc/postfix/tls_policy", "SHA-1 pins become pins in the digest that Postfix compares, where a server proves them."),
                ("policyctl import --unservable observe /etc/postfix/tls_policy", "Keep SHA-1 pins for the record while Postfix compares sha256."),
            ],
        };
        verb.Add(options.File);
        verb.Add(options.WithApex);
        verb.Add(options.Unservable);
        verb.Add(options.Probe);
        verb.Add(options.Replace);
        verb.Add(options.Observe);
        verb.Add(options.Verbose);
        options.Write.AddTo(verb);
        verb.SetAction(runner.Handle((context, cancellation) => RunAsync(context, options, cancellation)));
        return verb;
    }

    private static async Task<ExitCode> RunAsync(CommandContext context, Options options, CancellationToken cancellation)
    {
        var file = WithoutMapType(context.Get(options.File)!);
        var probes = context.Get(options.Probe);
        var observesUnservable = context.Get(options.Unservable) is not null;
        var table = new TableImport(
            file,
            new ImportOptions
            {
                Unservable = probes ? UnservableRows.Keep : observesUnservable ? UnservableRows.Observe : UnservableRows.Refuse,
                WithApex = context.Get(options.WithApex),
                Observe = context.Get(options.Observe),
                Replace = context.Get(options.Replace),
            },
            context.Settings, context.Host.Time);
        // A million rows keep a processor busy for half a minute, and mail does not wait for them.
        context.Host.GiveWay();
        using (var source = TableSource.Open(context, file))
            table.Read(source);
        var told = Tell(context, options, file, table, 0);
        TableConversion? conversion = null;
        if (probes)
        {
            conversion = new TableConversion(context.Settings, context.Host.Time);
            using (var progress = new Progress(context.Host, "probing", worthShowing: 1))
                await conversion.ProbeAsync(table.Destinations, progress, cancellation);
            table.Convert(conversion, observesUnservable);
            Tell(context, options, file, table, told);
        }

        _ = options.Write.Patience(context);
        var result = ChangeCommand.Make(context, options.Write.Request(context) with { SaysEach = context.Get(options.Verbose) }, table.Plan, summary: true);
        var code = await ChangeCommand.FinishAsync(context, options.Write, result, summary: true, cancellation);
        if (conversion is not null && !context.Get(options.Write.DryRun))
            await FetchCommand.StoreAsync(context, conversion.StoreAsync(table.Destinations));
        if (code == ExitCode.Done && !context.Get(options.Write.Quiet) && Next(context, options, result) is { } next)
            context.Report.Note(NextCommand.Line(next));
        return code;
    }

    private static string? Next(CommandContext context, Options options, ChangeResult result) =>
        !context.Get(options.Write.DryRun) ? NextStep.OfThisMachine(context)
        // Standard input cannot be read a second time.
        : context.Get(options.File) == "-" ? null
        : context.Rephrased(options.Write.DryRun) + (result.Weakens && !context.Has(options.Write.Reason) ? " --reason \"why\"" : "");

    /// <summary>What may take a table over whose pins Postfix cannot compare, to be looked at first: a probe, and where that proved nothing, keeping the rows as observed.</summary>
    private static string? NextTry(CommandContext context, Options options)
    {
        if (context.Get(options.File) == "-")
            return null;
        string[] dryRun = ["--dry-run"];
        return !context.Get(options.Probe) ? context.Rephrased(options.Write.DryRun, ["--probe", .. dryRun])
            : context.Get(options.Unservable) is null ? context.Rephrased(options.Write.DryRun, ["--unservable", "observe", .. dryRun])
            : null;
    }

    /// <summary>Warnings first: they are of use to whoever mends what is refused.</summary>
    private static int Tell(CommandContext context, Options options, string file, TableImport table, int told)
    {
        var isVerbose = context.Get(options.Verbose);
        var warnings = context.Get(options.Write.Quiet) ? [] : table.Warnings.Skip(told);
        foreach (var warning in isVerbose ? warnings : TableRemarks.Grouped(file, warnings))
            context.Report.Warning(warning);
        try
        {
            table.RefuseProblems();
        }
        catch (RefusedException refused) when (refused.Details.Count > 0)
        {
            throw new CommandException(ExitCode.Invalid, refused.Message, isVerbose ? refused.Details : [.. TableRemarks.Grouped(file, refused.Details)])
            {
                IsWhole = isVerbose,
                Next = table.IsOnlyUnservable ? NextTry(context, options) : null,
            };
        }

        return table.Warnings.Count;
    }

    /// <summary>What main.cf says (<c>hash:/etc/postfix/tls_policy</c>) names the file too.</summary>
    private static string WithoutMapType(string file)
    {
        var colon = file.IndexOf(":/", StringComparison.Ordinal);
        return colon > 0 && file[..colon].All(char.IsAsciiLetter) ? file[(colon + 1)..] : file;
    }
}
