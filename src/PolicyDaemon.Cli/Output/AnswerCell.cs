using System.Diagnostics;
using PolicyDaemon.Core.Policies;

namespace PolicyDaemon.Cli.Output;

/// <summary>How answers are shown.</summary>
internal static class AnswerCell
{
    internal const string NotConfigured = "(not configured)";

    /// <summary>The name in JSON and in the audit log.</summary>
    internal static string Name(this LookupAnswerKind kind) => kind switch
    {
        LookupAnswerKind.Found => "found",
        LookupAnswerKind.NotFound => "not-found",
        LookupAnswerKind.Temporary => "temporary",
        LookupAnswerKind.Permanent => "permanent",
        _ => throw new UnreachableException($"answer kind {(int)kind}"),
    };

    internal static Tone Tone(this LookupAnswer answer) => answer.Kind switch
    {
        LookupAnswerKind.Found => Output.Tone.Plain,
        LookupAnswerKind.NotFound => Output.Tone.Faint,
        _ => Output.Tone.Bad,
    };

    internal static Cell Cell(this LookupAnswer? answer) =>
        answer is { } known ? new Cell(known.ToDisplayString(), known.Tone()) : new Cell(NotConfigured, Output.Tone.Faint);
}
