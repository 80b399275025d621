using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Policies;

namespace PolicyDaemon.Cli.Changes;

/// <summary>What a command wants of one key.</summary>
/// <param name="Key">The key.</param>
/// <param name="Before">The destination as it is; null where it is not configured.</param>
/// <param name="After">The destination as it shall be; null where it shall be removed.</param>
internal sealed record PlannedChange(NextHop Key, Destination? Before, Destination? After)
{
    /// <summary>Where the input stands, such as <c>tls_policy:12</c>; empty for a command line.</summary>
    public string Place { get; init; } = "";

    /// <summary>What the plan itself has to say about it.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];

    /// <summary>What the change rests on, as JSON for the audit log; null where a person's word is all.</summary>
    public string? Evidence { get; init; }

    /// <summary>What of it weakens by what the plan knows: the rules see only what is configured.</summary>
    public IReadOnlyList<string> Weakens { get; init; } = [];

    /// <summary>The audit log's word for it; <c>none</c> where nothing differs.</summary>
    public string Action => (Before, After) switch
    {
        (null, null) => "none",
        (null, _) => "add",
        (_, null) => "remove",
        _ => Before.Equals(After) ? "none" : "change",
    };
}
