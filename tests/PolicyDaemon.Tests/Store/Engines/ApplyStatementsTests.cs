using System.Globalization;
using PolicyDaemon.Cli.Hosting;
using PolicyDaemon.Tests.Cli;
using PolicyDaemon.Tests.Daemon.Fleet;
using PolicyDaemon.Tests.Support;
using Xunit;

namespace PolicyDaemon.Tests.Store.Engines;

/// <summary><c>policyctl apply</c> asks a server for what is there of many rows at once: each statement is a way to another machine.</summary>
[Trait(Part.Name, Part.Store)]
public sealed class ApplyStatementsTests : IDisposable
{
    private const int Rows = 1500;

    // Of a run, whatever it has to do; less than one for every ten rows.
    private const int Most = Rows / 10;

    private readonly PostgreSqlCluster cluster = new PostgreSqlCluster(["log_statement=all"]).Start();
    private readonly CliSession session = new(init: false);
    private readonly string store;

    public ApplyStatementsTests() => store = FleetStore.Make(cluster).Words;

    public void Dispose()
    {
        session.Dispose();
        cluster.Dispose();
    }

    [Fact]
    public void Many_rows_are_few_statements_however_the_file_is_ordered()
    {
        var lines = Enumerable.Range(0, Rows).Select(number => Invariant($"d{number * 7919 % Rows:D4}.example {(number % 5 == 0 ? $"fingerprint match={number:x64}" : "secure match=nexthop")}")).ToList();
        var file = session.Write("entries", string.Join('\n', lines) + "\n");

        var added = Statements("apply", file);
        var same = Statements("apply", file);
        var diff = Statements("apply", "--diff", file);

        TestContext.Current.TestOutputHelper?.WriteLine(Invariant($"added: {added}, nothing to do: {same}, --diff: {diff}"));
        Assert.InRange(added, 1, Most);
        Assert.InRange(same, 1, Most);
        Assert.InRange(diff, 1, Most);
        Assert.Equal(Rows + 1, session.RunWith("--database", store, "domain", "list").Out.Split('\n', StringSplitOptions.RemoveEmptyEntries).Length);
    }

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    private int Statements(params string[] words)
    {
        var before = cluster.Log.Length;
        var result = session.RunWith(["--database", store, .. words]);
        Assert.True(result.Code == ExitCode.Done, result.Error);
        return cluster.Log[before..].Split('\n').Count(line => line.Contains("LOG:  execute", StringComparison.Ordinal) || line.Contains("LOG:  statement", StringComparison.Ordinal));
    }
}
