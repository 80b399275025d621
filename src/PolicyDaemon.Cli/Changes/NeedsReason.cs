using PolicyDaemon.Core;
using PolicyDaemon.Core.Policies;

namespace PolicyDaemon.Cli.Changes;

/// <summary>Which changes take a reason: whatever changes an enforced entry beyond adding pins or words.</summary>
internal static class NeedsReason
{
    internal static IReadOnlyList<string> Of(Destination? before, Destination? after)
    {
        if (before is null || before.Observe)
            return [];
        if (after is null)
            return ["the entry is removed: the parent's entry or smtp_tls_security_level decides"];
        if (after.Observe)
            return ["the entry is not enforced any more"];
        if (after.Policy == before.Policy)
            return [];
        return after.Policy.Level == before.Policy.Level
            ? ["the policy's attributes change"]
            : [$"the level changes from {before.Policy.Level.Name()} to {after.Policy.Level.Name()}"];
    }
}
