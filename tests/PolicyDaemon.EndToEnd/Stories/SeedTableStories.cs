using System.Text.RegularExpressions;
using PolicyDaemon.EndToEnd.Lab;

namespace PolicyDaemon.EndToEnd.Stories;

/// <summary>The hand-kept table with which this product began, as its page carries it: no-break spaces, continuation lines, SHA-1.</summary>
public abstract partial class SeedTableStories(Laboratory lab)
{
    private static readonly string Page = Path.Combine(AppContext.BaseDirectory, "Data", "seed-table");

    [Fact]
    public async Task Every_row_gives_postfix_the_same_policy_as_a_hash_table_of_the_same_rows()
    {
        var text = await File.ReadAllTextAsync(Page, TestContext.Current.CancellationToken);
        Assert.Contains('\u00a0', text);
        var table = Path.Combine(lab.Sandbox.Folder, "seed_policy");
        await File.WriteAllTextAsync(table, text.Replace('\u00a0', ' '), TestContext.Current.CancellationToken);
        (await lab.Sender.Instance.RunAsync("postmap", "hash:" + table)).Require();
        string[] keys = [.. text.Split('\n').Where(line => line.StartsWith('.')).Select(line => line.Split(' ', '\u00a0')[0])];
        Assert.Equal(6, keys.Length);

        await using var policyd = await lab.AnotherAsync("seed", 8471, digest: "sha1");
        await policyd.StartAsync();
        await policyd.DoAsync("import", Page);
        await policyd.ServesAsync(keys[^1], "OK ");

        foreach (var key in keys)
        {
            var expected = Normal((await lab.Sender.LookupAsync(key, "hash:" + table)).Require());
            foreach (var map in new[] { policyd.InetTable, policyd.UnixTable, policyd.TcpTable })
                Assert.Equal((map, expected), (map, Normal((await lab.Sender.LookupAsync(key, map)).Require())));
        }
    }

    /// <summary>Runs of blanks folded, pins without colons and case.</summary>
    private static string Normal(string policy)
    {
        var folded = Blanks().Replace(policy, " ").Trim();
        return folded.StartsWith("fingerprint ", StringComparison.Ordinal)
            ? folded.Replace(":", "", StringComparison.Ordinal).ToLowerInvariant()
            : folded;
    }

    [GeneratedRegex(@"\s+")]
    private static partial Regex Blanks();
}

[Collection(typeof(HostPostfix))]
public sealed class SeedTableWithTheHostsPostfix(HostPostfixLaboratory lab) : SeedTableStories(lab);

[Collection(typeof(NewerPostfix))]
public sealed class SeedTableWithTheNewerPostfix(NewerPostfixLaboratory lab) : SeedTableStories(lab);
