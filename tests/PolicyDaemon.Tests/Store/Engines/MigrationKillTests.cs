using System.Diagnostics;
using PolicyDaemon.Cli.Hosting;
using PolicyDaemon.Tests.Cli;
using PolicyDaemon.Tests.Support;
using Xunit;

namespace PolicyDaemon.Tests.Store.Engines;

/// <summary><c>policyctl store migrate</c> is killed in the middle, each way: what was there is used as before, and nothing stands in the way of the next run.</summary>
[Trait(Part.Name, Part.Store)]
public sealed class MigrationKillTests : IDisposable
{
    // Copied behind the entries, the pins and the audit log.
    private const string Late = "verdict_change";

    private readonly ServerFixture server = new();
    private readonly CliSession session = new(init: false);
    private readonly string file;

    public MigrationKillTests() => file = Path.Combine(session.Directory, "here.db");

    public void Dispose()
    {
        session.Dispose();
        server.Dispose();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task One_that_is_killed_in_the_middle_leaves_the_store_in_use_and_the_place_free(bool goesToServer)
    {
        var there = server.As(ServerFixture.Admin);
        var (from, to) = goesToServer ? (file, there) : (there, file);
        Run(from, "init");
        Run(from, "domain", "add", "a.example", "--level", "fingerprint", "--match", CliSession.Pin);
        var before = Run(from, "export", "--full");

        using (var holder = PostgreSqlServer.Instance.Connect(server.Store))
        {
            using var transaction = holder.BeginTransaction();
            using var command = holder.CreateCommand();
            command.CommandText = $"LOCK TABLE {Late} IN ACCESS EXCLUSIVE MODE";
            await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
            var start = new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, "policyctl"), ["--config", session.Config, "--database", from, "store", "migrate", "--to", to, "--reason", "test"])
            {
                RedirectStandardOutput = true, RedirectStandardError = true,
            };
            using var policyctl = Process.Start(start)!;
            await Until.TrueAsync(
                () => server.List($"SELECT 'waits' FROM pg_locks WHERE relation = '{Late}'::regclass AND NOT granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database())").Count > 0,
                what: "it waits in the middle");
            policyctl.Kill();
            await policyctl.WaitForExitAsync(TestContext.Current.CancellationToken);
        }

        // The server finds out by itself that nobody is there any more.
        await Until.TrueAsync(() => session.RunWith("--database", from, "domain", "add", "b.example", "--level", "encrypt").Code == ExitCode.Done, what: "the store is in use");
        Run(from, "domain", "remove", "b.example", "--reason", "as before");
        Assert.Equal(before, Run(from, "export", "--full"));
        Assert.NotEqual(ExitCode.Done, session.RunWith("--database", to, "domain", "list").Code);

        Assert.Equal(ExitCode.Done, session.RunWith("--database", from, "store", "migrate", "--to", to, "--reason", "once more").Code);
        Assert.Equal(before, Run(to, "export", "--full"));
        Assert.Equal(ExitCode.Done, session.RunWith("--database", to, "audit", "--verify").Code);
        // Nothing that was begun is left beside the file.
        Assert.All(Directory.GetFiles(session.Directory, "*here.db*"), left => Assert.True(left == file || left.StartsWith(file + "-", StringComparison.Ordinal), left));
    }

    private string Run(string store, params string[] words)
    {
        var result = session.RunWith(["--database", store, .. words]);
        Assert.True(result.Code == ExitCode.Done, $"{string.Join(' ', words)}: {result.Error}");
        return result.Out;
    }
}
