using System.CommandLine;
using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Core.Runtime;
using PolicyDaemon.Daemon.Alerts;
using PolicyDaemon.Daemon.Hosting;

namespace PolicyDaemon.Daemon;

/// <summary>The command line: <c>policyd [--config FILE] [--check | --run-alert | --test-alert]</c>.</summary>
internal static class DaemonCommand
{
    private const string Name = "policyd";

    internal static Task<int> RunAsync(string[] args, TextWriter output, TextWriter error) =>
        ProgramCommand.RunAsync(Name, Compose(output, error), args, output, error, (int)DaemonExitCode.Usage);

    /// <summary>The command line with its options; the program runs it, and a test compares it with the manual.</summary>
    internal static RootCommand Compose(TextWriter output, TextWriter error)
    {
        var config = new Option<string?>("--config")
        {
            HelpName = "FILE",
            Description = $"The configuration [default: {SettingsReader.DefaultFile} if it exists, else lookups on 127.0.0.1 "
                + "and a store under your state directory]",
        };
        var check = new Option<bool>("--check")
        {
            Description = "Validate configuration and store, print what would be served, and exit with 0 or 5",
        };
        var runAlert = new Option<bool>("--run-alert")
        {
            Description = "Run alert_command for the alert on standard input and exit; what policyd-alert@.service does",
        };
        var testAlert = new Option<bool>("--test-alert")
        {
            Description = "Send a test alert once through every channel of [probe], print what became of it as JSON, and exit; what policyctl doctor --send does",
        };
        var root = new RootCommand("Answers Postfix's smtp_tls_policy_maps lookups over socketmap and tcp_table.") { config, check, runAlert, testAlert };
        root.SetAction(async (result, cancellation) =>
        {
            try
            {
                var settings = SettingsReader.Load(result.GetValue(config));
                if (result.GetValue(runAlert))
                {
                    return (int)await AlertRun.RunAsync(
                        settings, Console.OpenStandardInput(), DescriptorStream.Standard(StandardStreams.Output), error, TimeProvider.System, cancellation);
                }

                if (result.GetValue(testAlert))
                    return (int)await TestAlert.RunAsync(settings, output, error, TimeProvider.System, cancellation);

                return (int)(result.GetValue(check)
                    ? ConfigurationCheck.Run(settings, output)
                    : await DaemonHost.RunAsync(settings));
            }
            catch (ConfigurationException exception)
            {
                await ProgramCommand.WriteAsync(Name, exception, error);
                return (int)DaemonExitCode.Invalid;
            }
        });
        return root;
    }
}
