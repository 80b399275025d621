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

    [Fact]
    public async Task The_textfile_collector_of_node_exporter_reads_what_the_shipped_unit_writes()
    {
        var folder = Directory.CreateDirectory(Path.Combine(site.Place, "textfile")).FullName;
        var unit = await File.ReadAllLinesAsync(Path.Combine(ShippedMonitoring.Folder, "policydaemon-textfile.service"), TestContext.Current.CancellationToken);
        var command = unit.Single(line => line.StartsWith("ExecStart=/bin/sh -c '", StringComparison.Ordinal))["ExecStart=/bin/sh -c '".Length..].TrimEnd('\'');
        Assert.Contains("policyctl metrics", command, StringComparison.Ordinal);
        (await CommandLine.RunAsync(
            ["env", "TEXTFILE_DIRECTORY=" + folder, "/bin/sh", "-c", command.Replace("policyctl metrics", $"{site.Policyctl} metrics", StringComparison.Ordinal)])).Require();
        var port = RunningSite.FreePort();
        await using var exporter = new RunningProcess(
        [
            "prometheus-node-exporter", "--collector.disable-defaults", "--collector.textfile", $"--collector.textfile.directory={folder}",
            string.Create(CultureInfo.InvariantCulture, $"--web.listen-address=127.0.0.1:{port}"),
        ], entered: false);
        var metrics = "";
        await Until.TrueAsync("node_exporter answers", async () =>
        {
            try
            {
                metrics = await site.Http.GetStringAsync(new Uri(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}/metrics")));
                return true;
            }
            catch (HttpRequestException)
            {
                return false;
            }
        }, () => exporter.Said);

        Assert.Contains("\nnode_textfile_scrape_error 0\n", metrics, StringComparison.Ordinal);
        Assert.Contains("\npolicydaemon_up 1\n", metrics, StringComparison.Ordinal);
        Assert.Contains("\nnode_textfile_mtime_seconds{file=\"" + folder, metrics, StringComparison.Ordinal);
        // Each series that is written is read.
        var written = (await File.ReadAllLinesAsync(Path.Combine(folder, "policydaemon.prom"), TestContext.Current.CancellationToken))
            .Where(line => line.Length > 0 && line[0] != '#').Select(line => line[..line.IndexOfAny(['{', ' '])]).Distinct().ToList();
        Assert.All(written, name => Assert.Matches($"(?m)^{name}[{{ ]", metrics));
        Assert.True(written.Count > 30, "the file was read");
    }

    private static async Task<bool> HasDataAsync(int port, string expression)
    {
        var answer = await CommandLine.RunAsync(
            ["promtool", "query", "instant", string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{port}"), expression]);
        return answer.ExitCode == 0 && answer.Output.Contains("=>", StringComparison.Ordinal);
    }
}
