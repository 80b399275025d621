using PolicyDaemon.Administration;
using PolicyDaemon.Administration.Timeline;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Pages.Layout;
using PolicyDaemon.Pages.Markup;

namespace PolicyDaemon.Pages.Pictures;

/// <summary>Keys by colour and code: the same key has the same colour everywhere on a page.</summary>
public sealed class KeyColours
{
    private const int Colours = 8;

    private readonly Dictionary<string, int> places = new(StringComparer.Ordinal);

    /// <summary>The colours of the keys of a timeline, the newest first: it has the clearest colour.</summary>
    public static KeyColours Of(KeyTimeline timeline)
    {
        ArgumentNullException.ThrowIfNull(timeline);
        var colours = new KeyColours();
        foreach (var key in timeline.Keys.Reverse())
            colours.ClassOf(key.Code);
        return colours;
    }

    /// <summary>The class of a key's colour.</summary>
    public string ClassOf(string code)
    {
        if (!places.TryGetValue(code, out var place))
            places.Add(code, place = places.Count);
        return $"k{place % Colours}";
    }

    /// <summary>A key as a square of its colour and its code.</summary>
    public Html Key(string code) => Html.Of(
        $"<span class=\"key\"><svg viewBox=\"0 0 10 10\" aria-hidden=\"true\"><rect class=\"{ClassOf(code)}\" width=\"10\" height=\"10\" rx=\"1.5\"/></svg><code>{code}</code></span>");
}

/// <summary>How keys followed one another: a bar per key from when it was first seen to when last, the time it was served on top, decisions as flags.</summary>
public static class RotationPicture
{
    private const double Width = 960;
    private const double Left = 104;
    private const double Right = Width - 16;
    private const double Top = 34;
    private const double RowHeight = 26;
    private const int MostFlags = 40;
    private const int MostDecisions = 40;

    /// <summary>Picture and tables.</summary>
    public static Html Of(KeyTimeline timeline, KeyColours colours)
    {
        ArgumentNullException.ThrowIfNull(timeline);
        ArgumentNullException.ThrowIfNull(colours);
        if (timeline.Keys.IsEmpty)
            return Html.Of($"<p class=\"muted\">No probe has seen a key of it yet, and it has no pins.</p>{Decisions(timeline)}");
        var bottom = Top + (timeline.Keys.Length * RowHeight) + 4;
        var axis = new TimeAxis(timeline.From, timeline.To, Left, Right);
        return Html.Of(
            $"""
            <figure>
            <div class="scroll picture" tabindex="0" role="region" aria-label="Keys over time">
            <svg viewBox="0 0 {Width} {bottom + 22:0.#}" role="img" aria-label="{Phrases.Count(timeline.Keys.Length, "key")} over time; the numbers are in the tables below">
            {axis.Grid(Top - 8, bottom)}
            {timeline.Keys.Select((key, row) => Bars(key, row, axis, colours))}
            {timeline.Decisions.TakeLast(MostFlags).Select(decision => Flag(decision, axis, bottom))}
            </svg></div>
            <figcaption>Keys over time, as probes saw them; the dark line is the time in which a pin of the key was served. Flags are decisions, hollow ones of rules.</figcaption>
            </figure>
            <table class="stack"><caption>Keys</caption><thead><tr><th scope="col">key</th><th scope="col">algorithm</th><th scope="col">first seen</th><th scope="col">last seen</th><th scope="col">served</th><th scope="col">pin</th><th scope="col">certificate</th></tr></thead>
            <tbody>{timeline.Keys.Reverse().Select(key => Row(key, colours))}</tbody></table>
            {Decisions(timeline)}
            """);
    }

