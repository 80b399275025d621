using PolicyDaemon.Cli.Hosting;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Store;
using PolicyDaemon.Store.Engines;
using PolicyDaemon.Tests.Cli;
using PolicyDaemon.Tests.Support;
using Xunit;

namespace PolicyDaemon.Tests.Daemon.Fleet;

/// <summary>The emergency way of policydaemon-fleet(7), THE WAY BACK TO A FILE: a copy of last night becomes the store of a machine, and no answer is lost silently.</summary>
public sealed class WayBackTests : IDisposable
{
    private readonly string directory = Directory.CreateTempSubdirectory("policydaemon-back").FullName;
    private readonly CliSession session = new(init: false);
    private PostgreSqlCluster? server;

    [Fact]
    [Trait(Part.Name, Part.Store)]
    public async Task From_a_server_that_is_lost()
    {
        server = new PostgreSqlCluster();
        server.Start();
        await GoBackAsync(FleetStore.Make(server), () => server.Kill());
    }

    [Fact]
    public async Task From_a_file_to_its_copy_at_another_path()
    {
        var file = Path.Combine(Directory.CreateDirectory(directory).FullName, "policy.db");
        PolicyStore.Create(file, FleetStore.Alice, TimeProvider.System).Dispose();
        var store = new FleetStore(file);
        store.Put(FleetNode.Known);
        await GoBackAsync(store, () => File.Move(file, file + ".lost"));
    }

    public void Dispose()
    {
        server?.Dispose();
        session.Dispose();
        Directory.Delete(directory, recursive: true);
    }

    private async Task GoBackAsync(FleetStore store, Action lose)
    {
        var night = Path.Combine(directory, "night.db");
        store.Put("before.example");
        Succeed("--database", store.Words, "backup", night);
        await using (var node = await FleetNode.StartAsync(store.Words, directory))
        {
            store.Put("after.example");
            await node.LiveAsync("after.example");
            lose();
            await node.StopAsync();
        }

        var back = Path.Combine(directory, "policy-back.db");
        File.Copy(night, back);

        // Whoever looks before policyd is started again is shown the same.
        var config = Path.Combine(directory, "node.conf");
        await File.WriteAllTextAsync(config, $"[store]\nengine = sqlite\ndatabase = {back}\n", TestContext.Current.CancellationToken);
        Assert.Equal("after.example\tremove\tsecure\t(not configured)\t-\n", Succeed("--config", config, "--format", "tsv", "store", "accept", "--dry-run"));

        await using var again = await FleetNode.StartAsync(back, directory);
        Assert.Equal([FindingKind.StoreReplaced], again.Findings.Select(finding => finding.Kind));
        Assert.Equal(LookupAnswerKind.Found, (await again.AskAsync("after.example")).Kind);
        Assert.Equal("after.example\tremove\tsecure\t(not configured)\t-\n", Succeed("--config", config, "--format", "tsv", "store", "accept", "--dry-run"));

        var accepted = session.RunWith("--config", config, "--format", "table", "store", "accept", "--reason", "db1 is lost; copy of last night");
        Assert.Equal(ExitCode.Done, accepted.Code);
        Assert.Contains("after.example  (removed)", accepted.Out, StringComparison.Ordinal);
        Assert.DoesNotContain("policyctl undo", accepted.Out + accepted.Error, StringComparison.Ordinal);
        await Until.TrueAsync(() => again.Findings.Count == 0, what: "the finding ends");
        Assert.Equal(LookupAnswerKind.NotFound, (await again.AskAsync("after.example")).Kind);
        Assert.Equal(LookupAnswerKind.Found, (await again.AskAsync("before.example")).Kind);
        await again.StopAsync();
        using var now = PolicyStore.Open(back, StoreAccess.Read, TimeProvider.System);
        Assert.Null(now.VerifyAudit().Problem);
    }

    private string Succeed(params IReadOnlyList<string> words)
    {
        var result = session.RunWith(words);
        Assert.True(result.Code == ExitCode.Done, result.Error);
        return result.Out;
    }
}
