using PolicyDaemon.Core.Observations;
using PolicyDaemon.Pages.Markup;

namespace PolicyDaemon.Pages.Pictures;

/// <summary>The outcomes of the last probes, the newest at the right: a tall bar where something failed.</summary>
public static class ProbeStrip
{
    private const int Step = 5;
    private const int Places = 24;
    private const int Height = 16;

    public static Html Of(IReadOnlyList<(DateTimeOffset At, ProbeOutcome Outcome)> outcomes)
    {
        ArgumentNullException.ThrowIfNull(outcomes);
        if (outcomes.Count == 0)
            return Html.Empty;
        var shown = outcomes.TakeLast(Places).ToList();
        var said = string.Join(", ", shown.GroupBy(one => one.Outcome).Select(group => $"{group.Count()} {group.Key.Name()}"));
        return Html.Of(
            $"""<span class="strip"><svg viewBox="0 0 {Places * Step} {Height}" role="img" aria-label="The last probes: {said}">{shown.Select((one, at) => Bar(one.Outcome, Places - shown.Count + at))}</svg></span>""");
    }

    private static Html Bar(ProbeOutcome outcome, int place)
    {
        var (tone, height) = Look(outcome);
        return Html.Of($"<rect class=\"{tone}\" x=\"{place * Step}\" y=\"{Height - height}\" width=\"4\" height=\"{height}\"/>");
    }

    private static (string Class, int Height) Look(ProbeOutcome outcome) => outcome switch
    {
        ProbeOutcome.Secured => ("o-good", 8),
        _ when outcome.IsConclusive() => ("o-bad", Height),
        _ => ("o-caution", Height - 4),
    };
}
