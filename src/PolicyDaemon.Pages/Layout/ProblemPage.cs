using PolicyDaemon.Pages.Markup;

namespace PolicyDaemon.Pages.Layout;

/// <summary>The pages that say why there is nothing else to see.</summary>
public static class ProblemPage
{
    /// <summary>404.</summary>
    public static Page NotFound(string sentence) => new("Not found", SiteSection.None, Html.Of($"<p>{sentence}</p><p><a href=\"/\">Overview</a></p>"));

    /// <summary>400: what the address asks for cannot be understood.</summary>
    public static Page BadRequest(string sentence) => new("Not understood", SiteSection.None, Html.Of($"<p>{sentence}</p><p><a href=\"/\">Overview</a></p>"));

    /// <summary>421.</summary>
    public static Page WrongHost(string host) => new(
        "Another name",
        SiteSection.None,
        Html.Of($"<p>These pages are not served under the name <code>{host}</code>. Add it to <code>hosts</code> in <code>[web]</code> of policydaemon.conf where it is that of a web server in front.</p>"));

    /// <summary>405.</summary>
    public static Page WrongMethod() => new("Nothing can be changed here", SiteSection.None, Html.Of($"<p>These pages only show. Changes are made with <code>policyctl</code>.</p>"));

    /// <summary>500.</summary>
    public static Page Failed() => new(
        "This page failed", SiteSection.None, Html.Of($"<p>The reason is in the journal: <code>journalctl -u policyd-web</code></p>"));

    /// <summary>What depends on the store where it cannot be read.</summary>
    /// <param name="section">The part of the site.</param>
    /// <param name="title">The title of the page that cannot be shown.</param>
    /// <param name="message">Why, and what to do.</param>
    public static Page NoStore(SiteSection section, string title, string message) => new(title, section, Html.Of($"<p>Nothing can be shown without the store.</p>"))
    {
        Notice = Html.Of($"The store cannot be read: {message}"),
    };
}
