using PolicyDaemon.Core.Policies;

namespace PolicyDaemon.Cli.Changes;

/// <summary>One key of a change, as it is shown.</summary>
/// <param name="Action"><c>add</c>, <c>change</c>, <c>remove</c> or <c>none</c>.</param>
/// <param name="Before">What Postfix is told now; null where the key is not configured.</param>
/// <param name="After">What Postfix will be told; null where the key will not be configured.</param>
/// <param name="Weakens">What of it weakens.</param>
internal sealed record ReportedChange(
    string Key, string Action, LookupAnswer? Before, LookupAnswer? After, IReadOnlyList<string> Weakens);
