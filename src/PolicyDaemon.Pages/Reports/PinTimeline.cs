using System.Globalization;
using PolicyDaemon.Administration.Reports;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Pages.Layout;
using PolicyDaemon.Pages.Markup;

namespace PolicyDaemon.Pages.Reports;

/// <summary>The rotation of an entry's pins as a picture: a bar for each pin, state after state, a mark for each decision. The tables beside it say the same.</summary>
internal static class PinTimeline
{
    private const int Width = 760;
    private const int Left = 96;
    private const int Right = 8;
    private const int RowHeight = 24;
    private const int BarHeight = 14;
    private const int Top = 6;
    private const int AxisHeight = 22;
    private const int Ticks = 5;

    // Of an entry with more the newest ones are drawn; its tables have them all.
    private const int MostPins = 24;

    internal static Html Of(ReportedEntry entry, DateTimeOffset until)
    {
        var numbered = entry.Pins.Select((history, index) => (History: history, Number: index + 1)).Where(pin => pin.History.Periods.Count > 0).TakeLast(MostPins).ToList();
        if (numbered.Count == 0)
            return Html.Empty;
        var from = numbered.Min(pin => pin.History.Periods[0].From);
        var scale = new Scale(from, until > from ? until : from.AddSeconds(1));
        var height = Top + (numbered.Count * RowHeight) + AxisHeight;
        return Html.Of(
            $"""
            <figure>
            <svg viewBox="0 0 {Width} {height}" role="img" aria-label="Pins of {entry.Key} from {Pieces.Moment(from, "yyyy-MM-dd")} to {Pieces.Moment(until, "yyyy-MM-dd")}; the tables beside it say the same">
            {Axis(scale, height)}
            {numbered.Select((pin, row) => Row(pin.History, pin.Number, scale, Top + (row * RowHeight)))}
            </svg>
            <figcaption>{Legend()}</figcaption>
            </figure>
            """);
    }

    private static Html Row(PinHistory history, int number, Scale scale, int top) => Html.Of(
        $"""
        <text class="strong" x="4" y="{top + 12}">{number} · {history.Pin.Fingerprint.Hex[..8]}</text>
        {history.Periods.Select(period => Bar(period, scale, top))}{history.Decisions.Select(decision => Mark(decision, scale, top))}

        """);

    private static Html Bar(PinPeriod period, Scale scale, int top)
    {
        var x = scale.At(period.From);
        var width = Math.Max(scale.At(period.Until ?? scale.Until) - x, 1.5);
        var name = period.State.Name();
        // A word takes seven units a letter.
        var label = width > (name.Length * 7) + 8 ? Html.Of($"<text class=\"in pin-{name}\" x=\"{Number(x + 5)}\" y=\"{top + 11}\">{name}</text>") : Html.Empty;
        return Html.Of(
            $"<g><title>{name} {Pieces.Moment(period.From, "yyyy-MM-dd HH:mm")} to {(period.Until is { } until ? Pieces.Moment(until, "yyyy-MM-dd HH:mm") : "the end")}</title><rect class=\"pin-{name}\" x=\"{Number(x)}\" y=\"{top + 1}\" width=\"{Number(width)}\" height=\"{BarHeight}\"/>{label}</g>");
    }

    /// <summary>A person's decision is a filled triangle, a rule's an open one.</summary>
    private static Html Mark(PinDecisionPast decision, Scale scale, int top)
    {
        var (x, y) = (scale.At(decision.At), top + BarHeight + 1);
        return Html.Of(
            $"<path class=\"{(decision.Rule is null ? "by-person" : "by-rule")}\" d=\"M{Number(x)} {y}l4 7h-8z\"><title>{decision.To ?? "not kept"} {Pieces.Moment(decision.At, "yyyy-MM-dd HH:mm")} by {decision.Actor.ToString()}, change {decision.Change}</title></path>");
    }

    private static Html Axis(Scale scale, int height)
    {
        var format = scale.Until - scale.From < TimeSpan.FromDays(3) ? "MM-dd HH:mm" : "yyyy-MM-dd";
        var line = height - AxisHeight + 4;
        var ticks = Enumerable.Range(0, Ticks).Select(tick => scale.From + ((scale.Until - scale.From) / (Ticks - 1) * tick)).Select((at, tick) => Html.Of(
            $"<path class=\"grid\" d=\"M{Number(scale.At(at))} {Top}V{line}\"/><text x=\"{Number(scale.At(at))}\" y=\"{line + 12}\" text-anchor=\"{(tick == 0 ? "start" : tick == Ticks - 1 ? "end" : "middle")}\">{Pieces.Moment(at, format)}</text>"));
        return Html.Join(ticks);
    }

    private static Html Legend() => Html.Of(
        $"""
        <ul class="legend">{Enum.GetValues<PinState>().Select(state => Html.Of(
            $"<li><svg viewBox=\"0 0 10 10\" aria-hidden=\"true\"><rect class=\"pin-{state.Name()}\" x=\"1\" y=\"1\" width=\"8\" height=\"8\"/></svg>{state.Name()}{(state.IsServed() ? ", served" : "")}</li>"))}<li><svg viewBox="0 0 10 10" aria-hidden="true"><path class="by-person" d="M5 1l4 8H1z"/></svg>a person decided</li><li><svg viewBox="0 0 10 10" aria-hidden="true"><path class="by-rule" d="M5 1l4 8H1z"/></svg>a rule decided</li></ul>
        """);

    private static string Number(double value) => value.ToString("0.##", CultureInfo.InvariantCulture);

    private sealed record Scale(DateTimeOffset From, DateTimeOffset Until)
    {
        public double At(DateTimeOffset at) => Left + (Math.Clamp((at - From) / (Until - From), 0, 1) * (Width - Left - Right));
    }
}
