namespace PolicyDaemon.Browser.Site;

/// <summary>Every kind of page there is, by a name for pictures and failures.</summary>
public static class SitePage
{
    private static readonly Dictionary<string, Func<ShownSite, string>> Paths = new(StringComparer.Ordinal)
    {
        ["overview"] = _ => "/",
        ["destinations"] = _ => "/destinations",
        ["destinations-found"] = _ => "/destinations?q=hostile",
        ["destination"] = _ => "/destinations/" + ShownStore.Rotating,
        ["destination-changed"] = _ => "/destinations/" + ShownStore.Changed,
        ["destination-bracketed"] = _ => "/destinations/" + Uri.EscapeDataString("[mx.auto.example]"),
        ["destination-unprobed"] = _ => "/destinations/d001.table.example",
        ["destination-hostile"] = _ => "/destinations/" + ShownStore.Hostile,
        ["finding"] = site => site.Finding,
        ["finding-hostile"] = site => site.HostileFinding,
        ["audit"] = _ => "/audit",
        ["discovery"] = _ => "/discovery",
        ["nodes"] = _ => "/nodes",
    };

    /// <summary>The names.</summary>
    public static TheoryData<string> Names { get; } = [.. Paths.Keys];

    /// <summary>The names, each in light and in dark.</summary>
    public static TheoryData<string, bool> InBothSchemes { get; } = [.. Paths.Keys.SelectMany(name => new (string, bool)[] { (name, false), (name, true) })];

    /// <summary>Where it is.</summary>
    public static Uri Of(ShownSite site, string name)
    {
        ArgumentNullException.ThrowIfNull(site);
        return new Uri(site.Address, Paths[name](site));
    }
}
