using System.Text.RegularExpressions;
using Microsoft.Playwright;
using PolicyDaemon.Browser.Site;

namespace PolicyDaemon.Browser.Stories;

/// <summary>A certificate, an EHLO reply, a DNS name, a note and a reason that attack whoever looks at a page.</summary>
[Collection(typeof(Shown))]
public sealed partial class HostileStories(ShownSite site)
{
    /// <summary>The pages on which something hostile stands.</summary>
    public static TheoryData<string> Pages { get; } = ["overview", "destinations-found", "destination-hostile", "finding-hostile", "audit"];

    [Theory]
    [MemberData(nameof(Pages))]
    public async Task Hostile_text_is_shown_and_does_nothing(string name)
    {
        await using var watched = await site.Browser.OpenAsync(new PageView(Width: 360));
        await watched.GoAsync(SitePage.Of(site, name));
        await watched.Page.EvaluateAsync("() => document.querySelectorAll('details').forEach(details => details.open = true)");

        Assert.Contains("hostile.example", await watched.Page.Locator("main").InnerTextAsync(), StringComparison.Ordinal);
        Assert.Empty(watched.Complaints);
        Assert.True(await watched.Page.EvaluateAsync<bool>($"() => window.{HostileText.Trace} === undefined"));
        // Of elements there are none but the page's own.
        Assert.Empty(
            await watched.Page.EvaluateAsync<string[]>(
                """
                () => [...document.querySelectorAll("script, img, iframe, object, embed, base, style, link, *")].filter(element =>
                    ["IMG", "IFRAME", "OBJECT", "EMBED", "BASE", "STYLE"].includes(element.tagName)
                    || (element.tagName === "SCRIPT" && !element.src)
                    || [...element.attributes].some(attribute => attribute.name.startsWith("on") || attribute.name === "style" || /^\s*javascript:/i.test(attribute.value)))
                    .map(element => element.outerHTML.slice(0, 120))
                """));
        Assert.Equal("", await watched.OverflowAsync());
    }

    [Theory]
    [MemberData(nameof(Pages))]
    public async Task No_character_that_turns_or_hides_its_surroundings_gets_through(string name)
    {
        using var answer = await site.Http.GetAsync(SitePage.Of(site, name), TestContext.Current.CancellationToken);
        var html = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);

        Assert.Equal([], Turning().Matches(html).Select(match => $"U+{(int)match.Value[0]:X4} at {match.Index}").Take(5));
        // Whole sentences of the attacker would hide the page's own.
        Assert.DoesNotContain(new string('W', 2_000), html, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_certificate_and_the_transcript_are_there_to_read()
    {
        await using var watched = await site.Browser.OpenAsync(new PageView());
        await watched.GoAsync(SitePage.Of(site, "destination-hostile"));
        await watched.Page.EvaluateAsync("() => document.querySelectorAll('details').forEach(details => details.open = true)");
        var text = await watched.Page.Locator("main").InnerTextAsync();

        Assert.Contains("<script>window.", text, StringComparison.Ordinal);
        Assert.Contains("EHLO probe.mx7.example", text, StringComparison.Ordinal);
    }

    /// <summary>Were a fault to let markup through, the policy would stand in its way.</summary>
    [Fact]
    public async Task A_script_that_got_into_a_page_does_not_run_and_tells_nobody()
    {
        await using var watched = await site.Browser.OpenAsync(new PageView());
        await watched.Page.RouteAsync("**/*", async route =>
        {
            if (route.Request.ResourceType != "document")
            {
                await route.ContinueAsync();
                return;
            }

            var answer = await route.FetchAsync();
            var body = (await answer.TextAsync()).Replace("</main>", $"{HostileText.Markup}<iframe src=/></iframe><form action=https://evil.example/><button>x</button></form></main>", StringComparison.Ordinal);
            await route.FulfillAsync(new RouteFulfillOptions { Response = answer, Body = body });
        });
        await watched.GoAsync(site.Address);

        Assert.Equal(1, await watched.Page.Locator("main iframe").CountAsync());
        Assert.True(await watched.Page.EvaluateAsync<bool>($"() => window.{HostileText.Trace} === undefined"));
        Assert.Contains(watched.Complaints, complaint => complaint.Contains("Content Security Policy", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("/?since=<script>window.policydaemonWasHere=1</script>")]
    [InlineData("/destinations?q=%3Cscript%3Ewindow.policydaemonWasHere%3D1%3C%2Fscript%3E&after=%00%E2%80%AE")]
    [InlineData("/destinations?q=%00%3Cscript%3E&after=%27%3B%20DROP%20TABLE%20destination&level=%F0%9F%92%A9")]
    [InlineData("/audit?before=-99999999999999999999999&who=%22%3E%3Cimg%20src%3Dx%3E")]
    [InlineData("/audit?before=nonsense&since=yesterday")]
    [InlineData("/destinations/%3Cscript%3Ewindow.policydaemonWasHere%3D1%3C%2Fscript%3E")]
    [InlineData("/destinations/%2e%2e%2f%2e%2e%2fetc%2fpasswd")]
    [InlineData("/findings/999999999999999999999999")]
    [InlineData("/findings/-1")]
    [InlineData("/nothing/here")]
    public async Task Garbage_in_an_address_is_a_page(string path)
    {
        await using var watched = await site.Browser.OpenAsync(new PageView());
        var answer = await watched.Page.GotoAsync(site.Address.AbsoluteUri.TrimEnd('/') + path);

        Assert.Contains(answer!.Status, (int[])[200, 400, 404]);
        Assert.Equal(1, await watched.Page.Locator("h1").CountAsync());
        Assert.True(await watched.Page.EvaluateAsync<bool>($"() => window.{HostileText.Trace} === undefined"));
        Assert.DoesNotContain("   at PolicyDaemon", await watched.Page.Locator("body").InnerTextAsync(), StringComparison.Ordinal);
    }

    // Direction marks and overrides, isolates, zero-width characters, controls but for the end of a line and the tab.
    [GeneratedRegex("[\u200B\u200E\u200F\u202A-\u202E\u2028\u2029\u2060-\u2069\uFEFF\u0000-\u0008\u000B-\u001F\u007F-\u009F]")]
    private static partial Regex Turning();
}
