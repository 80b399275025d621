using System.Globalization;
using PolicyDaemon.EndToEnd.Lab;

namespace PolicyDaemon.EndToEnd.Stories;

/// <summary>What is shipped for monitoring, with Debian's Prometheus: it takes our metrics, and our rules and our dashboard find data in it.</summary>
[Collection(typeof(HostPostfix))]
public sealed class MonitoringStories(HostPostfixLaboratory lab) : ServedStories(lab)
{
    private const int ExporterPort = 19101;
    private const int PrometheusPort = 19090;

    // A daemon with all that there can be, as the unit tests hold it to the code; the laboratory's daemon does not probe or discover.
    private static string Example => Path.Combine(Repository.Root, "tests", "PolicyDaemon.EndToEnd", "Data", "metrics.prom");

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Promtool_finds_nothing_to_say_of_the_metrics(bool isRunning)
    {
        await AddAsync("metrics.example", "encrypt");
        if (!isRunning)
            await Policyd.StopAsync();
        try
        {
            var metrics = await Policyd.DoAsync("metrics");

            Assert.Contains($"policydaemon_up {(isRunning ? 1 : 0)}\n", metrics, StringComparison.Ordinal);
            Assert.Equal("", (await Lab.Sandbox.RunAsync(["promtool", "check", "metrics"], metrics)).Require());
        }
        finally
        {
            if (!isRunning)
                await Policyd.StartAsync();
        }
    }

    [Fact]
    public async Task Promtool_checks_and_tests_the_rules()
    {
        (await Lab.Sandbox.RunAsync(["promtool", "check", "rules", ShippedMonitoring.Rules])).Require();
        (await Lab.Sandbox.RunAsync(["promtool", "test", "rules", Path.Combine(ShippedMonitoring.Folder, "policydaemon.test.yml")])).Require();
        Assert.Equal("", (await Lab.Sandbox.RunAsync(["promtool", "check", "metrics"], await File.ReadAllTextAsync(Example, TestContext.Current.CancellationToken))).Require());
    }

    [Fact]
    public async Task Prometheus_has_data_for_every_expression_of_the_rules_and_of_the_dashboard()
    {
        var folder = Path.Combine(Lab.Sandbox.Folder, "prometheus");
        Directory.CreateDirectory(folder);
        await AddAsync("scraped.example", "encrypt");
        await File.WriteAllTextAsync(Path.Combine(folder, "live"), await Policyd.DoAsync("metrics"), TestContext.Current.CancellationToken);
        // Its own figure of node_exporter's, whose files these are where they are shipped to.
        await File.WriteAllTextAsync(
            Path.Combine(folder, "example"),
            await File.ReadAllTextAsync(Example, TestContext.Current.CancellationToken) + "node_textfile_mtime_seconds{file=\"/var/lib/prometheus/node-exporter/policydaemon.prom\"} 1\n",
            TestContext.Current.CancellationToken);
        await File.WriteAllTextAsync(Path.Combine(folder, "prometheus.yml"), $"""
            global:
              scrape_interval: 1s
              evaluation_interval: 1s
            rule_files: ["{ShippedMonitoring.Rules}"]
            scrape_configs:
              - job_name: live
                metrics_path: /live
                static_configs: [targets: ["127.0.0.1:{ExporterPort}"]]
              - job_name: example
                metrics_path: /example
                static_configs: [targets: ["127.0.0.1:{ExporterPort}"]]

            """, TestContext.Current.CancellationToken);
        await using var exporter = Lab.Sandbox.Start(
            ["python3", "-m", "http.server", "--bind", "127.0.0.1", "--directory", folder, ExporterPort.ToString(CultureInfo.InvariantCulture)]);
        await using var prometheus = Lab.Sandbox.Start(
        [
            "prometheus", $"--config.file={folder}/prometheus.yml", $"--storage.tsdb.path={folder}/data",
            string.Create(CultureInfo.InvariantCulture, $"--web.listen-address=127.0.0.1:{PrometheusPort}"),
        ]);
        await Until.TrueAsync(
            "Prometheus has scraped both", async () => await HasDataAsync("rate(policydaemon_answers_total{job=\"example\"}[5m])")
                && await HasDataAsync("policydaemon_up{job=\"live\"} == 1"), () => prometheus.Said);

        var (series, panels) = (ShippedMonitoring.Selectors(), ShippedMonitoring.Expressions());
        Assert.Empty(await ShippedMonitoring.WithoutDataAsync([.. series, .. panels], HasDataAsync));
        Assert.True(panels.Count > 15 && series.Count > 15, "rules and dashboard were read");
    }

    private async Task<bool> HasDataAsync(string expression)
    {
        var answer = await Lab.Sandbox.RunAsync(
            ["promtool", "query", "instant", string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{PrometheusPort}"), expression]);
        return answer.ExitCode == 0 && answer.Output.Contains("=>", StringComparison.Ordinal);
    }
}
