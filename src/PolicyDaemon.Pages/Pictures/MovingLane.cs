using PolicyDaemon.Administration.Timeline;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Rotation;
using PolicyDaemon.Pages.Layout;
using PolicyDaemon.Pages.Markup;
using PolicyDaemon.Store.Browsing;

namespace PolicyDaemon.Pages.Pictures;

/// <summary>The pins whose state changes next, each with a bar from when it entered its state to when the rules let it leave.</summary>
public static class MovingLane
{
    private const double Width = 180;
    private const double Height = 14;

    /// <param name="moving">The pins.</param>
    /// <param name="now">The time.</param>
    /// <param name="most">How many are shown.</param>
    public static Html Of(IReadOnlyList<MovingPin> moving, DateTimeOffset now, int most)
    {
        ArgumentNullException.ThrowIfNull(moving);
        if (moving.Count == 0)
            return Html.Of($"<p class=\"muted\">No pin waits for a decision, is announced or is being replaced.</p>");
        return Html.Of(
            $"""
            <table class="stack"><thead><tr><th scope="col">destination</th><th scope="col">pin</th><th scope="col">state</th><th scope="col">since, and until when</th><th scope="col">then</th></tr></thead>
            <tbody>{moving.Take(most).Select(pin => Row(pin, now))}</tbody></table>
            {(moving.Count > most ? Html.Of($"<p class=\"small muted\">The newest {most} of them; all: <code>policyctl pin list</code></p>") : Html.Empty)}
            """);
    }

    /// <summary>When the rules let a pin leave its state, and what becomes of it; null for when where a person decides.</summary>
    internal static (DateTimeOffset? End, string Then) Next(MovingPin pin)
    {
        var options = RotationOptions.Default;
        return pin.State switch
        {
            PinState.Standby => (pin.Since + options.StandbyExpiry, "goes unless it is seen"),
            PinState.Retiring => (pin.Since + options.RetireGrace, "retires unless it is seen"),
            _ when pin.Mode == PinMode.Auto => (pin.Since + options.HoldDown, "served, if the evidence holds"),
            _ => (null, "a person decides"),
        };
    }

    private static Html Row(MovingPin pin, DateTimeOffset now)
    {
        var (end, then) = Next(pin);
        return Html.Of(
            $"""
            <tr><th scope="row">{Pieces.Destination(pin.Key)}</th><td><code>{Code(pin)}</code></td><td>{pin.State.Name()}</td>
            <td class="nowrap">{Bar(pin, end, now)} <span class="small">{Pieces.Day(pin.Since)}{(end is { } until ? Html.Of($" to {Pieces.Day(until)}") : Html.Empty)}</span></td><td>{then}</td></tr>
            """);
    }

    private static string Code(MovingPin pin) => pin.Fingerprint.Length > KeyTimeline.CodeLength ? pin.Fingerprint[..KeyTimeline.CodeLength] : pin.Fingerprint;

    private static Html Bar(MovingPin pin, DateTimeOffset? end, DateTimeOffset now)
    {
        var axis = new TimeAxis(pin.Since, end is { } until && until > now ? until : now, 1, Width - 1);
        var whole = end is { } known ? axis.Place(known) : axis.Right;
        return Html.Of(
            $"<span class=\"strip\"><svg viewBox=\"0 0 {Width} {Height}\" aria-hidden=\"true\"><rect class=\"grid\" x=\"1\" y=\"3\" width=\"{whole - 1:0.#}\" height=\"8\"/><rect class=\"bar {pin.State.Name()}\" x=\"1\" y=\"3\" width=\"{Math.Max(2, axis.Place(now) - 1):0.#}\" height=\"8\"/></svg></span>");
    }
}
