using PolicyDaemon.Cli.Hosting;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Store.Fleet;
using PolicyDaemon.Store.Probing;
using PolicyDaemon.Tests.Cli;

namespace PolicyDaemon.Tests.Remedies;

/// <summary>Whoever probes finds something about the machines that share the store.</summary>
internal sealed class NodeScenario(string name) : RemedyScenario
{
    private NodeState other = new(
        "mx8.example.com", "1.0.0", "default", MayProbe: true, HoldsLease: false, "sha256", 1, TimeSpan.Zero, DateTimeOffset.UnixEpoch, TimeSpan.FromSeconds(3));

    internal static IEnumerable<RemedyCase> Cases => ((string[])["node-stale", "node-clock", "node-digest", "node-version", "node-twice", "nobody-probes"]).Select(kind => new RemedyCase(kind, () => new NodeScenario(kind)) { MayExit = (int)ExitCode.DaemonNotRunning });

    internal override CliSession Session { get; } = new();

    internal override Task BringAsync()
    {
        other = name switch
        {
            "node-stale" => other with { Age = NodeState.StaleAfter },
            "node-clock" => other with { Ahead = TimeSpan.FromMinutes(1) },
            "node-twice" => other with { IsShared = true },
            "nobody-probes" => other with { Unattended = NodeState.StaleAfter },
            "node-digest" => other with { Digest = "sha512" },
            _ => other with { Version = "0.9.0" },
        };
        Tell();
        return Task.CompletedTask;
    }

    internal override Task PassAsync()
    {
        Tell();
        return Task.CompletedTask;
    }

    public override ValueTask DisposeAsync()
    {
        Session.Dispose();
        return ValueTask.CompletedTask;
    }

    private void Tell()
    {
        var now = Session.Time.GetUtcNow();
        using var ledger = new ProbeLedger(Session.Store, PostfixSettings.Default, Session.Time);
        ledger.RecordNodes(NodeFindings.Of([other, other with { Name = "mx7.example.com", Version = "1.0.0", Digest = "sha256", Age = TimeSpan.Zero, Ahead = TimeSpan.Zero, Unattended = null }], "mx7.example.com", now));
    }
}
