using System.CommandLine;
using PolicyDaemon.Cli.Changes;
using PolicyDaemon.Cli.Fetching;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Tables;

namespace PolicyDaemon.Cli.Commands;

/// <summary><c>import</c>: a Postfix table becomes entries, all of it or nothing.</summary>
internal static class Import
{
    private sealed record Options(
        Argument<string> File, Option<bool> WithApex, Option<string?> Unservable, Option<bool> Probe, Option<bool> Replace, Option<bool> Observe,
        WriteOptions Write);

    private sealed record TableRow(int Line, Destination Destination, string? Evidence = null);

    internal static Command Create(CommandRunner runner)
    {
        var options = new Options(
            new Argument<string>("FILE") { Description = "The source of a Postfix policy table, such as /etc/postfix/tls_policy; - is standard input" },
            new Option<bool>("--with-apex") { Description = "Where .example.com has a row and example.com has none, add it with the same policy" },
            new Option<string?>("--unservable") { HelpName = "observe", Description = "Keep rows whose pins Postfix cannot compare, without enforcing them, instead of refusing the table" },
            new Option<bool>("--probe") { Description = "Look at the servers of rows whose pins are in another digest, and carry over the pins that they prove" },
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
        options.Write.AddTo(verb);
        verb.SetAction(runner.Handle((context, cancellation) => RunAsync(context, options, cancellation)));
        return verb;
    }

    private static async Task<ExitCode> RunAsync(CommandContext context, Options options, CancellationToken cancellation)
    {
        var file = WithoutMapType(context.Get(options.File)!);
        var rows = Read(context, options, file);
        if (rows.Count == 0)
            context.Report.Warning($"{file}: the table has no rows");
        TableConversion? conversion = null;
        if (context.Get(options.Probe))
        {
            conversion = new TableConversion(context);
            await conversion.ProbeAsync(rows.Select(row => row.Destination), cancellation);
            rows = Convert(context, conversion, rows, file, mayObserve: context.Get(options.Unservable) is not null);
        }

        var code = new ChangeFlow(context, options.Write, summary: true).Run(view => Plan(view, rows, file, context, options));
        if (conversion is not null && !context.Get(options.Write.DryRun))
            await FetchRecorder.WriteAsync(context, conversion.ProbesOf(rows.Select(row => row.Destination)));
        return code;
    }

    private static List<TableRow> Convert(CommandContext context, TableConversion conversion, List<TableRow> rows, string file, bool mayObserve)
    {
        var converted = new List<TableRow>(rows.Count);
        var problems = new List<string>();
        foreach (var row in rows)
        {
            var place = FormattableString.Invariant($"{file}:{row.Line}");
            var result = conversion.Convert(row.Destination);
            foreach (var warning in result.Warnings)
                context.Report.Warning($"{place}: {warning}");
            if (result.Problem is not null && mayObserve)
                context.Report.Warning($"{place}: {result.Problem}; it is imported as observed");
            else if (result.Problem is not null)
                problems.Add($"{place}: {result.Problem}");
            converted.Add(result.Problem is null
                ? row with { Destination = result.Row, Evidence = result.Evidence }
                : row with { Destination = row.Destination with { Observe = true } });
        }

        return problems.Count == 0 ? converted : throw Refused(file, problems);
    }

    /// <summary>What main.cf says (<c>hash:/etc/postfix/tls_policy</c>) names the file too.</summary>
    private static string WithoutMapType(string file)
    {
        var colon = file.IndexOf(":/", StringComparison.Ordinal);
        return colon > 0 && file[..colon].All(char.IsAsciiLetter) ? file[(colon + 1)..] : file;
    }

    private static List<TableRow> Read(CommandContext context, Options options, string file)
    {
        if (Directory.Exists(file))
            throw new CommandException(ExitCode.Invalid, $"{file}: a directory; name the table's source in it, as given to postmap");
        var tableOptions = new TableOptions(
            context.Settings.Postfix, DateTimeOffset.FromUnixTimeSeconds(context.Host.Time.GetUtcNow().ToUnixTimeSeconds()))
        {
            Unservable = context.Get(options.Probe) ? UnservableRows.Keep
                : context.Get(options.Unservable) is null ? UnservableRows.Refuse : UnservableRows.Observe,
            WithApex = context.Get(options.WithApex),
            Observe = context.Get(options.Observe),
        };
        var rows = new List<TableRow>();
        var problems = new List<string>();
        var warnings = new List<string>();
        using var source = Open(context, file);
        foreach (var item in PolicyTableReader.Read(source, tableOptions))
        {
            var place = item.Line > 0 ? FormattableString.Invariant($"{file}:{item.Line}") : file;
            if (item.Kind == TableItemKind.Row)
                rows.Add(new TableRow(item.Line, item.Destination!));
            else if (item.Kind == TableItemKind.Warning)
                warnings.Add($"{place}: {item.Problem}");
            else if (item.Kind == TableItemKind.NoText)
                throw new CommandException(ExitCode.Invalid, $"{place}: {item.Problem}; nothing was changed");
            else
                problems.Add($"{place}: {item.Problem}");
        }

        foreach (var warning in warnings)
            context.Report.Warning(warning);

        return problems.Count == 0 ? rows : throw Refused(file, problems);
    }

    private static Stream Open(CommandContext context, string file)
    {
        if (file == "-")
            return context.Host.In();
        try
        {
            return new FileStream(file, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 1);
        }
        catch (Exception missing) when (missing is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new CommandException(ExitCode.Invalid, $"{file}: there is no such file; name the table's source, as given to postmap");
        }
    }

    private static CommandException Refused(string file, List<string> problems) => new(
        ExitCode.Invalid,
        problems.Count == 1
            ? $"{file} cannot be imported as it is; nothing was changed"
            : FormattableString.Invariant($"{file} cannot be imported as it is, it has {problems.Count} problems; nothing was changed"),
        problems);

    private static List<PlannedChange> Plan(
        StoreView view, List<TableRow> rows, string file, CommandContext context, Options options)
    {
        var replace = context.Get(options.Replace);
        var planned = new List<PlannedChange>(rows.Count);
        var problems = new List<string>();
        foreach (var (line, row, evidence) in rows)
        {
            var place = FormattableString.Invariant($"{file}:{line}");
            var before = view.Find(row.Key);
            var after = before is null ? row : Merge(before, row, context.Host.Time);
            if (before is not null && !replace && !before.Equals(after))
                problems.Add($"{place}: {row.Key} is configured already with another policy or other pins; --replace takes those of the table");
            planned.Add(new PlannedChange(row.Key, before, after) { Place = place, Evidence = evidence });
        }

        return problems.Count == 0 ? planned : throw Refused(file, problems);
    }

    /// <summary>The entry with the table's policy and pins; what is known of a pin is kept, and served pins that the table lacks are retired.</summary>
    private static Destination Merge(Destination before, Destination row, TimeProvider time)
    {
        var pins = before.Pins;
        var given = row.Pins.Where(pin => pin.IsServed).ToList();
        foreach (var pin in given)
            pins = PinEditing.Trust(before.Key.Text, pins, pin.Fingerprint, pin.Subject, time, readmit: false);
        if (row.Policy.Level == Core.Policies.TlsLevel.Fingerprint)
        {
            var kept = given.Select(pin => pin.Fingerprint).ToHashSet();
            foreach (var pin in before.Pins.Where(pin => pin.IsServed && !kept.Contains(pin.Fingerprint)))
                pins = PinEditing.Revoke(pins, pin.Fingerprint, time);
        }

        return before with { Policy = row.Policy, Pins = pins, Observe = row.Observe };
    }
}
