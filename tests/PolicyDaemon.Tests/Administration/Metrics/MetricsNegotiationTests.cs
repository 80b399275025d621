using PolicyDaemon.Administration.Metrics;
using Xunit;

namespace PolicyDaemon.Tests.Administration.Metrics;

public sealed class MetricsNegotiationTests
{
    [Theory]
    [InlineData(null, false)]
    [InlineData("", false)]
    [InlineData("*/*", false)]
    [InlineData("text/html,application/xhtml+xml,*/*;q=0.8", false)]
    [InlineData("text/plain", false)]
    [InlineData("application/openmetrics-text", true)]
    [InlineData("Application/OpenMetrics-Text; Version=1.0.0; charset=utf-8", true)]
    // As Prometheus asks.
    [InlineData("application/openmetrics-text;version=1.0.0;q=0.5,application/openmetrics-text;version=0.0.1;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2", true)]
    [InlineData("text/plain;version=0.0.4;q=0.5,application/openmetrics-text;version=1.0.0;q=0.4", false)]
    [InlineData("application/openmetrics-text;version=0.0.1,text/plain;q=0.1", false)]
    [InlineData("application/openmetrics-text;q=0", false)]
    [InlineData(",;,application/openmetrics-text;;q=", true)]
    public void A_client_is_sent_what_it_asks_for(string? accept, bool isOpenMetrics) =>
        Assert.Equal(isOpenMetrics ? MetricsFormat.OpenMetrics : MetricsFormat.Prometheus, MetricsNegotiation.Choose(accept));

    [Fact]
    public void The_content_type_names_format_and_version()
    {
        Assert.Equal("application/openmetrics-text; version=1.0.0; charset=utf-8", MetricsNegotiation.ContentType(MetricsFormat.OpenMetrics));
        Assert.Equal("text/plain; version=0.0.4; charset=utf-8", MetricsNegotiation.ContentType(MetricsFormat.Prometheus));
    }
}
