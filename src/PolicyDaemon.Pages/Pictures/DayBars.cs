using PolicyDaemon.Administration;
using PolicyDaemon.Pages.Layout;
using PolicyDaemon.Pages.Markup;

namespace PolicyDaemon.Pages.Pictures;

/// <summary>A bar per day.</summary>
public static class DayBars
{
    private const double Width = 760;
    private const double Height = 120;
    private const double Left = 46;
    private const double Right = Width - 10;
    private const double Top = 10;
    private const double Bottom = Height - 24;

    /// <param name="title">What is counted.</param>
    /// <param name="counts">The counts, the oldest first; the last one is of the day of <paramref name="now"/>.</param>
    /// <param name="now">The time.</param>
    public static Html Of(string title, IReadOnlyList<long> counts, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(counts);
        var today = new DateTimeOffset(now.UtcDateTime.Date, TimeSpan.Zero);
        var first = today.AddDays(1 - counts.Count);
        var axis = new TimeAxis(first, today.AddDays(1), Left, Right);
        var most = LookupChart.Nice(counts.DefaultIfEmpty(0).Max());
        var width = Math.Max(1, ((Right - Left) / Math.Max(1, counts.Count)) - 2);
        var busy = counts.Select((count, at) => (Day: first.AddDays(at), Count: count)).Where(day => day.Count > 0).Reverse().ToList();
        return Html.Of(
            $"""
            <figure>
            <div class="scroll picture latest" tabindex="0" role="region" aria-label="{title}">
            <svg viewBox="0 0 {Width} {Height}" role="img" aria-label="{title}; the numbers are in the table below">
            {axis.Grid(Top, Bottom)}
            <path class="grid" d="M{Left} {Bottom}H{Right}"/><text x="{Left - 6}" y="{Bottom + 4}" text-anchor="end">0</text><text x="{Left - 6}" y="{Top + 8}" text-anchor="end">{Pieces.Number((long)most)}</text>
            {counts.Select((count, at) => Bar(axis.Place(first.AddDays(at)) + 1, width, count, most))}
            </svg></div>
            <figcaption>{title}: {Phrases.Count(counts.Sum(), "change")} in {Phrases.Count(counts.Count, "day")}</figcaption>
            <details><summary>Numbers</summary>
            <table><thead><tr><th scope="col">day</th><th scope="col" class="number">changes</th></tr></thead>
            <tbody>{busy.Select(day => Html.Of($"<tr><th scope=\"row\">{Pieces.Day(day.Day)}</th><td class=\"number\">{Pieces.Number(day.Count)}</td></tr>"))}</tbody></table></details>
            </figure>
            """);
    }

    private static Html Bar(double x, double width, long count, double most)
    {
        // One change of thousands still shows.
        var height = count == 0 ? 0 : Math.Max(2, (Bottom - Top) * count / most);
        return count == 0 ? Html.Empty : Html.Of($"<rect class=\"change-bar\" x=\"{x:0.#}\" y=\"{Bottom - height:0.#}\" width=\"{width:0.#}\" height=\"{height:0.#}\"/>");
    }
}
