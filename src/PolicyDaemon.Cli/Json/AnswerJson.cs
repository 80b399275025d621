using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Policies;

namespace PolicyDaemon.Cli.Json;

/// <summary>An answer.</summary>
/// <param name="Kind"><c>found</c>, <c>not-found</c>, <c>temporary</c> or <c>permanent</c>; of an entry that leaves it to discovery, <c>discovered</c>.</param>
/// <param name="Text">The policy text, the reason of an error, or the floor of what is discovered; empty for not-found.</param>
internal sealed record AnswerJson(string Kind, string Text)
{
    internal static AnswerJson From(LookupAnswer answer) => new(answer.Kind.Name(), answer.Text);
}

/// <summary>The result of <c>explain</c>.</summary>
/// <param name="NextHop">The canonical next hop.</param>
/// <param name="Keys">The keys that Postfix asks for, in order.</param>
/// <param name="DecidedBy">The key that ends the walk; null where all are not found.</param>
/// <param name="Answer">What the walk ends with.</param>
/// <param name="Mail">What that does to mail, a sentence.</param>
/// <param name="Entry">The entry that decides; null where there is none.</param>
/// <param name="Assumes">The settings of main.cf that a verdict rests on.</param>
/// <param name="Discovered">What discovery knows of the first key; null where its answer does not come from there.</param>
/// <param name="Waiting">The mail that waits for it; null where none does, or the queue is not known.</param>
internal sealed record ExplainJson(
    string NextHop,
    IReadOnlyList<ExplainedKeyJson> Keys,
    string? DecidedBy,
    AnswerJson Answer,
    string Mail,
    DestinationJson? Entry,
    IReadOnlyList<string> Assumes,
    DiscoveredJson? Discovered,
    DestinationMailJson? Waiting,
    IReadOnlyList<FindingJson> Findings);

/// <summary>A key of the walk.</summary>
/// <param name="Key">The key.</param>
/// <param name="Asked">False where an earlier key ends the walk.</param>
/// <param name="Origin">Where its answer comes from: <c>entry</c>, <c>parent</c>, <c>discovery</c>, <c>default</c> (the entry <c>*</c>) or <c>none</c>.</param>
/// <param name="Answer">What it is answered.</param>
/// <param name="OtherForms">Configured keys of the same bare host.</param>
internal sealed record ExplainedKeyJson(string Key, bool Asked, string Origin, AnswerJson Answer, IReadOnlyList<string> OtherForms);

/// <summary>The result of <c>query</c>.</summary>
/// <param name="Server">The endpoint asked.</param>
/// <param name="Map">The socketmap's name; null for tcp_table, which has none.</param>
/// <param name="Key">The key as sent.</param>
/// <param name="Answer">What Postfix makes of the reply, or of none.</param>
internal sealed record QueryJson(string Server, string? Map, string Key, AnswerJson Answer);
