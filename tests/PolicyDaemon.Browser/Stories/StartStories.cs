using System.Globalization;
using System.Net;
using PolicyDaemon.Browser.Site;

namespace PolicyDaemon.Browser.Stories;

/// <summary>policyd-web started otherwise than by its unit.</summary>
[Collection(typeof(Monitored))]
public sealed class StartStories(MonitoredSite site)
{
    private const string SomebodyElse = "nobody";

    [Fact]
    public async Task Whoever_may_not_read_the_store_is_told_so_on_every_page_and_in_metrics()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "only root can become another user");
        var (configuration, address) = await ConfigureAsync();
        await using var web = new RunningProcess(
            ["setpriv", "--reuid=" + SomebodyElse, "--regid=nogroup", "--clear-groups", RunningSite.PolicydWeb, "--config", configuration], entered: false);
        await AnswersAsync(web, address);

        foreach (var (path, status) in (IEnumerable<(string, HttpStatusCode)>)
        [
            ("/", HttpStatusCode.OK), ("/destinations", HttpStatusCode.ServiceUnavailable), ("/audit", HttpStatusCode.ServiceUnavailable),
            ("/metrics", HttpStatusCode.ServiceUnavailable),
        ])
        {
            using var answer = await site.Http.GetAsync(new Uri(address, path), TestContext.Current.CancellationToken);
            var text = WebUtility.HtmlDecode(await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));

            Assert.True(status == answer.StatusCode, $"{path}: {answer.StatusCode}\n{text}");
            Assert.Contains(
                path == "/metrics" ? "no permission to ask policyd" : $"The store cannot be read: {site.Store}: access denied; run as root, or join the group policydaemon",
                text, StringComparison.Ordinal);
            Assert.DoesNotContain(MonitoredSite.Key, text, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_terminal_is_told_nothing_but_lines()
    {
        var (configuration, address) = await ConfigureAsync();
        // script(1) gives it a terminal, and passes on every octet.
        await using var web = new RunningProcess(
            ["script", "--quiet", "--flush", "--return", "--command", $"exec '{RunningSite.PolicydWeb}' --config '{configuration}'", "/dev/null"], entered: false);
        await AnswersAsync(web, address);
        await Until.TrueAsync("its first line is there", () => Task.FromResult(web.Said.Contains("Serving pages", StringComparison.Ordinal)), () => web.Said);

        Assert.DoesNotContain("\u001b", web.Said, StringComparison.Ordinal);
    }

    /// <summary>A configuration for one of its own, where another user may read it, over the site's store.</summary>
    private async Task<(string Configuration, Uri Address)> ConfigureAsync()
    {
        var folder = Path.Combine(site.Place, "beside");
        Directory.CreateDirectory(folder);
        foreach (var each in (string[])[site.Place, folder])
            File.SetUnixFileMode(each, File.GetUnixFileMode(each) | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute);
        var port = RunningSite.FreePort();
        var configuration = Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"{port}.conf"));
        await File.WriteAllTextAsync(
            configuration, string.Create(CultureInfo.InvariantCulture, $"[store]\ndatabase = {site.Store}\nstatus_file = {site.Place}/status\n[web]\nlisten = inet:127.0.0.1:{port}\n"));
        File.SetUnixFileMode(configuration, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.OtherRead);
        return (configuration, new Uri(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}/")));
    }

    private Task AnswersAsync(RunningProcess web, Uri address) => Until.TrueAsync("policyd-web answers", async () =>
    {
        if (web.HasExited) throw new InvalidOperationException($"policyd-web ended:\n{web.Said}");
        try
        {
            using var answer = await site.Http.GetAsync(address);
            return true;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }, () => web.Said);
}
