using System.Text.RegularExpressions;
using PolicyDaemon.Administration.Timeline;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Runtime;
using PolicyDaemon.Pages.Layout;
using PolicyDaemon.Pages.Pictures;
using PolicyDaemon.Store.Browsing;
using Xunit;

namespace PolicyDaemon.Tests.Pages;

/// <summary>The pictures show the numbers that they are made of, and the tables beside them the same.</summary>
public sealed partial class PicturesTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 23, 12, 0, 0, TimeSpan.Zero);

    [Fact]
    public void Lookups_are_put_together_without_losing_one()
    {
        var counts = Enumerable.Range(0, 1440).Select(at => (long)at).ToList();
        var series = new LookupSeries(Now.AddDays(-1), 60, counts, counts, counts, counts);

        var buckets = LookupChart.Buckets(series, 24);

        Assert.Equal(24, buckets.Count);
        Assert.Equal(counts.Sum(), buckets.Sum(bucket => bucket.Counts[0]));
        Assert.Equal((Now.AddDays(-1), Now), (buckets[0].From, buckets[^1].To));
        Assert.Equal(60L * 59 / 2, buckets[0].Counts[3]);
        Assert.Equal(60 * 59 / 2 / 3600.0, buckets[0].PerSecond.First(), 6);
    }

    [Fact]
    public void A_chart_of_lookups_is_as_high_as_its_numbers()
    {
        var series = new LookupSeries(Now.AddSeconds(-4), 1, [10, 20, 0, 0], [0, 30, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]);

        var html = LookupChart.Of("Lookups", series, 4).ToString();

        // 50 at the top (12), 0 at the ground (146): 20 found are 92.4 high, 50 of both 12.
        Assert.Contains("class=\"found\" d=\"M46 146H46V119.2H172V92.4H298V146H550V146Z\"", html, StringComparison.Ordinal);
        Assert.Contains("class=\"not-found\" d=\"M46 146H46V119.2H172V12H298V146H550V146Z\"", html, StringComparison.Ordinal);
        Assert.DoesNotContain("class=\"temporary\" d", html, StringComparison.Ordinal);
        Assert.Contains("<td class=\"number\">20</td><td class=\"number\">30</td><td class=\"number\">0</td><td class=\"number\">0</td><td class=\"number\">50</td>", html, StringComparison.Ordinal);
    }

    [Fact]
    public void A_day_of_busy_seconds_stays_small()
    {
        var random = new Random(5);
        IReadOnlyList<long> Noise() => [.. Enumerable.Range(0, 1440).Select(_ => (long)random.Next(100_000))];

        Assert.InRange(LookupChart.Of("Lookups", new LookupSeries(Now.AddDays(-1), 60, Noise(), Noise(), Noise(), Noise()), 24).ToString().Length, 1000, 25_000);
    }

    [Fact]
    public void Nothing_counted_is_said() =>
        Assert.Contains("nothing was counted yet", LookupChart.Of("Lookups", new LookupSeries(Now, 1, [], [], [], []), 4).ToString(), StringComparison.Ordinal);

    [Theory]
    [InlineData(0, 1)]
    [InlineData(1.5, 2)]
    [InlineData(5, 5)]
    [InlineData(51, 100)]
    [InlineData(999, 1000)]
    public void A_scale_ends_at_a_round_number(double most, double end) => Assert.Equal(end, LookupChart.Nice(most));

    [Fact]
    public void The_expiry_lane_has_a_mark_per_certificate_and_fills_the_pinned_ones()
    {
        EndingCertificate Ends(double days, bool pinned) => new(Now.AddDays(days), "mx.example", "example.com", 3, pinned, false);

        var html = ExpiryLane.Of([Ends(-1, true), Ends(3, false), Ends(40, true), Ends(40.1, false)], Now).ToString();

        var picture = html[..html.IndexOf("</svg>", StringComparison.Ordinal)];
        Assert.Equal(4, picture.Split("<circle").Length - 1);
        Assert.Contains("class=\"mark pinned late\"", picture, StringComparison.Ordinal);
        Assert.Contains("class=\"mark late\"", picture, StringComparison.Ordinal);
        Assert.Contains("class=\"mark pinned\"", picture, StringComparison.Ordinal);
        Assert.Contains("<td class=\"number\">40</td>", html, StringComparison.Ordinal);
        Assert.Contains("and 2 others", html, StringComparison.Ordinal);
    }

    [Fact]
    public void Many_certificates_of_one_day_are_counted_and_not_stacked_to_the_sky()
    {
        var ending = Enumerable.Range(0, 60).Select(_ => new EndingCertificate(Now.AddDays(5), "mx.example", "example.com", 1, false, false)).ToList();

        var html = ExpiryLane.Of(ending, Now).ToString();

        Assert.Contains(">+49<", html, StringComparison.Ordinal);
        Assert.Equal(11, html[..html.IndexOf("</svg>", StringComparison.Ordinal)].Split("<circle").Length - 1);
    }

    [Theory]
    [InlineData(PinState.Standby, PinMode.Assist, 30.0)]
    [InlineData(PinState.Retiring, PinMode.Assist, 14.0)]
    [InlineData(PinState.Candidate, PinMode.Auto, 1.0)]
    [InlineData(PinState.Candidate, PinMode.Assist, null)]
    public void A_pin_moves_on_when_the_rules_let_it(PinState state, PinMode mode, double? days)
    {
        var (end, then) = MovingLane.Next(new MovingPin("example.com", "aa", state, Now, mode));

        Assert.Equal(days is { } known ? Now.AddDays(known) : null, end);
        Assert.NotEmpty(then);
    }

    [Fact]
    public void A_strip_has_a_bar_per_probe_and_says_how_many_of_each()
    {
        var html = ProbeStrip.Of([(Now, ProbeOutcome.Secured), (Now, ProbeOutcome.Timeout), (Now, ProbeOutcome.StartTlsNotSupported)]).ToString();

        Assert.Equal(3, html.Split("<rect").Length - 1);
        Assert.Contains("1 secured, 1 timeout, 1 starttls-not-supported", html, StringComparison.Ordinal);
        Assert.Contains("o-good", html, StringComparison.Ordinal);
        Assert.Contains("o-caution", html, StringComparison.Ordinal);
        Assert.Contains("o-bad", html, StringComparison.Ordinal);
    }

    [Fact]
    public void A_day_with_one_change_beside_a_thousand_still_shows()
    {
        var html = DayBars.Of("Changes per day", [1000, 1, 0], Now).ToString();

        Assert.Equal(2, html.Split("class=\"change-bar\"").Length - 1);
        Assert.Contains("height=\"2\"", html, StringComparison.Ordinal);
        Assert.Contains("1001 changes in 3 days", html, StringComparison.Ordinal);
        Assert.Contains("2026-11-21", html, StringComparison.Ordinal);
    }

    [Fact]
    public void The_rotation_picture_has_a_bar_per_key_the_served_time_on_top_and_flags()
    {
        var timeline = new KeyTimeline(
            NextHop.Parse("example.com"), Now.AddDays(-100), Now,
            [
                new TimelineKey("aaaaaaaa", new string('a', 64), [new(Now.AddDays(-100), Now.AddDays(-50))], [new(Now.AddDays(-100), Now.AddDays(-40))]),
                new TimelineKey("bbbbbbbb", new string('b', 64), [new(Now.AddDays(-50), Now)], []),
            ],
            [
                new TimelineDecision(Now.AddDays(-40), 7, "alice", "aaaaaaaa active to revoked", "<b>leaked</b>"),
                new TimelineDecision(Now.AddDays(-30), 8, "prober, rule A", "bbbbbbbb candidate to active", null) { ByPerson = false },
            ]);

        var html = RotationPicture.Of(timeline, KeyColours.Of(timeline)).ToString();

        // 840 from left (104) to right (944) for 100 days.
        Assert.Contains("class=\"k1\" x=\"104\" y=\"39\" width=\"420\"", html, StringComparison.Ordinal);
        Assert.Contains("class=\"k0\" x=\"524\" y=\"65\" width=\"420\"", html, StringComparison.Ordinal);
        Assert.Contains("class=\"flag\" x=\"104\" y=\"35\" width=\"504\"", html, StringComparison.Ordinal);
        Assert.Contains("class=\"flag hollow\"", html, StringComparison.Ordinal);
        Assert.Contains("&lt;b&gt;leaked&lt;/b&gt;", html, StringComparison.Ordinal);
        Assert.DoesNotContain("<b>", html, StringComparison.Ordinal);
    }

    [Fact]
    public void The_labels_of_an_axis_keep_their_distance()
    {
        foreach (var length in new[] { 1 / 24.0, 1, 7, 30, 90, 400, 3000 })
        {
            var grid = new TimeAxis(Now.AddDays(-length), Now, 0, 800).Grid(0, 100).ToString();
            var places = Places().Matches(grid).Select(match => double.Parse(match.Groups[1].Value, System.Globalization.CultureInfo.InvariantCulture)).ToList();

            Assert.InRange(places.Count, 1, 11);
            Assert.All(places.Zip(places.Skip(1)), pair => Assert.True(pair.Second - pair.First > 60, $"{length} days"));
        }
    }

    /// <summary>The policy of the pages forbids styles and scripts inside them.</summary>
    [Fact]
    public void Assets_are_small_and_bring_nothing_from_elsewhere()
    {
        Assert.InRange(PageAsset.Script.Text.Length, 100, 4096);
        Assert.All(
            (PageAsset[])[PageAsset.Stylesheet, PageAsset.Script, PageAsset.Icon],
            asset => Assert.DoesNotContain("//", Remark().Replace(asset.Text.Replace("http://www.w3.org/2000/svg", "", StringComparison.Ordinal), ""), StringComparison.Ordinal));
        Assert.All(
            (string[])["prefers-color-scheme: dark", "@media print", "max-width: 40rem"],
            part => Assert.Contains(part, PageAsset.Stylesheet.Text, StringComparison.Ordinal));
    }

    // A line of its own in the script.
    [GeneratedRegex("^ *// [A-Z].*$", RegexOptions.Multiline)]
    private static partial Regex Remark();

    [GeneratedRegex("<text x=\"([0-9.]+)\"")]
    private static partial Regex Places();
}
