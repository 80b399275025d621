using System.Globalization;
using PolicyDaemon.Administration;
using PolicyDaemon.Administration.Forecast;
using PolicyDaemon.Cli.Output;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Rotation;

namespace PolicyDaemon.Cli.Text;

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
    internal static Cell Mail(ProbeState state, bool observed, NextHop key, DateTimeOffset now) =>
        new(VerdictSentence.Of(state, observed, key.Text, now), Tone(state.Verdict));

    /// <summary>Whole days until the first certificate in use ends.</summary>
    internal static Cell DaysLeft(DateTimeOffset? expires, DateTimeOffset now)
    {
        if (expires is not { } end)
            return new Cell("-", Output.Tone.Faint);
        var days = Phrases.DaysUntil(end, now);
        return new Cell(days.ToString(CultureInfo.InvariantCulture), days < 0 ? Output.Tone.Bad : days < 14 ? Output.Tone.Caution : Output.Tone.Plain);
    }

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

    /// <summary>The counts of what enforcing would do, for destinations that are only observed.</summary>
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

/// <summary>How answers are shown.</summary>
internal static class AnswerCell
{
    internal const string NotConfigured = "(not configured)";

    internal static Tone Tone(this LookupAnswer answer) => answer.Kind switch
    {
        LookupAnswerKind.Found => Output.Tone.Plain,
        LookupAnswerKind.NotFound => Output.Tone.Faint,
        _ => Output.Tone.Bad,
    };

    internal static Cell Cell(this LookupAnswer? answer) =>
        answer is { } known ? new Cell(known.ToDisplayString(), known.Tone()) : new Cell(NotConfigured, Output.Tone.Faint);
}
