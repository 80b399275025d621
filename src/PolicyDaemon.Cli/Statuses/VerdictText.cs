using System.Globalization;
using PolicyDaemon.Cli.Output;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Rotation;

namespace PolicyDaemon.Cli.Statuses;

/// <summary>What the prober's verdict means for mail.</summary>
internal static class VerdictText
{
    internal const string NeverProbed = "not probed";

    internal static string Name(DestinationVerdict? verdict) => verdict is { } known ? known.Name() : NeverProbed;

    internal static Tone Tone(DestinationVerdict? verdict) => verdict switch
    {
        DestinationVerdict.Ok => Output.Tone.Good,
        DestinationVerdict.Mismatch => Output.Tone.Bad,
        DestinationVerdict.Degraded or DestinationVerdict.Unreachable => Output.Tone.Caution,
        _ => Output.Tone.Faint,
    };

    /// <summary>The verdict with what it does to mail now, and when it was found.</summary>
    internal static Cell Mail(ProbeState probeState, bool observed)
    {
        if (probeState is not { Verdict: { } verdict, LastProbe: { } look, VerdictSince: { } since })
            return new Cell("not probed yet: what mail would meet is not known", Output.Tone.Faint);
        var would = observed ? "if it were enforced, mail would be " : "mail is ";
        var text = verdict switch
        {
            DestinationVerdict.Ok => $"{would}delivered: every address that was reached would be accepted",
            DestinationVerdict.Degraded => $"{would}delivered through some addresses; others would be refused",
            DestinationVerdict.Mismatch => $"{would}deferred: every address that was reached would be refused",
            DestinationVerdict.Unreachable => $"{would}deferred while no address can be reached",
            _ => "what mail would meet is not known",
        };
        return new Cell($"{verdict.Name()} since {Times.Text(since)}, last probe {Times.Text(look)}: {text}", Tone(verdict));
    }

    /// <summary>Whole days until the first certificate in use ends.</summary>
    internal static Cell DaysLeft(DateTimeOffset? expires, DateTimeOffset now)
    {
        if (expires is not { } end)
            return new Cell("-", Output.Tone.Faint);
        var days = Days(end, now);
        return new Cell(days.ToString(CultureInfo.InvariantCulture), days < 0 ? Output.Tone.Bad : days < 14 ? Output.Tone.Caution : Output.Tone.Plain);
    }

    internal static int Days(DateTimeOffset end, DateTimeOffset now) => (int)Math.Floor((end - now).TotalDays);

    /// <summary><c>12 ok, 1 mismatch, 3 not probed</c>.</summary>
    internal static string Counts(IReadOnlyDictionary<DestinationVerdict, long> counts, long all)
    {
        var rest = all - counts.Values.Sum();
        var parts = counts.Where(count => count.Value > 0)
            .OrderBy(count => Order(count.Key))
            .Select(count => string.Create(CultureInfo.InvariantCulture, $"{count.Value} {count.Key.Name()}"))
            .ToList();
        if (rest > 0)
            parts.Add(string.Create(CultureInfo.InvariantCulture, $"{rest} {NeverProbed}"));
        return parts.Count > 0 ? string.Join(", ", parts) : "none";
    }

    /// <summary>What enforcing would do, for destinations that are only observed.</summary>
    internal static string Enforcing(IReadOnlyDictionary<DestinationVerdict, long> counts)
    {
        var refused = counts.GetValueOrDefault(DestinationVerdict.Mismatch);
        var partly = counts.GetValueOrDefault(DestinationVerdict.Degraded);
        var away = counts.GetValueOrDefault(DestinationVerdict.Unreachable);
        return string.Create(
            CultureInfo.InvariantCulture,
            $"if all were enforced now, mail would be delivered to {counts.GetValueOrDefault(DestinationVerdict.Ok)}, partly to {partly}, deferred for {refused}, and {away} cannot be reached");
    }

    // The good first, then by how much it hurts.
    private static int Order(DestinationVerdict verdict) => verdict switch
    {
        DestinationVerdict.Ok => 0,
        DestinationVerdict.Degraded => 1,
        DestinationVerdict.Mismatch => 2,
        DestinationVerdict.Unreachable => 3,
        _ => 4,
    };
}
