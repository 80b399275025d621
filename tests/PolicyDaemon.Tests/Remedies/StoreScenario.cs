using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;
using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Runtime;
using PolicyDaemon.Daemon;
using PolicyDaemon.Cli.Hosting;
using PolicyDaemon.Store.Snapshots;
using PolicyDaemon.Tests.Cli;
using PolicyDaemon.Tests.Store;
using PolicyDaemon.Tests.Support;

namespace PolicyDaemon.Tests.Remedies;

/// <summary>The loader finds something about the store, or about what it keeps of it.</summary>
internal sealed class StoreScenario : RemedyScenario
{
    private readonly string name;
    private readonly string snapshots;
    private readonly SnapshotLoader loader;
    private DaemonLock? running;

    private StoreScenario(string name)
    {
        this.name = name;
        // A folder that no shell takes as it is.
        snapshots = Directory.CreateDirectory(Path.Combine(Session.Directory, "it's [a] $HOME; true")).FullName;
        File.WriteAllText(Session.Config, File.ReadAllText(Session.Config).Replace("[store]\n", $"[store]\nsnapshot = {snapshots}/policy.snapshot\n", StringComparison.Ordinal));
        Session.Succeed("domain", "add", "before.example", "--level", "secure");
        var settings = SettingsReader.Load(Session.Config);
        loader = new SnapshotLoader(
            new SnapshotLoaderOptions(settings.Database, settings.Snapshot) { Patience = TimeSpan.FromMilliseconds(20) }, settings.Postfix, Session.Time,
            NullLogger<SnapshotLoader>.Instance);
        if (name == "snapshot-not-saved")
            Directory.CreateDirectory(Path.Combine(settings.Snapshot, "in the way"));
        if (name == "entry-not-servable of an unreadable row")
        {
            Session.Succeed("domain", "add", "spoilt.example", "--level", "secure");
            Sql("UPDATE destination SET key = 'it''s bad; true' WHERE key = 'spoilt.example'");
        }

        loader.Start();
    }

    internal static IEnumerable<RemedyCase> Cases =>
    [
        Case("store-unavailable") with { MayExit = (int)ExitCode.Invalid }, Case("store-damaged") with { MayExit = (int)ExitCode.Invalid },
        Case("store-replaced") with { Shows = "before.example\tremove\tsecure" },
        Case("entry-not-servable") with { Shows = "no pin" },
        Case("entry-not-servable of an unreadable row") with { Shows = "it's bad" },
        Case("entry-not-servable of many") with { Shows = "no pin", MayExit = 5 },
        Case("snapshot-not-saved") with { Shows = "it's [a] $HOME; true" },
        Case("audit-broken") with { Shows = "row 3" },
    ];

    internal override CliSession Session { get; } = new();

    internal override IReadOnlyList<Finding> Open() => [.. loader.Findings];

    internal override async Task BringAsync()
    {
        switch (name)
        {
            case "store-unavailable":
                Remove();
                break;
            case "store-damaged":
                Remove();
                File.WriteAllText(Session.Database, "this is no database, whatever its name says. " + new string('x', 4096));
                break;
            case "store-replaced":
                Remove();
                Session.Succeed("init");
                break;
            case "entry-not-servable":
                Write("empty.example");
                break;
            case "entry-not-servable of many":
                Write([.. Enumerable.Range(0, 101).Select(number => $"d{number}.example")]);
                break;
            case "audit-broken":
                Session.Succeed("domain", "add", "after.example", "--level", "secure");
                Sql("DROP TRIGGER audit_no_update; UPDATE audit SET answer_after = 'encrypt' WHERE sequence = 3");
                break;
        }

        await Until.TrueAsync(() => Open().Any(finding => finding.Kind.Name() == name.Split(' ')[0]), loader.Poll, $"the loader found {name}");
        running = StatusTests.Run(Session, "store", AuditEnd(), [.. loader.Findings.Select(finding => FindingJson.From(finding))]);
    }

    internal override Task PassAsync()
    {
        loader.Poll();
        return Task.CompletedTask;
    }

    internal override CliResult Run(string program, IReadOnlyList<string> words)
    {
        if (program == "policyctl")
            return base.Run(program, words);
        var (output, error) = (new StringWriter(), new StringWriter());
        var code = DaemonCommand.RunAsync([.. words, "--config", Session.Config], output, error).GetAwaiter().GetResult();
        return new CliResult((ExitCode)code, output.ToString(), error.ToString());
    }

    public override ValueTask DisposeAsync()
    {
        running?.Dispose();
        loader.Dispose();
        Session.Dispose();
        return ValueTask.CompletedTask;
    }

    private static RemedyCase Case(string name) => new(name, () => new StoreScenario(name));

    private void Remove()
    {
        foreach (var file in Directory.GetFiles(Session.Directory, "policy.db*"))
            File.Delete(file);
    }

    private void Write(params string[] keys) => TemporaryStore.WriteUnjudged(Session.Store, Session.Time, changes =>
    {
        foreach (var key in keys)
            changes.WriteUnjudged(NextHop.Parse(key), null, TemporaryStore.Pinned(key), null, null, null);
    });

    private void Sql(string text)
    {
        using var connection = new SqliteConnection($"Data Source={Session.Database};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
#pragma warning disable CA2100 // the tests' own text
        command.CommandText = text;
#pragma warning restore CA2100
        command.ExecuteNonQuery();
    }
}
