using PolicyDaemon.Core.Audit;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Store.Changes;

namespace PolicyDaemon.Administration.Changes;

/// <summary>What is wanted of one key.</summary>
/// <param name="Key">The key.</param>
/// <param name="Before">The destination as it is; null where it is not configured.</param>
/// <param name="After">The destination as it shall be; null where it shall be removed.</param>
public sealed record PlannedChange(NextHop Key, Destination? Before, Destination? After)
{
    /// <summary>Where the input stands, such as <c>tls_policy:12</c>; empty for a request about this key alone.</summary>
    public string Place { get; init; } = "";

    /// <summary>What the plan itself has to say about it.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];

    /// <summary>What the change rests on, as JSON for the audit log; null where a person's word is all.</summary>
    public string? Evidence { get; init; }

    /// <summary>What of it weakens by what the plan knows: the rules see only what is configured.</summary>
    public IReadOnlyList<string> Weakens { get; init; } = [];

    /// <summary>The key, with its place in a file.</summary>
    public string Name => Place.Length > 0 ? $"{Place}: {Key}" : Key.Text;
}

/// <summary>A planned change with what it means to the store.</summary>
/// <param name="Planned">What is wanted.</param>
/// <param name="Judged">What Postfix is told before and after, why it cannot be served, what of it weakens.</param>
internal sealed record JudgedPlan(PlannedChange Planned, JudgedChange Judged)
{
    /// <summary>What of it weakens, by what the plan knows and by the rules.</summary>
    public IReadOnlyList<string> Weakens => Judged.Action is null ? [] : [.. Planned.Weakens, .. Judged.Weakens];

    public ChangedKey Changed => new(
        Planned.Key.Text, Judged.Action?.Name() ?? "none", Judged.AnswerBefore, Judged.AnswerAfter, Weakens)
    {
        IsOnlyObserved = Planned.After is { Observe: true } && Judged.Action is not null,
    };
}
