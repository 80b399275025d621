using PolicyDaemon.Core;
using PolicyDaemon.Core.Policies;

namespace PolicyDaemon.Cli.Changes;

/// <summary>A planned change with what it means.</summary>
/// <param name="Planned">What is wanted.</param>
/// <param name="Before">What Postfix is told now; null where the key is not configured.</param>
/// <param name="After">What Postfix will be told; null where the key will not be configured.</param>
/// <param name="Problems">Why it cannot be served.</param>
/// <param name="Weakens">What of it weakens.</param>
internal sealed record JudgedChange(
    PlannedChange Planned, LookupAnswer? Before, LookupAnswer? After, IReadOnlyList<Problem> Problems, IReadOnlyList<string> Weakens)
{
    /// <summary>The key, with its place in a file.</summary>
    public string Name => Planned.Place.Length > 0 ? $"{Planned.Place}: {Planned.Key}" : Planned.Key.Text;

    public ReportedChange Reported => new(Planned.Key.Text, Planned.Action, Before, After, Weakens);
}
