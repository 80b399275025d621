using System.Net;
using PolicyDaemon.Tests.Store;
using Xunit;

namespace PolicyDaemon.Tests.Web;

/// <summary>What every request passes and every response carries, over the socket.</summary>
public sealed class RequestGuardTests
{
    [Theory]
    [InlineData("/", HttpStatusCode.OK)]
    [InlineData("/metrics", HttpStatusCode.OK)]
    [InlineData("/nothing/here", HttpStatusCode.NotFound)]
    [InlineData("/style.css", HttpStatusCode.OK)]
    public async Task Every_response_carries_the_headers(string path, HttpStatusCode status)
    {
        await using var session = await WebSession.StartAsync();

        using var answer = await session.Client.GetAsync(new Uri(path, UriKind.Relative), TestContext.Current.CancellationToken);

        Assert.Equal(status, answer.StatusCode);
        Assert.Equal(
            "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; frame-ancestors 'none'",
            Assert.Single(answer.Headers.GetValues("Content-Security-Policy")));
        Assert.Equal("nosniff", Assert.Single(answer.Headers.GetValues("X-Content-Type-Options")));
        Assert.Equal("no-referrer", Assert.Single(answer.Headers.GetValues("Referrer-Policy")));
        Assert.Equal(path == "/style.css" ? "no-cache" : "no-store", answer.Headers.CacheControl?.ToString());
        Assert.False(answer.Headers.Contains("Server"));
    }

    [Theory]
    [InlineData("POST")]
    [InlineData("PUT")]
    [InlineData("DELETE")]
    [InlineData("OPTIONS")]
    [InlineData("TRACE")]
    public async Task Nothing_but_get_and_head_is_taken(string method)
    {
        await using var session = await WebSession.StartAsync();
        using var request = new HttpRequestMessage(new HttpMethod(method), "/");

        using var answer = await session.Client.SendAsync(request, TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.MethodNotAllowed, answer.StatusCode);
        Assert.Equal("GET, HEAD", string.Join(", ", answer.Content.Headers.Allow));
    }

    [Theory]
    [InlineData("/")]
    [InlineData("/style.css")]
    public async Task Head_is_get_without_its_body(string path)
    {
        await using var session = await WebSession.StartAsync();
        using var request = new HttpRequestMessage(HttpMethod.Head, path);

        using var answer = await session.Client.SendAsync(request, TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.True(answer.Content.Headers.ContentLength > 0);
        Assert.Empty(await answer.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData("localhost", true)]
    [InlineData("localhost:8464", true)]
    [InlineData("LOCALHOST", true)]
    [InlineData("127.0.0.1:8464", true)]
    [InlineData("[::1]:8464", true)]
    [InlineData("status.example.com", true)]
    [InlineData("evil.example", false)]
    [InlineData("localhost.evil.example", false)]
    [InlineData("192.0.2.1", false)]
    [InlineData("<script>", false)]
    public async Task Only_names_that_are_ours_are_answered(string host, bool allowed)
    {
        await using var session = await WebSession.StartAsync(more: "hosts = status.example.com");
        using var request = new HttpRequestMessage(HttpMethod.Get, "/");
        request.Headers.TryAddWithoutValidation("Host", host);

        using var answer = await session.Client.SendAsync(request, TestContext.Current.CancellationToken);

        var text = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        if (allowed)
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        else
            Assert.True(answer.StatusCode is HttpStatusCode.MisdirectedRequest or HttpStatusCode.BadRequest, $"{answer.StatusCode}");
        Assert.DoesNotContain("<script>", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_stylesheet_that_is_known_is_not_sent_again()
    {
        await using var session = await WebSession.StartAsync();
        using var first = await session.Client.GetAsync(new Uri("/style.css", UriKind.Relative), TestContext.Current.CancellationToken);
        using var request = new HttpRequestMessage(HttpMethod.Get, "/style.css");
        request.Headers.IfNoneMatch.Add(first.Headers.ETag!);

        using var second = await session.Client.SendAsync(request, TestContext.Current.CancellationToken);

        Assert.Equal(HttpStatusCode.NotModified, second.StatusCode);
        Assert.Equal(first.Headers.ETag, second.Headers.ETag);
    }

    [Fact]
    public async Task The_socket_is_its_group_s_and_goes_with_the_program()
    {
        string path;
        await using (var session = await WebSession.StartAsync())
        {
            path = session.Socket;
            Assert.Equal(
                UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.GroupWrite, File.GetUnixFileMode(path));
        }

        Assert.False(File.Exists(path));
    }

    [Fact]
    public async Task A_store_that_is_not_there_is_said_on_the_page()
    {
        await using var session = await WebSession.StartAsync();

        Assert.Contains("no such store", await session.GetAsync("/"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_overview_of_a_store_is_a_page()
    {
        using var store = new TemporaryStore();
        await using var session = await WebSession.StartAsync(store.Path, store.Time);

        Assert.DoesNotContain("cannot be read", await session.GetAsync("/"), StringComparison.Ordinal);
    }
}
