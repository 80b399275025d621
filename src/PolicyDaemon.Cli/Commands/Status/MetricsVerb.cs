using System.CommandLine;
using PolicyDaemon.Administration.Metrics;
using PolicyDaemon.Cli.Hosting;

namespace PolicyDaemon.Cli.Commands.Status;

/// <summary><c>metrics</c>: what Prometheus collects, as text; with and without a running daemon, and with a store that does not work.</summary>
internal static class MetricsVerb
{
    internal static Command Create(CommandRunner runner)
    {
        var openMetrics = new Option<bool>("--openmetrics") { Description = "In the format of OpenMetrics 1.0" };
        var verb = new Verb("metrics", "Print metrics for Prometheus: of the daemon, which is asked, and of the store, which is only read.")
        {
            ExitCodes = "0 also where policyd does not answer: policydaemon_up is 0 then; 4 without the permission to ask it or to read the store; 5 where the configuration cannot be used",
            Examples =
            [
                ("policyctl metrics", "In the text format of Prometheus, as node_exporter's textfile collector reads it."),
                ("policyctl metrics --openmetrics", "In the format of OpenMetrics."),
            ],
        };
        verb.Add(openMetrics);
        verb.SetAction(runner.Handle(context =>
        {
            var text = MetricsReport.Write(
                context.Settings, context.Get(openMetrics) ? MetricsFormat.OpenMetrics : MetricsFormat.Prometheus, context.Host.Time);
            foreach (var line in text.Split('\n', StringSplitOptions.RemoveEmptyEntries))
                context.Report.Verbatim(line);
            return ExitCode.Done;
        }));
        return verb;
    }
}
