using System.Net;
using System.Net.Http.Headers;
using PolicyDaemon.Browser.Site;

namespace PolicyDaemon.Browser.Stories;

/// <summary>What goes over the wire, as policyd-web(8) describes it.</summary>
[Collection(typeof(Shown))]
public sealed class HttpStories(ShownSite site)
{
    [Theory]
    [MemberData(nameof(SitePage.Names), MemberType = typeof(SitePage))]
    public async Task A_page_carries_the_headers_that_protect_it_and_is_kept_nowhere(string name)
    {
        using var answer = await site.Http.GetAsync(SitePage.Of(site, name), TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal("text/html; charset=utf-8", answer.Content.Headers.ContentType?.ToString());
        Assert.Equal(
            "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; frame-ancestors 'none'",
            Assert.Single(answer.Headers.GetValues("Content-Security-Policy")));
        Assert.Equal("nosniff", Assert.Single(answer.Headers.GetValues("X-Content-Type-Options")));
        Assert.Equal("no-referrer", Assert.Single(answer.Headers.GetValues("Referrer-Policy")));
        Assert.Equal("no-store", answer.Headers.CacheControl?.ToString());
        Assert.Null(answer.Headers.ETag);
        Assert.False(answer.Headers.Contains("Server"));
        Assert.False(answer.Headers.Contains("Set-Cookie"));
        Assert.InRange((await answer.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken)).Length, 500, 100 * 1024);
    }

    [Fact]
    public async Task The_files_of_a_page_are_asked_for_again_by_their_tag()
    {
        var page = await site.Http.GetStringAsync(site.Address, TestContext.Current.CancellationToken);
        var files = System.Text.RegularExpressions.Regex.Matches(page, "<(?:link|script)[^>]*(?:href|src)=\"([^\"]+)\"").Select(match => match.Groups[1].Value).ToList();
        Assert.True(files.Count >= 2, "the page has a stylesheet and a script");
        foreach (var file in files)
        {
            using var first = await site.Http.GetAsync(new Uri(site.Address, file), TestContext.Current.CancellationToken);
            Assert.Equal(HttpStatusCode.OK, first.StatusCode);
            Assert.NotNull(first.Headers.ETag);
            if (file.Contains(".js", StringComparison.Ordinal))
                Assert.InRange((await first.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken)).Length, 100, 4096);

            using var again = new HttpRequestMessage(HttpMethod.Get, new Uri(site.Address, file));
            again.Headers.IfNoneMatch.Add(first.Headers.ETag);
            using var second = await site.Http.SendAsync(again, TestContext.Current.CancellationToken);
            Assert.Equal(HttpStatusCode.NotModified, second.StatusCode);
            Assert.Empty(await second.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken));
        }
    }

    [Theory]
    [InlineData("evil.example", HttpStatusCode.MisdirectedRequest)]
    [InlineData("127.0.0.1.evil.example", HttpStatusCode.MisdirectedRequest)]
    [InlineData("192.0.2.1", HttpStatusCode.MisdirectedRequest)]
    [InlineData("localhost", HttpStatusCode.OK)]
    [InlineData("127.0.0.1:8464", HttpStatusCode.OK)]
    [InlineData("[::1]:8464", HttpStatusCode.OK)]
    public async Task A_page_is_shown_under_its_own_names_only(string host, HttpStatusCode status)
    {
        foreach (var path in (string[])["/", "/metrics", "/destinations"])
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(site.Address, path));
            request.Headers.Host = host;
            using var answer = await site.Http.SendAsync(request, TestContext.Current.CancellationToken);
            Assert.Equal(status, answer.StatusCode);
            if (status != HttpStatusCode.OK)
                Assert.DoesNotContain("partner.example", await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("POST")]
    [InlineData("PUT")]
    [InlineData("DELETE")]
    [InlineData("PATCH")]
    [InlineData("OPTIONS")]
    public async Task Nothing_can_be_changed(string method)
    {
        var head = await site.DoAsync("audit");
        foreach (var path in (string[])["/", "/destinations/" + ShownStore.Changed, "/metrics"])
        {
            using var request = new HttpRequestMessage(new HttpMethod(method), new Uri(site.Address, path));
            using var answer = await site.Http.SendAsync(request, TestContext.Current.CancellationToken);
            Assert.Equal(HttpStatusCode.MethodNotAllowed, answer.StatusCode);
            Assert.Equal(["GET", "HEAD"], answer.Content.Headers.Allow);
        }

        Assert.Equal(head, await site.DoAsync("audit"));
    }

    [Fact]
    public async Task HEAD_tells_what_GET_would()
    {
        using var request = new HttpRequestMessage(HttpMethod.Head, new Uri(site.Address, "/destinations"));
        using var answer = await site.Http.SendAsync(request, TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.True(answer.Content.Headers.ContentLength > 500, "the length is that of the page");
        Assert.Empty(await answer.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task The_metrics_are_what_promtool_expects_and_what_policyctl_prints()
    {
        using var answer = await site.Http.GetAsync(new Uri(site.Address, "/metrics"), TestContext.Current.CancellationToken);
        var metrics = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);

        Assert.StartsWith("text/plain; version=0.0.4", answer.Content.Headers.ContentType?.ToString(), StringComparison.Ordinal);
        Assert.InRange(metrics.Length, 1000, 64 * 1024);
        Assert.Contains("policydaemon_up 1\n", metrics, StringComparison.Ordinal);
        Assert.Equal("", (await CommandLine.RunAsync(["promtool", "check", "metrics"], metrics)).Require());
        Assert.Equal(Names(await site.DoAsync("metrics")), Names(metrics));
    }

    [Fact]
    public async Task Who_asks_for_OpenMetrics_gets_it()
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(site.Address, "/metrics"));
        request.Headers.Accept.Add(MediaTypeWithQualityHeaderValue.Parse("application/openmetrics-text;version=1.0.0;q=0.9"));
        request.Headers.Accept.Add(MediaTypeWithQualityHeaderValue.Parse("text/plain;q=0.5"));
        using var answer = await site.Http.SendAsync(request, TestContext.Current.CancellationToken);

        Assert.StartsWith("application/openmetrics-text; version=1.0.0", answer.Content.Headers.ContentType?.ToString(), StringComparison.Ordinal);
        Assert.EndsWith("# EOF\n", await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }

    private static IEnumerable<string> Names(string metrics) => metrics.Split('\n').Where(line => line.StartsWith("# TYPE ", StringComparison.Ordinal)).Order(StringComparer.Ordinal);
}
