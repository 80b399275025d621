using PolicyDaemon.Pages.Layout;
using PolicyDaemon.Pages.Markup;

namespace PolicyDaemon.Pages.Pictures;

/// <summary>Places moments along the width of a picture.</summary>
/// <param name="From">The moment at the left end.</param>
/// <param name="To">The moment at the right end.</param>
/// <param name="Left">The left end.</param>
/// <param name="Right">The right end.</param>
public readonly record struct TimeAxis(DateTimeOffset From, DateTimeOffset To, double Left, double Right)
{
    private const double WidthOfLabel = 80;

    private static readonly TimeSpan[] Steps =
    [
        TimeSpan.FromMinutes(1), TimeSpan.FromMinutes(5), TimeSpan.FromMinutes(15), TimeSpan.FromHours(1), TimeSpan.FromHours(4), TimeSpan.FromHours(12),
        TimeSpan.FromDays(1), TimeSpan.FromDays(2), TimeSpan.FromDays(7), TimeSpan.FromDays(14), TimeSpan.FromDays(30), TimeSpan.FromDays(91), TimeSpan.FromDays(182),
        TimeSpan.FromDays(365), TimeSpan.FromDays(1826),
    ];

    /// <summary>The place of a moment; one beyond an end is placed there.</summary>
    public double Place(DateTimeOffset at)
    {
        var whole = (To - From).TotalSeconds;
        return whole <= 0 ? Right : Left + ((Right - Left) * Math.Clamp((at - From).TotalSeconds / whole, 0, 1));
    }

    /// <summary>Lines across the picture with the moments that they stand for below.</summary>
    /// <param name="top">Where the lines begin.</param>
    /// <param name="bottom">Where they end; the labels stand below.</param>
    public Html Grid(double top, double bottom)
    {
        var axis = this;
        var step = Step();
        var format = step < TimeSpan.FromDays(1) ? "HH:mm" : step < TimeSpan.FromDays(300) && axis.From.Year == axis.To.Year ? "dd MMM" : step < TimeSpan.FromDays(300) ? "MMM yyyy" : "yyyy";
        return Html.Of(
            $"""
            {Ticks(step).Select(at => Html.Of($"<path class=\"grid\" d=\"M{axis.Place(at):0.#} {top:0.#}V{bottom:0.#}\"/><text x=\"{axis.Place(at):0.#}\" y=\"{bottom + 14:0.#}\" text-anchor=\"middle\">{Pieces.Moment(at, format)}</text>"))}
            """);
    }

    private TimeSpan Step()
    {
        var most = Math.Max(2, (int)((Right - Left) / WidthOfLabel));
        var whole = To - From;
        return Array.Find(Steps, step => whole / step <= most) is { Ticks: > 0 } fitting ? fitting : Steps[^1];
    }

    private List<DateTimeOffset> Ticks(TimeSpan step)
    {
        var ticks = new List<DateTimeOffset>();
        var room = (Right - Left) / (To - From).TotalSeconds * step.TotalSeconds / 4;
        for (var at = new DateTimeOffset(From.UtcTicks / step.Ticks * step.Ticks, TimeSpan.Zero) + step; at < To; at += step)
        {
            // A label that would stand over the end is left out.
            if (Place(at) - Left >= Math.Min(room, 24) && Right - Place(at) >= Math.Min(room, 24))
                ticks.Add(at);
        }

        return ticks;
    }
}
