using System.Globalization;
using PolicyDaemon.Pages.Markup;

namespace PolicyDaemon.Pages.Layout;

/// <summary>Small pieces that many pages are made of.</summary>
public static class Pieces
{
    private const int LongestName = 120;

    /// <summary>A moment, to the minute or second, UTC.</summary>
    public static Html Time(DateTimeOffset at) =>
        Html.Of($"<time datetime=\"{Moment(at, "yyyy-MM-ddTHH:mm:ssZ")}\">{Moment(at, "yyyy-MM-dd HH:mm:ss")} UTC</time>");

    /// <summary>A moment to the minute.</summary>
    public static Html Minute(DateTimeOffset at) =>
        Html.Of($"<time datetime=\"{Moment(at, "yyyy-MM-ddTHH:mm:ssZ")}\">{Moment(at, "yyyy-MM-dd HH:mm")}</time>");

    /// <summary>A day.</summary>
    public static Html Day(DateTimeOffset at) => Html.Of($"<time datetime=\"{Moment(at, "yyyy-MM-dd")}\">{Moment(at, "yyyy-MM-dd")}</time>");

    /// <summary>A time of the day.</summary>
    public static Html Clock(DateTimeOffset at) => Html.Of($"<time datetime=\"{Moment(at, "yyyy-MM-ddTHH:mm:ssZ")}\">{Moment(at, "HH:mm:ss")}</time>");

    /// <summary>A name that a peer or a zone chose, cut to what a cell of a table can show.</summary>
    public static string Name(string name)
    {
        ArgumentNullException.ThrowIfNull(name);
        return name.Length <= LongestName ? name : name[..LongestName] + "…";
    }

    /// <summary>A number with its thousands apart.</summary>
    public static string Number(long number) => number.ToString("N0", CultureInfo.InvariantCulture);

    /// <summary>A command to copy.</summary>
    public static Html Command(string command) => Html.Of($"<code class=\"command\">{Html.Whole(command)}</code>");

    /// <summary>The address of a destination's page.</summary>
    public static string DestinationPath(string key) => "/destinations/" + Uri.EscapeDataString(key);

    /// <summary>A destination, with the way to its page.</summary>
    public static Html Destination(string key) => Html.Of($"<a href=\"{DestinationPath(key)}\"><bdi>{key}</bdi></a>");

    internal static string Moment(DateTimeOffset at, string format) => at.UtcDateTime.ToString(format, CultureInfo.InvariantCulture);
}
