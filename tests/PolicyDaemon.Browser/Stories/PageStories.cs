using Deque.AxeCore.Commons;
using Deque.AxeCore.Playwright;
using Microsoft.Playwright;
using PolicyDaemon.Browser.Site;

namespace PolicyDaemon.Browser.Stories;

/// <summary>Every page, as people look at it.</summary>
[Collection(typeof(Shown))]
public sealed class PageStories(ShownSite site)
{
    private static string PictureOfReadme => Path.Combine(Repository.Root, "tests", "PolicyDaemon.Browser", "destination.png");

    [Theory]
    [MemberData(nameof(SitePage.InBothSchemes), MemberType = typeof(SitePage))]
    public async Task A_page_is_accessible_and_the_browser_has_nothing_to_complain_of(string name, bool dark)
    {
        await using var watched = await site.Browser.OpenAsync(new PageView(Dark: dark));
        await watched.GoAsync(SitePage.Of(site, name));

        Assert.Empty(watched.Complaints);
        Assert.Equal("", await watched.OverflowAsync());
        Assert.Equal(1, await watched.Page.Locator("h1").CountAsync());
        // What is folded is read, too.
        await OpenAllAsync(watched.Page);
        var result = await watched.Page.RunAxe();
        Assert.Equal("", string.Join("\n", result.Violations.Select(Shown)));
        Assert.True(result.Passes.Length > 10, "axe looked at the page");
        await watched.PictureAsync($"{name}-{(dark ? "dark" : "light")}");
        if (name == "destination" && !dark && Environment.GetEnvironmentVariable("UPDATE_PICTURE") is { Length: > 0 })
            await ShowInReadmeAsync();
    }

    [Theory]
    [MemberData(nameof(SitePage.Names), MemberType = typeof(SitePage))]
    public async Task A_page_fits_a_telephone(string name)
    {
        await using var watched = await site.Browser.OpenAsync(new PageView(Width: 360));
        await watched.GoAsync(SitePage.Of(site, name));

        Assert.Equal("", await watched.OverflowAsync());
        await OpenAllAsync(watched.Page);
        Assert.Equal("", await watched.OverflowAsync());
        await watched.PictureAsync($"{name}-360");
    }

    [Fact]
    public async Task On_a_telephone_tiles_have_room_for_ten_million_and_the_keys_at_each_address_are_all_in_sight()
    {
        await using var watched = await site.Browser.OpenAsync(new PageView(Width: 360));

        await watched.GoAsync(SitePage.Of(site, "overview"));
        Assert.Equal("", await watched.Page.EvaluateAsync<string>(
            """
            () => [...document.querySelectorAll(".tiles li")].filter(tile => {
                tile.querySelector(".figure").textContent = "10,000,000";
                return tile.scrollWidth > tile.clientWidth;
            }).map(tile => tile.textContent).join(" | ")
            """));

        await watched.GoAsync(SitePage.Of(site, "destination"));
        Assert.True(await watched.Page.EvaluateAsync<bool>(
            "() => { const matrix = document.querySelector('[aria-label=\"Addresses and keys\"]'); return matrix.scrollWidth <= matrix.clientWidth; }"));
    }

    [Theory]
    [MemberData(nameof(SitePage.Names), MemberType = typeof(SitePage))]
    public async Task A_page_says_the_same_without_scripts(string name)
    {
        await using var with = await site.Browser.OpenAsync(new PageView());
        await using var without = await site.Browser.OpenAsync(new PageView(Scripts: false));
        var (expected, actual) = ("", "");
        // A second may pass between the two, and the table of lookups has a row for each.
        for (var attempt = 0; attempt < 10 && (attempt == 0 || expected != actual); attempt++)
        {
            await with.GoAsync(SitePage.Of(site, name));
            await without.GoAsync(SitePage.Of(site, name));
            (expected, actual) = (await CountsAsync(with.Page), await CountsAsync(without.Page));
        }

        Assert.Empty(without.Complaints);
        Assert.Equal(expected, actual);
        Assert.NotEqual("", await without.Page.Locator("main").InnerTextAsync());
    }

