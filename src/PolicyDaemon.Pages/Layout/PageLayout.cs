using PolicyDaemon.Pages.Markup;

namespace PolicyDaemon.Pages.Layout;

/// <summary>A page, without what all pages have in common.</summary>
/// <param name="Title">The title, which is the first heading, too.</param>
/// <param name="Section">The part of the site that it belongs to.</param>
/// <param name="Body">What stands below the heading.</param>
public sealed record Page(string Title, SiteSection Section, Html Body)
{
    /// <summary>When the data were gathered; null where the page shows none.</summary>
    public DateTimeOffset? At { get; init; }

    /// <summary>A sentence that stands before everything else, such as that the store cannot be read; null for none.</summary>
    public Html? Notice { get; init; }
}

/// <summary>The parts of the site, in the order of the navigation.</summary>
public enum SiteSection
{
    /// <summary>A page that is in none.</summary>
    None,

    /// <summary>The first page.</summary>
    Overview,

    /// <summary>Destinations with an entry.</summary>
    Destinations,

    /// <summary>The audit log.</summary>
    Audit,

    /// <summary>Destinations without an entry.</summary>
    Discovery,

    /// <summary>The machines that answer.</summary>
    Nodes,
}

/// <summary>What all pages have in common: head, navigation, heading, foot.</summary>
public static class PageLayout
{
    private static readonly (SiteSection Section, string Path, string Name)[] Navigation =
    [
        (SiteSection.Overview, "/", "Overview"), (SiteSection.Destinations, "/destinations", "Destinations"), (SiteSection.Audit, "/audit", "Audit"),
        (SiteSection.Discovery, "/discovery", "Discovery"), (SiteSection.Nodes, "/nodes", "Nodes"),
    ];

    /// <summary>The whole document.</summary>
    public static Html Render(Page page)
    {
        ArgumentNullException.ThrowIfNull(page);
        return Html.Of(
            $"""
            <!DOCTYPE html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="color-scheme" content="light dark">
            <title>{page.Title} · PolicyDaemon</title>
            <link rel="icon" href="{PageAsset.Icon.Path}" type="image/svg+xml">
            <link rel="stylesheet" href="{PageAsset.Stylesheet.Path}">
            <script src="{PageAsset.Script.Path}" defer></script>
            </head>
            <body>
            <a class="skip" href="#main">Skip to the content</a>
            <header>
            <a class="name" href="/">PolicyDaemon</a>
            <nav aria-label="Pages"><ul>{Navigation.Select(link => Link(link, page.Section))}</ul></nav>
            </header>
            <main id="main">
            <h1>{page.Title}</h1>
            {(page.Notice is { } notice ? Html.Of($"<p class=\"notice\" role=\"status\">{notice}</p>") : Html.Empty)}
            {page.Body}
            </main>
            <footer>
            <p>{At(page)}These pages change nothing; decide with <code>policyctl</code>.</p>
            </footer>
            </body>
            </html>
            """);
    }

    private static Html At(Page page) => page.At is { } at
        ? Html.Of($"<span id=\"at\" data-refresh>As of {Pieces.Time(at)}.</span> ")
        : Html.Empty;

    private static Html Link((SiteSection Section, string Path, string Name) link, SiteSection current) => link.Section == current
        ? Html.Of($"<li><a href=\"{link.Path}\" aria-current=\"page\">{link.Name}</a></li>")
        : Html.Of($"<li><a href=\"{link.Path}\">{link.Name}</a></li>");
}
