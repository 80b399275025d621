using PolicyDaemon.EndToEnd.Lab;

namespace PolicyDaemon.EndToEnd.Stories;

/// <summary>What <c>policyctl query</c> says is what Postfix gets, for every kind of answer over every kind of table.</summary>
public abstract class PostmapStories(Laboratory lab) : ServedStories(lab)
{
    // U+0378 is assigned to no character, so the key has no A-label.
    private const string Unmappable = "\u0378.plain.test";

    [Theory]
    [InlineData("inet")]
    [InlineData("unix")]
    [InlineData("tcp")]
    [InlineData("proxy")]
    public async Task A_policy_that_is_found(string kind)
    {
        var key = $"found-{kind}.plain.test";
        var pin = new string('a', 64);
        await PinAsync(key, pin);
        await WithTableAsync(kind, async table =>
        {
            Assert.Equal($"fingerprint match={pin}\n", (await Sender.LookupAsync(key, table)).Require());
            Assert.Contains($"fingerprint match={pin}", (await QueryAsync(kind, key)).Require(), StringComparison.Ordinal);
        });
    }

    [Theory]
    [InlineData("inet")]
    [InlineData("unix")]
    [InlineData("tcp")]
    [InlineData("proxy")]
    public async Task A_destination_that_is_not_found(string kind) => await WithTableAsync(kind, async table =>
    {
        var answer = await Sender.LookupAsync("nobody.plain.test", table);
        // Only an empty stderr tells "not found" from an error.
        Assert.Equal((1, "", ""), (answer.ExitCode, answer.Output, answer.Error));
        (await QueryAsync(kind, "nobody.plain.test")).Require(exitCode: 1);
    });

    [Theory]
    [InlineData("inet")]
    [InlineData("unix")]
    [InlineData("tcp")]
    [InlineData("proxy")]
    public async Task A_question_that_cannot_be_answered_now(string kind) => await WithTableAsync(kind, async table =>
    {
        var answer = await Sender.LookupAsync(Unmappable, table);
        Assert.Equal((1, ""), (answer.ExitCode, answer.Output));
        Assert.Contains("error", answer.Error, StringComparison.Ordinal);
        (await QueryAsync(kind, Unmappable)).Require(exitCode: 6);
    });

    [Fact]
    public async Task A_map_that_is_not_served()
    {
        var answer = await Sender.LookupAsync(
            "nobody.plain.test", Policyd.InetTable.Replace(":tlspolicy", ":nosuchmap", StringComparison.Ordinal));
        Assert.Equal((1, ""), (answer.ExitCode, answer.Output));
        Assert.Contains("permanent error", answer.Error, StringComparison.Ordinal);
        (await Policyd.CtlAsync("query", "nobody.plain.test", "--map", "nosuchmap")).Require(exitCode: 2);
    }

    [Fact]
    public async Task A_policy_too_long_for_tcp_table_is_an_error_there_and_found_over_socketmap()
    {
        const string Key = "long.plain.test";
        string[] pins = [.. Enumerable.Range(0, 100).Select(n => n.ToString("x64", System.Globalization.CultureInfo.InvariantCulture))];
        await PinAsync(Key, pins);

        Assert.EndsWith(pins[^1] + "\n", (await Sender.LookupAsync(Key, Policyd.InetTable)).Require(), StringComparison.Ordinal);
        Assert.Contains(pins[^1], (await QueryAsync("inet", Key)).Require(), StringComparison.Ordinal);
        var answer = await Sender.LookupAsync(Key, Policyd.TcpTable);
        Assert.Equal((1, ""), (answer.ExitCode, answer.Output));
        Assert.Contains("error", answer.Error, StringComparison.Ordinal);
        (await QueryAsync("tcp", Key)).Require(exitCode: 6);
    }

    private Task<CommandResult> QueryAsync(string kind, string key) =>
        kind == "tcp" ? Policyd.CtlAsync("query", key, "--tcp") : Policyd.CtlAsync("query", key);

    private async Task WithTableAsync(string kind, Func<string, Task> story)
    {
        if (kind != "proxy")
        {
            await story(kind switch { "inet" => Policyd.InetTable, "unix" => Policyd.UnixTable, _ => Policyd.TcpTable });
            return;
        }

        // proxymap(8) opens only tables of the configuration.
        await Sender.UsePolicyMapsAsync("proxy:" + Policyd.InetTable);
        try
        {
            await story("proxy:" + Policyd.InetTable);
        }
        finally
        {
            await Sender.UsePolicyMapsAsync(Laboratory.PolicyMap);
        }
    }
}

[Collection(typeof(HostPostfix))]
public sealed class PostmapWithTheHostsPostfix(HostPostfixLaboratory lab) : PostmapStories(lab);

[Collection(typeof(NewerPostfix))]
public sealed class PostmapWithTheNewerPostfix(NewerPostfixLaboratory lab) : PostmapStories(lab);
