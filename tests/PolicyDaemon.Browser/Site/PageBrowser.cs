using Microsoft.Playwright;

namespace PolicyDaemon.Browser.Site;

/// <summary>Debian's chromium, driven by Playwright; no browser is downloaded.</summary>
internal sealed class PageBrowser : IAsyncDisposable
{
    // The program itself: the script in /usr/bin adds an administrator's flags.
    private const string Program = "/usr/lib/chromium/chromium";

    private IPlaywright? playwright;
    private IBrowser? browser;

    /// <summary>Where pictures of pages are left for whoever wants to look.</summary>
    public static string Pictures { get; } = Directory.CreateDirectory(Path.Combine(Repository.Root, "artifacts", "browser")).FullName;

    public async Task StartAsync()
    {
        playwright = await Playwright.CreateAsync();
        browser = await playwright.Chromium.LaunchAsync(new BrowserTypeLaunchOptions
        {
            ExecutablePath = Program,
            // Root has no sandbox there, and a container's /dev/shm may be small; the pages are our own.
            Args = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--font-render-hinting=none"],
        });
    }

    /// <summary>A new page, with nothing remembered.</summary>
    public async Task<WatchedPage> OpenAsync(PageView view)
    {
        var context = await browser!.NewContextAsync(new BrowserNewContextOptions
        {
            ColorScheme = view.Dark ? ColorScheme.Dark : ColorScheme.Light,
            ViewportSize = new ViewportSize { Width = view.Width, Height = 900 },
            JavaScriptEnabled = view.Scripts,
            Locale = "en-GB",
            TimezoneId = "UTC",
            ReducedMotion = ReducedMotion.Reduce,
        });
        return new WatchedPage(context, await context.NewPageAsync());
    }

    public async ValueTask DisposeAsync()
    {
        if (browser is not null) await browser.DisposeAsync();
        playwright?.Dispose();
    }
}

/// <summary>How somebody looks.</summary>
/// <param name="Width">Of the window, in CSS pixels.</param>
/// <param name="Dark">Whether the person prefers dark.</param>
/// <param name="Scripts">Whether scripts run.</param>
internal sealed record PageView(int Width = 1024, bool Dark = false, bool Scripts = true);

/// <summary>A page, with everything that the browser complained of.</summary>
internal sealed class WatchedPage : IAsyncDisposable
{
    private readonly IBrowserContext context;
    private readonly List<string> complaints = [];

    internal WatchedPage(IBrowserContext context, IPage page)
    {
        this.context = context;
        Page = page;
        page.Console += (_, message) =>
        {
            if (message.Type is "error" or "warning") Add($"console {message.Type}: {message.Text}");
        };
        page.PageError += (_, error) => Add($"script: {error}");
        page.RequestFailed += (_, request) => Add($"failed: {request.Url}");
        page.Response += (_, response) =>
        {
            if (response.Status >= 400) Add($"{response.Status}: {response.Url}");
        };
        page.Dialog += (_, dialog) =>
        {
            Add($"dialog: {dialog.Message}");
            _ = dialog.DismissAsync();
        };
    }

    public IPage Page { get; }

    /// <summary>What the console said, what failed, and what asked.</summary>
    public IReadOnlyList<string> Complaints
    {
        get
        {
            lock (complaints) return [.. complaints];
        }
    }

    /// <summary>Goes there, which must be answered by this status.</summary>
    public async Task GoAsync(Uri address, int status = 200)
    {
        var answer = await Page.GotoAsync(address.AbsoluteUri, new PageGotoOptions { WaitUntil = WaitUntilState.Load });
        Assert.Equal(status, answer!.Status);
    }

    /// <summary>By how many pixels the page is wider than the window, with the element that is to blame.</summary>
    public Task<string> OverflowAsync() => Page.EvaluateAsync<string>(
        """
        () => {
            const root = document.documentElement;
            if (root.scrollWidth <= root.clientWidth) return "";
            const wide = [...document.body.querySelectorAll("*")].filter(element => {
                if (element.getBoundingClientRect().right <= root.clientWidth + 1) return false;
                for (let at = element.parentElement; at; at = at.parentElement)
                    if (at !== document.body && at !== root && getComputedStyle(at).overflowX !== "visible") return false;
                return true;
            });
            return (root.scrollWidth - root.clientWidth) + " px: " + wide.slice(0, 5).map(element =>
                element.tagName + "." + element.getAttribute("class") + " " + element.textContent.slice(0, 40)).join(" | ");
        }
        """);

    /// <summary>Leaves a picture of the whole page.</summary>
    public Task PictureAsync(string name) => Page.ScreenshotAsync(new PageScreenshotOptions { Path = Path.Combine(PageBrowser.Pictures, name + ".png"), FullPage = true });

    public ValueTask DisposeAsync() => context.DisposeAsync();

    private void Add(string complaint)
    {
        lock (complaints) complaints.Add(complaint);
    }
}