    [Theory]
    [MemberData(nameof(SitePage.Names), MemberType = typeof(SitePage))]
    public async Task A_page_can_be_printed(string name)
    {
        await using var watched = await site.Browser.OpenAsync(new PageView(Dark: true));
        await watched.GoAsync(SitePage.Of(site, name));
        await watched.Page.EmulateMediaAsync(new PageEmulateMediaOptions { Media = Media.Print });

        // Black on white whatever the screen was, and nothing that only a screen has a use for.
        var colours = await watched.Page.EvaluateAsync<double[]>(
            """
            () => [getComputedStyle(document.body).color, getComputedStyle(document.body).backgroundColor].map(colour => {
                const parts = colour.match(/[\d.]+/g).map(Number);
                return parts.length === 4 && parts[3] === 0 ? 255 : (parts[0] + parts[1] + parts[2]) / 3;
            })
            """);
        Assert.True(colours[0] < 80 && colours[1] > 240, string.Join(' ', colours));
        Assert.False(await watched.Page.Locator("nav").First.IsVisibleAsync());
        // Paper has nothing to click on: numbers and further findings are there, without a script, too.
        var folded = await watched.Page.EvaluateAsync<string[]>(
            """
            () => [...document.querySelectorAll("main details > :not(summary)")].filter(part => !part.checkVisibility({ contentVisibilityAuto: true }) || part.getBoundingClientRect().height === 0)
                .map(part => part.outerHTML.slice(0, 200))
            """);
        Assert.Equal("", string.Join("\n", folded));
        var paper = await watched.Page.PdfAsync(new PagePdfOptions { Format = "A4", Path = Path.Combine(PageBrowser.Pictures, name + ".pdf") });
        Assert.Equal("%PDF"u8, paper.AsSpan(0, 4));
    }

    [Theory]
    [MemberData(nameof(SitePage.Names), MemberType = typeof(SitePage))]
    public async Task A_picture_has_a_name_and_its_numbers_as_a_table(string name)
    {
        await using var watched = await site.Browser.OpenAsync(new PageView());
        await watched.GoAsync(SitePage.Of(site, name));

        var bare = await watched.Page.EvaluateAsync<string[]>(
            """
            () => [...document.querySelectorAll("main svg:not([aria-hidden=true])")].filter(picture => {
                const name = picture.getAttribute("aria-label") ?? "";
                // One that is a cell of a table has its numbers in its name.
                if (picture.closest("td")) return !/[0-9]/.test(name);
                const beside = picture.closest("figure")?.closest("section") ?? picture.closest("figure");
                return name === "" || !beside || !beside.querySelector("table tbody tr td");
            }).map(picture => picture.outerHTML.slice(0, 200))
            """);
        Assert.Equal("", string.Join("\n", bare));
        if (name is "overview" or "destination" or "audit")
            Assert.NotEqual(0, await watched.Page.Locator("main figure svg").CountAsync());
    }

    [Theory]
    [MemberData(nameof(SitePage.Names), MemberType = typeof(SitePage))]
    public async Task A_page_can_be_used_with_the_keyboard_alone(string name)
    {
        await using var watched = await site.Browser.OpenAsync(new PageView());
        await watched.GoAsync(SitePage.Of(site, name));
        var page = watched.Page;
        var reachable = await page.EvaluateAsync<int>(
            """
            () => {
                const visible = element => element.checkVisibility({ visibilityProperty: true });
                const all = [...document.querySelectorAll("a[href], button, summary, input:not([type=hidden]), select, [tabindex='0']")].filter(visible);
                all.forEach((element, index) => element.dataset.number = index);
                return all.length;
            }
            """);
        var reached = new HashSet<string>(StringComparer.Ordinal);
        var unmarked = new List<string>();
        await page.Keyboard.PressAsync("Tab");
        Assert.Equal("#main", await page.EvaluateAsync<string>("() => document.activeElement.getAttribute('href')"));
        Assert.True(await page.EvaluateAsync<bool>("() => document.activeElement.getBoundingClientRect().top >= 0"), "the skip link is seen when it has the focus");
        for (var press = 0; press < reachable + 5; press++)
        {
            var (number, mark) = Split(await page.EvaluateAsync<string>(
                """
                () => {
                    const element = document.activeElement, style = getComputedStyle(element);
                    const marked = (style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0) || style.boxShadow !== "none";
                    return (element.dataset.number ?? "") + "\n" + (marked ? "" : element.outerHTML.slice(0, 120));
                }
                """));
            if (number.Length == 0)
                break;
            reached.Add(number);
            if (mark.Length > 0)
                unmarked.Add(mark);
            await page.Keyboard.PressAsync("Tab");
        }

        Assert.Empty(unmarked);
        Assert.Equal(reachable, reached.Count);
    }

