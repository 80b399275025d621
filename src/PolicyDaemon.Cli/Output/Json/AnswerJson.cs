using PolicyDaemon.Core.Policies;

namespace PolicyDaemon.Cli.Output.Json;

/// <summary>An answer.</summary>
/// <param name="Kind"><c>found</c>, <c>not-found</c>, <c>temporary</c> or <c>permanent</c>.</param>
/// <param name="Text">The policy text, or the reason of an error; empty for not-found.</param>
internal sealed record AnswerJson(string Kind, string Text)
{
    internal static AnswerJson From(LookupAnswer answer) => new(answer.Kind.Name(), answer.Text);
}
