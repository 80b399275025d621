using PolicyDaemon.Administration;
using PolicyDaemon.Administration.Survey;
using PolicyDaemon.Pages.Layout;
using PolicyDaemon.Pages.Markup;
using PolicyDaemon.Store.Browsing;

namespace PolicyDaemon.Pages.Pictures;

/// <summary>The certificates in use that end within 90 days: a mark each, filled where a pin of it or of its key is served.</summary>
public static class ExpiryLane
{
    private const double Width = 760;
    private const double Left = 14;
    private const double Right = Width - 14;
    private const double Step = 9;
    private const double Radius = 3.6;
    private const int MostStacked = 12;
    private const int MostRows = 25;
    private const int Early = -7;
    private const int Late = 90;

    private static readonly int[] Days = [0, 7, 14, 30, 60, 90];

    public static Html Of(IReadOnlyList<EndingCertificate> ending, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(ending);
        if (ending.Count == 0)
            return Html.Of($"<p class=\"muted\">No certificate in use is known to end within {Late} days.</p>");
        var columns = ending.GroupBy(one => Math.Clamp(Phrases.DaysUntil(one.Ends, now), Early, Late - 1)).ToList();
        var height = (Math.Min(columns.Max(column => column.Count()), MostStacked) * Step) + 34;
        var ground = height - 22;
        return Html.Of(
            $"""
            <figure>
            <div class="scroll picture" tabindex="0" role="region" aria-label="Certificates by the day on which they end">
            <svg viewBox="0 0 {Width} {height:0.#}" role="img" aria-label="{Phrases.Count(ending.Count, "certificate")} in use by the day on which they end; the first are in the table below">
            <path class="grid" d="M{Left} {ground:0.#}H{Right}"/>
            {Days.Select(day => Tick(day, height))}
            {columns.Select(column => Column(column.Key, [.. column], ground))}
            </svg></div>
            <figcaption>Days until certificates end{(ending.Count >= StoreSurvey.MostEnding ? $"; the first {StoreSurvey.MostEnding}" : "")}</figcaption>
            <ul class="legend"><li><svg viewBox="0 0 10 10" aria-hidden="true"><circle class="mark pinned" cx="5" cy="5" r="4"/></svg>pinned</li><li><svg viewBox="0 0 10 10" aria-hidden="true"><circle class="mark" cx="5" cy="5" r="4"/></svg>not pinned</li><li><svg viewBox="0 0 10 10" aria-hidden="true"><circle class="mark late pinned" cx="5" cy="5" r="4"/></svg>within 7 days, or ended</li></ul>
            <details><summary>Numbers</summary><div class="scroll" tabindex="0" role="region" aria-label="Certificates that end, numbers">
            <table><thead><tr><th scope="col" class="number">days</th><th scope="col">ends</th><th scope="col">MX host</th><th scope="col">destination</th><th scope="col">pinned</th></tr></thead>
            <tbody>{ending.Take(MostRows).Select(one => Row(one, now))}</tbody></table></div>
            {(ending.Count > MostRows ? Html.Of($"<p class=\"small muted\">The first {MostRows} of {ending.Count}.</p>") : Html.Empty)}</details>
            </figure>
            """);
    }

    private static double Place(double day) => Left + ((Right - Left) * (day - Early) / (Late - Early));

    private static Html Tick(int day, double height) => Html.Of(
        $"<path class=\"{(day == 0 ? "now" : "grid")}\" d=\"M{Place(day):0.#} 4V{height - 18:0.#}\"/><text x=\"{Place(day):0.#}\" y=\"{height - 5:0.#}\" text-anchor=\"{(day == Late ? "end" : "middle")}\">{(day == 0 ? "today" : $"{day} days")}</text>");

    private static Html Column(int day, List<EndingCertificate> column, double ground)
    {
        var marks = column.OrderByDescending(one => one.Pinned).Take(column.Count > MostStacked ? MostStacked - 1 : MostStacked)
            .Select((one, at) => Html.Of($"<circle class=\"{Class(one, day)}\" cx=\"{Place(day + 0.5):0.#}\" cy=\"{ground - 6 - (at * Step):0.#}\" r=\"{Radius}\"/>"));
        return column.Count > MostStacked
            ? Html.Of($"{marks}<text class=\"strong\" x=\"{Place(day + 0.5):0.#}\" y=\"{ground - 2 - ((MostStacked - 1) * Step):0.#}\" text-anchor=\"middle\">+{column.Count - MostStacked + 1}</text>")
            : Html.Of($"{marks}");
    }

    private static string Class(EndingCertificate one, int day) => $"mark{(one.Pinned ? " pinned" : "")}{(day < 7 ? " late" : "")}";

    private static Html Row(EndingCertificate one, DateTimeOffset now) => Html.Of(
        $"<tr><td class=\"number\">{Phrases.DaysUntil(one.Ends, now)}</td><td>{Pieces.Minute(one.Ends)}</td><td><bdi>{Pieces.Name(one.MxHost)}</bdi></td><td>{Pieces.Destination(one.Key)}{(one.Destinations > 1 ? $" and {(one.Destinations >= EndingCertificates.MostDestinations ? "at least " : "")}{Phrases.Count(one.Destinations - 1, "other")}" : "")}</td><td>{(one.CertificatePinned ? "the certificate" : one.Pinned ? "its key" : "no")}</td></tr>");
}