    /// <summary>Made anew by UPDATE_PICTURE=1 in the environment.</summary>
    [Fact]
    public void The_picture_of_the_README_is_small() => Assert.InRange(new FileInfo(PictureOfReadme).Length, 5_000, 150_000);

    [Fact]
    public async Task The_skip_link_leads_to_the_content()
    {
        await using var watched = await site.Browser.OpenAsync(new PageView());
        await watched.GoAsync(site.Address);
        await watched.Page.Keyboard.PressAsync("Tab");
        await watched.Page.Keyboard.PressAsync("Enter");
        await watched.Page.Keyboard.PressAsync("Tab");

        Assert.True(await watched.Page.EvaluateAsync<bool>("() => document.querySelector('main').contains(document.activeElement)"));
    }

    [Fact]
    public async Task Every_link_leads_somewhere()
    {
        var seen = new HashSet<string>(StringComparer.Ordinal) { "/" };
        var waiting = new Queue<string>(seen);
        var broken = new List<string>();
        while (waiting.TryDequeue(out var path) && seen.Count < 400)
        {
            using var answer = await site.Http.GetAsync(new Uri(site.Address, path), TestContext.Current.CancellationToken);
            var text = await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
            // A key that Postfix asks for and that has no entry, of which a finding speaks: its page says what it is answered all the same.
            if ((int)answer.StatusCode != 200 && !(path.StartsWith("/destinations/", StringComparison.Ordinal) && text.Contains("What Postfix is told", StringComparison.Ordinal)))
                broken.Add($"{(int)answer.StatusCode} {path}");
            if (answer.Content.Headers.ContentType?.MediaType != "text/html")
                continue;
            foreach (var link in Links(text))
            {
                if (link.StartsWith('/') && seen.Add(link))
                    waiting.Enqueue(link);
            }
        }

        Assert.Empty(broken);
        Assert.True(seen.Count > 100, "links were found");
    }

    [Fact]
    public async Task An_open_page_brings_itself_up_to_date()
    {
        await using var watched = await site.Browser.OpenAsync(new PageView());
        await watched.Page.Clock.InstallAsync();
        await watched.GoAsync(site.Address);
        var before = await watched.Page.Locator("#at").InnerTextAsync();
        await Until.TrueAsync("the page says another time", async () =>
        {
            await watched.Page.Clock.RunForAsync(30_000);
            return await watched.Page.Locator("#at").InnerTextAsync() != before;
        });
        Assert.Empty(watched.Complaints);
    }

    /// <summary>The picture of README.md: the upper part of a destination's page.</summary>
    private async Task ShowInReadmeAsync()
    {
        await using var watched = await site.Browser.OpenAsync(new PageView(Width: 1000));
        await watched.GoAsync(SitePage.Of(site, "destination"));
        await watched.Page.ScreenshotAsync(new PageScreenshotOptions { FullPage = true, Path = PictureOfReadme, Clip = new Clip { X = 0, Y = 0, Width = 1000, Height = 900 } });
    }

    private static Task<int> OpenAllAsync(IPage page) => page.EvaluateAsync<int>(
        "() => { const all = document.querySelectorAll('details'); all.forEach(details => details.open = true); return all.length; }");

    private static Task<string> CountsAsync(IPage page) => page.EvaluateAsync<string>(
        "() => ['h1', 'h2', 'h3', 'p', 'a', 'tr', 'svg', 'details', 'form'].map(name => name + ' ' + document.querySelectorAll('main ' + name).length).join(', ')");

    private static string Shown(AxeResultItem violation) =>
        $"{violation.Id}: {violation.Help}: {string.Join(" | ", violation.Nodes.Take(3).Select(node => $"{node.Target} {node.Html[..Math.Min(160, node.Html.Length)]}"))}";

    private static (string First, string Second) Split(string text) => (text[..text.IndexOf('\n', StringComparison.Ordinal)], text[(text.IndexOf('\n', StringComparison.Ordinal) + 1)..]);

    private static IEnumerable<string> Links(string html) => System.Text.RegularExpressions.Regex.Matches(html, "(?:href|src)=\"([^\"#]*)")
        .Select(match => System.Net.WebUtility.HtmlDecode(match.Groups[1].Value)).Where(link => link.Length > 0);
}
