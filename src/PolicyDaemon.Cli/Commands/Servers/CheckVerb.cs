using System.CommandLine;
using PolicyDaemon.Administration.Forecast;
using PolicyDaemon.Cli.Commands.Program;
using PolicyDaemon.Cli.Hosting;
using PolicyDaemon.Cli.Json;
using PolicyDaemon.Cli.Output;

namespace PolicyDaemon.Cli.Commands.Servers;

/// <summary><c>check</c>: probes a destination, configured or not, and stores nothing.</summary>
internal static class CheckVerb
{
    private sealed record Options(Argument<string?> Key, Option<string[]> ProbeAs, Option<string?> Record, Option<string?> Replay);

    internal static Command Create(CommandRunner runner)
    {
        var options = new Options(
            new Argument<string?>("DOMAIN")
            {
                HelpName = "DOMAIN",
                Description = "A domain, or any key: example.com, [mx.example.com]:587, 192.0.2.1, .example.com with --probe-as; what a log shows: user@example.com, mx.example.com[192.0.2.1]:25, a queue id",
                Arity = ArgumentArity.ZeroOrOne,
            },
            ProbeAs.Option(),
            new Option<string?>("--record") { HelpName = "FILE", Description = "Keep what DNS, policy hosts and servers answered in a file, with the settings and the entries that decide; of an entry without its note" },
            new Option<string?>("--replay") { HelpName = "FILE", Description = "Report from such a file instead, and ask nobody" });
        var verb = new Verb("check", "Probe a domain's mail servers now and report everything: DNS, TLS, certificates, pins, DANE, MTA-STS. Stores nothing.")
        {
            Columns = CheckRows.Columns,
            ExitCodes = "1 where mail would not be delivered, or not through every address; 6 where that cannot be told",
            Examples =
            [
                ("policyctl check example.com", "What does example.com offer, which level would deliver, and how is it set?"),
                ("policyctl check '[mx.example.com]:587'", "A relay; no MX lookup."),
                ("policyctl check .example.com --probe-as mx.example.com", "Subdomains have no MX of their own: name a host."),
                ("policyctl check example.com --format json", "The same with everything that was seen, for a program."),
                ("policyctl check example.com --record example.json", "Keep every answer in a file: enough for somebody else to come to the same report."),
                ("policyctl check --replay example.json", "The report of that file again. Nobody is asked."),
            ],
        };
        verb.Add(options.Key);
        verb.Add(options.ProbeAs);
        verb.Add(options.Record);
        verb.Add(options.Replay);
        verb.SetAction(runner.Handle((context, cancellation) => RunAsync(context, options, cancellation)));
        return verb;
    }

    private static async Task<ExitCode> RunAsync(
        CommandContext context, Options options, CancellationToken cancellation)
    {
        var (record, replay) = (context.Get(options.Record), context.Get(options.Replay));
        if (context.Get(options.Key) is null == replay is null)
            throw new CommandException(ExitCode.Usage, "name a domain to check, or the file of an earlier check with --replay FILE; one of the two");
        if (replay is not null && (record is not null || context.Has(options.ProbeAs)))
            throw new CommandException(ExitCode.Usage, "--replay reports from a file and asks nobody; leave --record and --probe-as out");
        // Before a minute of probing, not behind it.
        if (record is not null)
            CommandContext.RequireDirectory(record);
        var result = replay is not null
            ? await CheckRecordFile.ReplayAsync(context, replay, cancellation)
            : await ProbeAsync(context, options, cancellation);
        if (record is not null)
            CheckRecordFile.Write(context, record, result.Record);
        var report = context.Report;
        // A record is of another machine's mail.
        var mail = replay is null ? MailQueue.Read(context.Host) : null;
        if (report.Format == OutputFormat.Json)
            report.Json(CheckJson.From(result, mail), CliJson.Default.CheckJson);
        else if (report.Format == OutputFormat.Tsv)
            report.Rows(CheckRows.Of(result, mail), default!, CliJson.Default.CheckJson);
        else
            CheckText.Write(report, result, mail);
        return DeliveryForecast.Of(result).Delivery switch
        {
            Delivery.Delivered => ExitCode.Done,
            Delivery.Unknown => ExitCode.Inconclusive,
            _ => ExitCode.Negative,
        };
    }

    private static async Task<CheckResult> ProbeAsync(CommandContext context, Options options, CancellationToken cancellation)
    {
        var nextHop = LoggedKeys.Key(context, context.Get(options.Key)!);
        using var bar = Progress.Start(context.Host, $"probing {nextHop}", 1, worthShowing: 1);
        return await new DestinationCheck(context.Settings, context.Host.Time) { PolicyPort = context.Host.PolicyPort, Version = VersionVerb.Text }
            .RunAsync(nextHop, ProbeAs.Read(context, options.ProbeAs) ?? [], bar, cancellation);
    }
}
