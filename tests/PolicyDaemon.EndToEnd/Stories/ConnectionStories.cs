using System.Text;
using PolicyDaemon.EndToEnd.Lab;

namespace PolicyDaemon.EndToEnd.Stories;

/// <summary>Many, hostile and unlucky connections to the published daemon.</summary>
[Collection(typeof(HostPostfix))]
public sealed class ConnectionStories(HostPostfixLaboratory lab)
{
    private const string Key = "example.test";
    private const string Answer = "OK encrypt";

    [Fact]
    public async Task A_thousand_held_connections_and_a_hundred_busy_ones_are_all_answered()
    {
        await using var policyd = await ServingAsync("thousand");
        var idle = policyd.ResidentKiB;
        // 19 MiB; 28 where the compiler does not lay the methods out as method-order.txt says.
        Assert.True(idle < 25 * 1024, $"idle policyd has {idle} KiB resident");

        List<SocketmapConnection> held = [];
        try
        {
            for (var n = 0; n < 1000; n++)
            {
                held.Add(await policyd.ConnectAsync());
                Assert.Equal(Answer, await held[^1].AskAsync("tlspolicy", Key));
            }

            await Task.WhenAll(Enumerable.Range(0, 100).Select(async _ =>
            {
                using var busy = await policyd.ConnectAsync();
                for (var question = 0; question < 50; question++)
                    Assert.Equal(question % 2 == 0 ? Answer : "NOTFOUND ", await busy.AskAsync("tlspolicy", question % 2 == 0 ? Key : "other.test"));
            }));
            // Held ones were not dropped for the sake of busy ones.
            foreach (var connection in held) Assert.Equal(Answer, await connection.AskAsync("tlspolicy", Key));
        }
        finally
        {
            held.ForEach(connection => connection.Dispose());
        }

        Assert.Equal(0, await policyd.StopAsync());
    }

    [Fact]
    public async Task Short_of_descriptors_it_keeps_those_who_ask_and_recovers()
    {
        await using var policyd = await ServingAsync("descriptors", descriptors: 120);
        using var first = await policyd.ConnectAsync();
        Assert.Equal(Answer, await first.AskAsync("tlspolicy", Key));
        List<SocketmapConnection> many = [];
        for (var n = 0; n < 300; n++) many.Add(await policyd.ConnectAsync());

        Assert.Equal(Answer, await first.AskAsync("tlspolicy", Key));
        many.ForEach(connection => connection.Dispose());
        await policyd.ServesAsync(Key, Answer);
        Assert.Equal(Answer, await first.AskAsync("tlspolicy", Key));
    }

    public static TheoryData<string, string> Hostile => new()
    {
        { "no length", ":tlspolicy example.test," },
        { "a length that is no number", "abc:tlspolicy example.test," },
        { "a huge length", "999999999999999999999:x" },
        { "no comma at the end", "22:tlspolicy example.test;" },
        { "another protocol", "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n" },
        { "binary", "\u0001\u0002\u0003\u0000\u007f" },
        { "cut within the request", "22:tlspolicy exam" },
    };

    [Theory]
    [MemberData(nameof(Hostile))]
    public async Task A_malformed_request_ends_its_own_connection_only(string what, string request)
    {
        await lab.ServeAsync();
        using var innocent = await lab.Policyd.ConnectAsync();
        Assert.Equal("NOTFOUND ", await innocent.AskAsync("tlspolicy", "hostile.invalid"));

        using var hostile = await lab.Policyd.ConnectAsync();
        await hostile.SendAsync(Encoding.Latin1.GetBytes(request));
        hostile.EndOfRequests();
        Assert.Equal((what, null), (what, await hostile.ReceiveAsync()));
        Assert.Equal("NOTFOUND ", await innocent.AskAsync("tlspolicy", "hostile.invalid"));
    }

    [Fact]
    public async Task A_peer_that_has_said_all_it_wants_to_ask_still_gets_its_answer()
    {
        await lab.ServeAsync();
        using var connection = await lab.Policyd.ConnectAsync();
        await connection.SendAsync("25:tlspolicy hostile.invalid,"u8.ToArray());
        connection.EndOfRequests();
        Assert.Equal("NOTFOUND ", await connection.ReceiveAsync());
        Assert.Null(await connection.ReceiveAsync());
    }

    [Fact]
    public async Task Hangup_reads_the_configuration_again_and_drops_no_connection()
    {
        await using var policyd = await ServingAsync("hangup");
        using var held = await policyd.ConnectAsync();
        Assert.Equal("NOTFOUND ", await held.AskAsync("tlspolicy", $"[{Key}]:25"));

        await File.AppendAllTextAsync(policyd.ConfigurationFile, "near_miss = temp\n", TestContext.Current.CancellationToken);
        await policyd.SignalAsync("HUP");
        await Until.TrueAsync(
            "a near miss is a temporary error",
            async () => (await held.AskAsync("tlspolicy", $"[{Key}]:25"))!.StartsWith("TEMP ", StringComparison.Ordinal),
            () => policyd.Said);

        // What cannot be read changes nothing.
        await File.AppendAllTextAsync(policyd.ConfigurationFile, "no_such_key = 1\n", TestContext.Current.CancellationToken);
        await policyd.SignalAsync("HUP");
        await Until.TrueAsync("policyd names the key", () => Task.FromResult(policyd.Said.Contains("no_such_key", StringComparison.Ordinal)));
        Assert.Equal(Answer, await held.AskAsync("tlspolicy", Key));
        Assert.StartsWith("TEMP ", await held.AskAsync("tlspolicy", $"[{Key}]:25"), StringComparison.Ordinal);
    }

    private async Task<Policyd> ServingAsync(string name, int descriptors = 4096)
    {
        var policyd = await lab.AnotherAsync(name, 8491);
        await policyd.DoAsync("domain", "add", Key, "--level", "encrypt");
        await policyd.StartAsync(descriptors);
        await policyd.ServesAsync(Key, Answer);
        return policyd;
    }
}
