using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using PolicyDaemon.Browser.Site;

namespace PolicyDaemon.Browser.Stories;

/// <summary>The pages are beside policyd, never in its way: what lookups are answered does not depend on who looks, or on whether policyd-web lives.</summary>
[Collection(typeof(Monitored))]
public sealed class BesideStories(MonitoredSite site)
{
    private static readonly string[] Paths = ["/", "/metrics", "/destinations", "/destinations/" + MonitoredSite.Key, "/audit", "/nodes", "/discovery"];

    [Fact]
    public async Task A_thousand_requests_change_no_figure_of_the_lookups()
    {
        const int requests = 1000;
        const int lookups = 2000;
        var before = await FiguresAsync();
        var process = site.DaemonProcess;

        var looking = Parallel.ForAsync(0, requests, new ParallelOptions { MaxDegreeOfParallelism = 8, CancellationToken = TestContext.Current.CancellationToken }, async (number, cancellation) =>
        {
            using var answer = await site.Http.GetAsync(new Uri(site.Address, Paths[number % Paths.Length]), cancellation);
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        });
        var asking = AskAsync(lookups);
        await Task.WhenAll(looking, asking);

        // Every lookup was answered and counted, and none more: nobody else asks.
        var after = await FiguresAsync(found: before["found"] + lookups);
        Assert.Equal(process, site.DaemonProcess);
        Assert.Equal(0, after["temporary"] - before["temporary"]);
        Assert.Equal(0, after["permanent"] - before["permanent"]);
        Assert.Equal(0, after["protocol_errors"] - before["protocol_errors"]);
        Assert.Equal(0, after["refused"] - before["refused"]);
        Assert.Equal(0, after["evicted"] - before["evicted"]);
    }

    [Fact]
    public async Task Policyd_web_killed_and_started_again_leaves_no_trace_in_policyd()
    {
        var process = site.DaemonProcess;
        var said = site.DaemonSaid;
        var before = await FiguresAsync();
        for (var round = 0; round < 3; round++)
        {
            // In the midst of requests.
            var looking = LookUntilItEndsAsync();
            await AskAsync(20);
            await site.KillWebAsync();
            await looking;
            await AskAsync(20);
            await site.StartWebAsync();
        }

        var after = await FiguresAsync(found: before["found"] + 3 * 40);
        Assert.Equal(process, site.DaemonProcess);
        Assert.Equal(0, after["temporary"] - before["temporary"]);
        Assert.Equal(Lines(said), Lines(site.DaemonSaid));
    }

    [Fact]
    public async Task While_policyd_is_down_the_pages_say_so_and_show_the_store()
    {
        await site.StopDaemonAsync();
        try
        {
            Assert.Contains("policydaemon_up 0\n", await site.Http.GetStringAsync(new Uri(site.Address, "/metrics"), TestContext.Current.CancellationToken), StringComparison.Ordinal);
            var overview = await site.Http.GetStringAsync(site.Address, TestContext.Current.CancellationToken);
            Assert.Matches("policyd (does not|is not) run", overview);
            Assert.Contains(MonitoredSite.Key, await site.Http.GetStringAsync(new Uri(site.Address, "/destinations"), TestContext.Current.CancellationToken), StringComparison.Ordinal);
        }
        finally
        {
            await site.StartDaemonAsync();
        }
    }

    // What the prober says of its resolver is its own affair, and comes when it comes.
    private static List<string> Lines(string said) =>
        [.. said.Split('\n').Where(line => !line.Contains("prober", StringComparison.OrdinalIgnoreCase) && !line.Contains("resolver", StringComparison.OrdinalIgnoreCase) && !line.Contains("127.0.0.1:9", StringComparison.Ordinal))];

    private async Task LookUntilItEndsAsync()
    {
        try
        {
            for (var number = 0; ; number++)
                (await site.Http.GetAsync(new Uri(site.Address, Paths[number % Paths.Length]), TestContext.Current.CancellationToken)).Dispose();
        }
        catch (HttpRequestException)
        {
            // It was killed.
        }
    }

    /// <summary>Asks over one connection as Postfix does, and requires each answer.</summary>
    private async Task AskAsync(int lookups)
    {
        using var client = new TcpClient();
        await client.ConnectAsync(IPAddress.Loopback, site.LookupPort);
        var stream = client.GetStream();
        var request = Encoding.ASCII.GetBytes(Netstring($"tlspolicy {MonitoredSite.Key}"));
        var expected = Netstring("OK encrypt");
        var reply = new byte[expected.Length];
        for (var lookup = 0; lookup < lookups; lookup++)
        {
            await stream.WriteAsync(request);
            await stream.ReadExactlyAsync(reply);
            Assert.Equal(expected, Encoding.ASCII.GetString(reply));
        }
    }

    private static string Netstring(string text) => string.Create(CultureInfo.InvariantCulture, $"{text.Length}:{text},");

    /// <summary>The counters, as policyctl reads them from policyd.</summary>
    /// <param name="found">How many policies were found, which is waited for: the document is made once a second.</param>
    private async Task<Dictionary<string, long>> FiguresAsync(long? found = null)
    {
        Dictionary<string, long>? figures = null;
        await Until.TrueAsync($"policyd has counted {found} policies", async () =>
        {
            figures = Figures(await site.DoAsync("metrics"));
            return found is null || figures["found"] == found;
        }, () => $"counted: {figures?["found"]}");
        return figures!;
    }

    private static Dictionary<string, long> Figures(string metrics) => new(StringComparer.Ordinal)
    {
        ["found"] = Of(metrics, "answers_total{answer=\"found\"}"),
        ["temporary"] = Of(metrics, "answers_total{answer=\"temporary\"}"),
        ["permanent"] = Of(metrics, "answers_total{answer=\"permanent\"}"),
        ["protocol_errors"] = Of(metrics, "protocol_errors_total"),
        ["refused"] = Of(metrics, "connections_refused_total"),
        ["evicted"] = Of(metrics, "connections_evicted_total"),
    };

    private static long Of(string metrics, string name) => long.Parse(
        metrics.Split('\n').Single(line => line.StartsWith($"policydaemon_{name} ", StringComparison.Ordinal)).Split(' ')[^1], CultureInfo.InvariantCulture);
}