    private static Html Bars(TimelineKey key, int row, TimeAxis axis, KeyColours colours)
    {
        var top = Top + (row * RowHeight);
        var colour = colours.ClassOf(key.Code);
        return Html.Of(
            $"""
            <rect class="{colour}" x="10" y="{top + 5:0.#}" width="10" height="10" rx="1.5"/><text class="strong" x="26" y="{top + 14:0.#}">{key.Code}</text>
            {key.Seen.Select(seen => Html.Of($"<rect class=\"{colour}\" x=\"{axis.Place(seen.From):0.#}\" y=\"{top + 5:0.#}\" width=\"{Length(seen, axis):0.#}\" height=\"12\"/>"))}
            {key.Served.Select(served => Html.Of($"<rect class=\"flag\" x=\"{axis.Place(served.From):0.#}\" y=\"{top + 1:0.#}\" width=\"{Length(served, axis):0.#}\" height=\"2.5\"/>"))}
            """);
    }

    // A key that one probe saw is a mark, too.
    private static double Length(TimeSpent time, TimeAxis axis) => Math.Max(2, axis.Place(time.To) - axis.Place(time.From));

    private static Html Flag(TimelineDecision decision, TimeAxis axis, double bottom)
    {
        var x = axis.Place(decision.At);
        return Html.Of(
            $"<path class=\"grid\" d=\"M{x:0.#} 18V{bottom:0.#}\"/><path class=\"{(decision.ByPerson ? "flag" : "flag hollow")}\" d=\"M{x:0.#} 6l9 4l-9 4zM{x:0.#} 6v14h1v-14z\"><title>{Pieces.Moment(decision.At, "yyyy-MM-dd HH:mm")} {decision.Actor}: {decision.What}</title></path>");
    }

    private static Html Row(TimelineKey key, KeyColours colours) => Html.Of(
        $"""
        <tr><th scope="row">{colours.Key(key.Code)}</th><td>{(key.Certificate is { } certificate ? Phrases.PublicKey(certificate) : "not seen")}</td>
        <td data-name="first seen">{Moment(key.Seen.IsEmpty ? null : key.Seen.Min(time => time.From))}</td><td data-name="last seen">{Moment(key.Seen.IsEmpty ? null : key.Seen.Max(time => time.To))}</td>
        <td data-name="served">{Html.Join(key.Served.Select(time => Html.Of($"{Pieces.Day(time.From)} to {Pieces.Day(time.To)}")), ", ")}</td>
        <td data-name="pin">{(key.Pin is { } pin ? $"{pin.State.Name()}{(pin.State != PinState.Candidate && pin.Strength is { } strength ? ", " + strength.Name() : "")}" : "none")}</td>
        <td data-name="certificate">{(key.Certificate is { } shown ? Html.Of($"<bdi>{Pieces.Name(shown.Subject)}</bdi> <span class=\"small muted\">by <bdi>{Pieces.Name(shown.Issuer)}</bdi>, until {Pieces.Day(shown.NotAfter)}</span>") : Html.Empty)}</td></tr>
        """);

    private static Html Moment(DateTimeOffset? at) => at is { } known ? Pieces.Minute(known) : Html.Empty;

    private static Html Decisions(KeyTimeline timeline)
    {
        if (timeline.Decisions.IsEmpty)
            return Html.Empty;
        return Html.Of(
            $"""
            <table class="stack"><caption>Decisions, the newest first</caption><thead><tr><th scope="col">when</th><th scope="col">who</th><th scope="col">what</th><th scope="col">why</th><th scope="col" class="number">change</th></tr></thead>
            <tbody>{timeline.Decisions.Reverse().Take(MostDecisions).Select(decision => Html.Of($"<tr><th scope=\"row\">{Pieces.Minute(decision.At)}</th><td><bdi>{Pieces.Name(decision.Actor)}</bdi></td><td>{decision.What}</td><td><bdi>{decision.Reason}</bdi></td><td class=\"number\" data-name=\"change\">{decision.Change}</td></tr>"))}</tbody></table>
            {(timeline.Decisions.Length > MostDecisions ? Html.Of($"<p class=\"small muted\">The newest {MostDecisions} of {timeline.Decisions.Length}: <code>policyctl audit</code> has all.</p>") : Html.Empty)}
            """);
    }
}
