using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using PolicyDaemon.Core.Runtime;
using PolicyDaemon.Pages.Layout;
using PolicyDaemon.Pages.Markup;

namespace PolicyDaemon.Pages.Pictures;

/// <summary>Lookups per second over time, stacked by answer, with their numbers as a table.</summary>
public static class LookupChart
{
    private const double Width = 560;
    private const double Height = 170;
    private const double Left = 46;
    private const double Right = Width - 10;
    private const double Top = 12;
    private const double Bottom = Height - 24;
    private const int MostBuckets = 300;

    private static readonly double[] Parts = [0, 0.5, 1];
    private static readonly int[] Factors = [1, 2, 5, 10];

    private static readonly (string Class, string Name)[] Answers =
        [("found", "found"), ("not-found", "not found"), ("temporary", "temporary error"), ("permanent", "permanent error")];

    /// <param name="title">What is shown, for who does not see it.</param>
    /// <param name="series">The lookups.</param>
    /// <param name="rows">How many rows the table has.</param>
    public static Html Of(string title, LookupSeries series, int rows)
    {
        ArgumentNullException.ThrowIfNull(series);
        var buckets = Buckets(series, MostBuckets);
        if (buckets.Count == 0)
            return Html.Of($"<figure><p class=\"muted\">{title}: nothing was counted yet.</p></figure>");
        var most = Nice(buckets.Max(bucket => bucket.PerSecond.Sum()));
        var axis = new TimeAxis(buckets[0].From, buckets[^1].To, Left, Right);
        return Html.Of(
            $"""
            <figure>
            <svg viewBox="0 0 {Width} {Height}" role="img" aria-label="{title}; the numbers are in the table below">
            {Levels(most)}{axis.Grid(Top, Bottom)}
            {Enumerable.Range(1, Answers.Length).Reverse().Select(count => Area(buckets, count, most, axis))}
            </svg>
            <figcaption>{title}</figcaption>
            {Legend()}
            {Table(title, Buckets(series, rows))}
            </figure>
            """);
    }

    /// <summary>Puts intervals together to at most so many.</summary>
    internal static List<LookupBucket> Buckets(LookupSeries series, int most)
    {
        IReadOnlyList<long>[] counts = [series.Found, series.NotFound, series.Temporary, series.Permanent];
        var length = counts.Min(count => count.Count);
        var size = Math.Max(1, (length + most - 1) / most);
        var buckets = new List<LookupBucket>();
        for (var at = 0; at < length; at += size)
        {
            var taken = Math.Min(size, length - at);
            var from = at;
            buckets.Add(new LookupBucket(
                series.Start.AddSeconds((double)at * series.Step), series.Start.AddSeconds((double)(at + taken) * series.Step),
                [.. counts.Select(count => count.Skip(from).Take(taken).Sum())]));
        }

        return buckets;
    }

    /// <summary>The next of 1, 2, 5, 10, 20, 50... that is no smaller.</summary>
    internal static double Nice(double most)
    {
        if (most <= 1)
            return 1;
        var power = Math.Pow(10, Math.Floor(Math.Log10(most)));
        return Factors.Select(factor => factor * power).First(nice => nice >= most - 1e-9);
    }

    private static double Place(double value, double most) => Bottom - ((Bottom - Top) * value / most);

    private static Html Levels(double most) => Html.Join(Parts.Select(part => Html.Of(
        $"<path class=\"grid\" d=\"M{Left} {Place(part * most, most):0.#}H{Right}\"/><text x=\"{Left - 6}\" y=\"{Place(part * most, most) + 4:0.#}\" text-anchor=\"end\">{(part * most).ToString("#,0.#", CultureInfo.InvariantCulture)}</text>")));

    /// <summary>The sum of the first answers, down to the ground; the next area covers all but its own part.</summary>
    private static Html Area(List<LookupBucket> buckets, int count, double most, TimeAxis axis)
    {
        if (buckets.TrueForAll(bucket => bucket.Counts[count - 1] == 0))
            return Html.Empty;
        var path = new StringBuilder();
        path.Append(CultureInfo.InvariantCulture, $"M{axis.Left:0.#} {Bottom:0.#}");
        var height = "";
        for (var at = 0; at < buckets.Count; at++)
        {
            var next = Place(buckets[at].PerSecond.Take(count).Sum(), most).ToString("0.#", CultureInfo.InvariantCulture);
            if (next != height)
                path.Append(CultureInfo.InvariantCulture, $"H{axis.Place(buckets[at].From):0.#}V{next}");
            height = next;
        }

        path.Append(CultureInfo.InvariantCulture, $"H{axis.Right:0.#}V{Bottom:0.#}Z");
        return Html.Of($"<path class=\"{Answers[count - 1].Class}\" d=\"{Html.Whole(path.ToString())}\"/>");
    }

    private static Html Legend() => Html.Of(
        $"<ul class=\"legend\">{Answers.Select(answer => Html.Of($"<li><svg viewBox=\"0 0 10 10\" aria-hidden=\"true\"><rect class=\"{answer.Class}\" width=\"10\" height=\"10\"/></svg>{answer.Name}</li>"))}</ul>");

    private static Html Table(string title, List<LookupBucket> buckets) => Html.Of(
        $"""
        <details><summary>Numbers</summary><div class="scroll" tabindex="0" role="region" aria-label="{title}, numbers">
        <table><thead><tr><th scope="col">from</th>{Answers.Select(answer => Html.Of($"<th scope=\"col\" class=\"number\">{answer.Name}</th>"))}<th scope="col" class="number">per second</th></tr></thead>
        <tbody>{buckets.Select(Row)}</tbody></table></div></details>
        """);

    private static Html Row(LookupBucket bucket) => Html.Of(
        $"<tr><th scope=\"row\">{Pieces.Clock(bucket.From)}</th>{bucket.Counts.Select(count => Html.Of($"<td class=\"number\">{Pieces.Number(count)}</td>"))}<td class=\"number\">{bucket.PerSecond.Sum().ToString("#,0.#", CultureInfo.InvariantCulture)}</td></tr>");
}

/// <summary>Lookups in a time, by answer: found, not found, temporary error, permanent error.</summary>
internal readonly record struct LookupBucket(DateTimeOffset From, DateTimeOffset To, ImmutableArray<long> Counts)
{
    /// <summary>The same per second.</summary>
    internal IEnumerable<double> PerSecond
    {
        get
        {
            var seconds = Math.Max(1, (To - From).TotalSeconds);
            return Counts.Select(count => count / seconds);
        }
    }
}
