using PolicyDaemon.Administration.Changes;
using PolicyDaemon.Cli.Output;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Tables;

namespace PolicyDaemon.Cli.Commands.Tables;

/// <summary>What would change, for a person: the rows that go and the rows that come.</summary>
internal static class EntryDiff
{
    /// <param name="planned">Every key, those that stay as they are too.</param>
    /// <param name="result">What it means.</param>
    internal static void Write(Report report, IReadOnlyList<PlannedChange> planned, ChangeResult result)
    {
        foreach (var (wanted, key) in planned.Zip(result.Keys))
        {
            if (!key.IsChanged)
                continue;
            Rows(report, "-", wanted.Before, Tone.Bad);
            Rows(report, "+", wanted.After, Tone.Good);
            foreach (var weakening in key.Weakens)
                report.Line($"  weakens: {weakening}", Tone.Caution);
        }
    }

    private static void Rows(Report report, string sign, Destination? entry, Tone tone)
    {
        foreach (var line in entry is null ? [] : EntryTableWriter.Row(entry).TrimEnd('\n').Split('\n').Where(line => !line.StartsWith('#')))
            report.Line(sign + line, tone);
    }
}
