using System.CommandLine;
using PolicyDaemon.Administration.Forecast;
using PolicyDaemon.Cli.Hosting;
using PolicyDaemon.Cli.Json;
using PolicyDaemon.Cli.Output;

namespace PolicyDaemon.Cli.Commands.Servers;

/// <summary><c>check</c>: probes a destination, configured or not, and stores nothing.</summary>
internal static class CheckVerb
{
    internal static Command Create(CommandRunner runner)
    {
        var key = new Argument<string>("DOMAIN")
        {
            HelpName = "DOMAIN",
            Description = "A domain, or any key: example.com, [mx.example.com]:587, 192.0.2.1, .example.com with --probe-as",
        };
        var probeAs = ProbeAs.Option();
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
            ],
        };
        verb.Add(key);
        verb.Add(probeAs);
        verb.SetAction(runner.Handle((context, cancellation) => RunAsync(context, key, probeAs, cancellation)));
        return verb;
    }

    private static async Task<ExitCode> RunAsync(
        CommandContext context, Argument<string> key, Option<string[]> probeAs, CancellationToken cancellation)
    {
        var nextHop = context.Key(key);
        CheckResult result;
        using (var bar = Progress.Start(context.Host, $"probing {nextHop}", 1, worthShowing: 1))
        {
            result = await new DestinationCheck(context.Settings, context.Host.Time) { PolicyPort = context.Host.PolicyPort }
                .RunAsync(nextHop, ProbeAs.Read(context, probeAs) ?? [], bar, cancellation);
        }

        var report = context.Report;
        if (report.Format == OutputFormat.Json)
            report.Json(CheckJson.From(result), CliJson.Default.CheckJson);
        else if (report.Format == OutputFormat.Tsv)
            report.Rows(CheckRows.Of(result), default!, CliJson.Default.CheckJson);
        else
            CheckText.Write(report, result);
        return DeliveryForecast.Of(result).Delivery switch
        {
            Delivery.Delivered => ExitCode.Done,
            Delivery.Unknown => ExitCode.Inconclusive,
            _ => ExitCode.Negative,
        };
    }
}
