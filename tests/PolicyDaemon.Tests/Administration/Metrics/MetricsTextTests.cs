using PolicyDaemon.Administration.Metrics;
using Xunit;

namespace PolicyDaemon.Tests.Administration.Metrics;

public sealed class MetricsTextTests
{
    [Fact]
    public void A_counter_and_a_gauge_in_the_format_of_Prometheus()
    {
        var text = new MetricsText(MetricsFormat.Prometheus);
        text.Family("a_total", MetricType.Counter, "Of a.").Sample(3, ("x", "1"), ("y", "2")).Sample(0.5);
        text.Family("b", MetricType.Gauge, "Of b.").Sample(true);

        Assert.Equal(
            """
            # HELP policydaemon_a_total Of a.
            # TYPE policydaemon_a_total counter
            policydaemon_a_total{x="1",y="2"} 3
            policydaemon_a_total 0.5
            # HELP policydaemon_b Of b.
            # TYPE policydaemon_b gauge
            policydaemon_b 1

            """,
            text.ToString());
    }

    [Fact]
    public void OpenMetrics_names_a_counter_s_family_without_its_end_and_ends_the_text()
    {
        var text = new MetricsText(MetricsFormat.OpenMetrics);
        text.Family("a_total", MetricType.Counter, "Of a.").Sample(3);

        Assert.Equal(
            """
            # HELP policydaemon_a Of a.
            # TYPE policydaemon_a counter
            policydaemon_a_total 3
            # EOF

            """,
            text.ToString());
    }

    [Theory]
    [InlineData(MetricsFormat.Prometheus, "1")]
    [InlineData(MetricsFormat.OpenMetrics, "1.0")]
    public void A_histogram_has_its_buckets_the_sum_and_the_count(MetricsFormat format, string one)
    {
        var text = new MetricsText(format);
        text.Family("a_seconds", MetricType.Histogram, "Of a.").Histogram([0.5, 1], [2, 5], 6, 7.25);

        Assert.Contains(
            $$"""
            policydaemon_a_seconds_bucket{le="0.5"} 2
            policydaemon_a_seconds_bucket{le="{{one}}"} 5
            policydaemon_a_seconds_bucket{le="+Inf"} 6
            policydaemon_a_seconds_sum 7.25
            policydaemon_a_seconds_count 6

            """,
            text.ToString(), StringComparison.Ordinal);
    }

    /// <summary>The subject of a finding may be a path, and a path may have anything.</summary>
    [Fact]
    public void Whatever_stands_in_a_label_stays_in_it()
    {
        var text = new MetricsText(MetricsFormat.Prometheus);
        text.Family("a", MetricType.Gauge, "One\\two\nthree \"four\"").Sample(1, ("x", "a\"} 2\nb\\"));

        Assert.Equal(
            "# HELP policydaemon_a One\\\\two\\nthree \"four\"\n# TYPE policydaemon_a gauge\npolicydaemon_a{x=\"a\\\"} 2\\nb\\\\\"} 1\n", text.ToString());
    }

    [Theory]
    [InlineData(MetricsFormat.Prometheus)]
    [InlineData(MetricsFormat.OpenMetrics)]
    public void Beyond_64_KiB_whole_lines_are_left_out(MetricsFormat format)
    {
        var text = new MetricsText(format);
        text.Family("a", MetricType.Gauge, "Of a.");
        for (var count = 0; count < 2000; count++)
            text.Sample(count, ("x", new string('x', 100)));

        var written = text.ToString();
        Assert.InRange(written.Length, 60_000, MetricsText.MaxLength);
        Assert.All(written.Split('\n').Skip(2).SkipLast(format == MetricsFormat.OpenMetrics ? 2 : 1), line => Assert.Matches("^policydaemon_a{x=\"x{100}\"} [0-9]+$", line));
    }

    [Theory]
    [InlineData("a", MetricType.Counter)]
    [InlineData("a_total", MetricType.Gauge)]
    internal void A_counter_and_nothing_else_is_named_as_one(string name, MetricType type) =>
        Assert.Throws<ArgumentException>(() => new MetricsText(MetricsFormat.Prometheus).Family(name, type, "Of a."));
}
