using PolicyDaemon.Cli.Hosting;

namespace PolicyDaemon.Tests.Cli;

/// <summary>What a run of policyctl left behind.</summary>
internal sealed record CliResult(ExitCode Code, string Out, string Error);
