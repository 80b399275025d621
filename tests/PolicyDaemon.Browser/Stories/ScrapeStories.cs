using System.Globalization;
using PolicyDaemon.Browser.Site;

namespace PolicyDaemon.Browser.Stories;

/// <summary>Debian's Prometheus scrapes policyd-web, as packaging/monitoring/prometheus.yml says, and the shipped rules and dashboard find data.</summary>
[Collection(typeof(Monitored))]
public sealed class ScrapeStories(MonitoredSite site)
{
    [Fact]
    public async Task Prometheus_scrapes_for_a_minute_and_every_expression_has_an_answer()
    {
        var port = RunningSite.FreePort();
        var folder = Directory.CreateDirectory(Path.Combine(site.Place, "prometheus")).FullName;
        // The shipped job, with the address of this site, and often.
        var job = (await File.ReadAllTextAsync(Path.Combine(ShippedMonitoring.Folder, "prometheus.yml"), TestContext.Current.CancellationToken))
            .Replace("127.0.0.1:8464", site.Address.Authority, StringComparison.Ordinal)
            .Replace("scrape_interval: 30s", "scrape_interval: 1s", StringComparison.Ordinal)
            .Replace("rules/policydaemon.rules.yml", ShippedMonitoring.Rules, StringComparison.Ordinal);
        Assert.Contains(site.Address.Authority, job, StringComparison.Ordinal);
        await File.WriteAllTextAsync(
            Path.Combine(folder, "prometheus.yml"), "global:\n  evaluation_interval: 1s\n" + job, TestContext.Current.CancellationToken);
        await using var prometheus = new RunningProcess(
        [
            "prometheus", $"--config.file={folder}/prometheus.yml", $"--storage.tsdb.path={folder}/data",
            string.Create(CultureInfo.InvariantCulture, $"--web.listen-address=127.0.0.1:{port}"),
        ], entered: false);
        for (var lookup = 0; lookup < 20; lookup++)
            await site.RunAsync("query", lookup % 2 == 0 ? MonitoredSite.Key : "nobody.example");

        // Counted in scrapes; a minute of them as Prometheus' own clock has it.
        await Until.TrueAsync(
            "Prometheus has scraped for a minute", async () => await HasDataAsync(port, "count_over_time(policydaemon_up[5m]) >= 60"), () => prometheus.Said,
            TimeSpan.FromMinutes(3));

        Assert.True(await HasDataAsync(port, "min_over_time(up{job=\"policydaemon\"}[5m]) == 1"), "no scrape failed");
        Assert.True(await HasDataAsync(port, "policydaemon_up == 1"));
        // What node_exporter says of its files is not ours to say here.
        var series = ShippedMonitoring.Selectors().Where(selector => !selector.StartsWith("node_", StringComparison.Ordinal)).ToList();
        var panels = ShippedMonitoring.Expressions();
        Assert.Empty(await ShippedMonitoring.WithoutDataAsync([.. series, .. panels], expression => HasDataAsync(port, expression)));
        Assert.True(panels.Count > 15 && series.Count > 15, "rules and dashboard were read");
    }

    private static async Task<bool> HasDataAsync(int port, string expression)
    {
        var answer = await CommandLine.RunAsync(
            ["promtool", "query", "instant", string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}"), expression]);
        return answer.ExitCode == 0 && answer.Output.Contains("=>", StringComparison.Ordinal);
    }
}
