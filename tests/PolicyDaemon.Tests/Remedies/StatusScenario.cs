using PolicyDaemon.Administration.Status;
using PolicyDaemon.Cli.Hosting;
using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Core.Deliveries;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Runtime;
using PolicyDaemon.Tests.Cli;

namespace PolicyDaemon.Tests.Remedies;

/// <summary>Whoever asks for the status sees it, and nobody stores it.</summary>
internal sealed class StatusScenario(string name) : RemedyScenario
{
    private DaemonLock? running;

    internal static IEnumerable<RemedyCase> Cases =>
    [
        // The daemon's check, which is another program.
        new("configuration-unusable", () => new StatusScenario("configuration-unusable")) { Shows = "there is no such key", MayExit = (int)ExitCode.Invalid },
        new("delivery-deferred", () => new StatusScenario("delivery-deferred")) { Shows = "partner.test" },
    ];

    internal override CliSession Session { get; } = new();

    internal override Task BringAsync()
    {
        Session.Succeed("domain", "add", ".partner.test", "--level", "encrypt");
        running = StatusTests.Run(Session, "store", AuditEnd());
        if (name == "configuration-unusable")
            File.AppendAllText(Session.Config, "[store]\ndatabse = /x\n");
        else
            Session.Postfix.Waiting = [$$"""{"queue_name": "deferred", "queue_id": "A1", "arrival_time": {{Session.Time.GetUtcNow().ToUnixTimeSeconds()}}, "recipients": [{"address": "x@mx.partner.test", "delay_reason": "Server certificate not verified"}]}"""];
        return Task.CompletedTask;
    }

    internal override IReadOnlyList<Finding> Open()
    {
        var settings = SettingsReader.LoadUsable(Session.Config, null, out var problems);
        IEnumerable<FindingJson> seen = [];
        var mail = WaitingMail.Read(Session.Postfix.Waiting ?? [], isWhole: true, lifetime: null);
        StatusReport.Gather(settings, Session.Time, new FindingReading
        {
            Beside = (status, store) => seen = problems.Count > 0
                ? [SeenFindings.OfConfiguration(problems, status.At)]
                : SeenFindings.OfWaitingMail(status, store!, mail),
        });
        return [.. seen.Select(one => new Finding(FindingKinds.TryParse(one.Kind, out var kind) ? kind : default, one.Subject, one.Detail, one.Remedy, one.Since))];
    }

    internal override Task PassAsync() => Task.CompletedTask;

    internal override CliResult Run(string program, IReadOnlyList<string> words) => program == "policyd"
        ? new CliResult(ExitCode.Invalid, "", string.Join('\n', Problems(words[^1])))
        : base.Run(program, words);

    public override ValueTask DisposeAsync()
    {
        running?.Dispose();
        Session.Dispose();
        return ValueTask.CompletedTask;
    }

    private static IEnumerable<string> Problems(string file)
    {
        _ = SettingsReader.LoadUsable(file, null, out var problems);
        return problems.Select(problem => problem.ToString());
    }
}
