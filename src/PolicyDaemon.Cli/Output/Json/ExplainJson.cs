namespace PolicyDaemon.Cli.Output.Json;

/// <summary>The result of <c>explain</c>.</summary>
/// <param name="NextHop">The canonical next hop.</param>
/// <param name="Keys">The keys that Postfix asks for, in order.</param>
/// <param name="DecidedBy">The key that ends the walk; null where all are not found.</param>
/// <param name="Answer">What the walk ends with.</param>
/// <param name="Mail">What that does to mail, a sentence.</param>
/// <param name="Entry">The entry that decides; null where there is none.</param>
internal sealed record ExplainJson(
    string NextHop,
    IReadOnlyList<ExplainedKeyJson> Keys,
    string? DecidedBy,
    AnswerJson Answer,
    string Mail,
    DestinationJson? Entry);

/// <summary>A key of the walk.</summary>
/// <param name="Key">The key.</param>
/// <param name="Asked">False where an earlier key ends the walk.</param>
/// <param name="Origin">Where its answer comes from: <c>entry</c>, <c>parent</c> or <c>none</c>.</param>
/// <param name="Answer">What it is answered.</param>
/// <param name="OtherForms">Configured keys of the same bare host.</param>
internal sealed record ExplainedKeyJson(string Key, bool Asked, string Origin, AnswerJson Answer, IReadOnlyList<string> OtherForms);
