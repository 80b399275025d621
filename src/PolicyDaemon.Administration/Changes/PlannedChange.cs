using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Store.Changes;

namespace PolicyDaemon.Administration.Changes;

/// <summary>The change that a request asks for, of one key.</summary>
/// <param name="Key">The key.</param>
/// <param name="Before">The destination as it is; null where it is not configured.</param>
/// <param name="After">The destination as it shall be; null where it shall be removed.</param>
public sealed record PlannedChange(NextHop Key, Destination? Before, Destination? After)
{
    /// <summary>Where the input stands, such as <c>tls_policy:12</c>; empty for a request about this key alone.</summary>
    public string Place { get; init; } = "";

    /// <summary>Whoever made the plan has said already that pins are in another digest than Postfix compares.</summary>
    public bool IsDigestSaid { get; init; }

    /// <summary>Warnings of the plan itself, beside those of the rules.</summary>
    public IReadOnlyList<string> Warnings { get; init; } = [];

    /// <summary>The evidence of the change, as JSON for the audit log; null where only a person vouches for it.</summary>
    public string? Evidence { get; init; }

    /// <summary>A person says that the zone of the key is not signed any more on purpose.</summary>
    public bool AcceptsUnsigned { get; init; }

    /// <summary>The key, with its place in a file.</summary>
    public string Name => Place.Length > 0 ? $"{Place}: {Key}" : Key.Text;

    /// <summary>A sentence about a name, with the name before it unless the sentence begins with what the name ends with.</summary>
    public static string About(string name, string sentence)
    {
        ArgumentNullException.ThrowIfNull(name);
        ArgumentNullException.ThrowIfNull(sentence);
        var key = name[(name.LastIndexOf(' ') + 1)..];
        return sentence.StartsWith(key + " ", StringComparison.Ordinal) ? name + sentence[key.Length..] : $"{name}: {sentence}";
    }
}

/// <summary>A planned change with the store's judgement of it.</summary>
/// <param name="Planned">The planned change.</param>
/// <param name="Judged">The answers before and after, why the entry cannot be served, and why the change weakens.</param>
internal sealed record JudgedPlan(PlannedChange Planned, JudgedChange Judged)
{
    /// <summary>What discovery answers now, where a new entry takes its place; null where it does not.</summary>
    public LookupAnswer? AnswerDiscovered { get; init; }

    /// <summary>The ways in which a new entry weakens what discovery answers.</summary>
    public IReadOnlyList<string> Overrides { get; init; } = [];

    /// <summary>All that weakens, and takes a reason.</summary>
    public IReadOnlyList<string> Weakens => Overrides.Count == 0 ? Judged.Weakens : [.. Judged.Weakens, .. Overrides];

    public ChangedKey Changed(PostfixSettings postfix) => new(
        Planned.Key.Text, Judged.Action, Judged.AnswerBefore ?? AnswerDiscovered, Judged.AnswerAfter, Weakens)
    {
        IsOnlyObserved = Planned.After is { Observe: true } && Judged.Action is not null,
        CannotBeEnforced = Planned.After is { Observe: true } observed
            && PolicyText.Answer(observed with { Observe = false }, postfix, MapName.TlsPolicy).Kind == LookupAnswerKind.Temporary,
        End = Judged.EndAfter,
    };
}
