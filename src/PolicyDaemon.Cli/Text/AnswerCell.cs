using PolicyDaemon.Cli.Output;
using PolicyDaemon.Core.Policies;

namespace PolicyDaemon.Cli.Text;

/// <summary>How answers are shown.</summary>
internal static class AnswerCell
{
    internal const string NotConfigured = "(not configured)";

    internal static Tone Tone(this LookupAnswer answer) => answer.Kind switch
    {
        LookupAnswerKind.Found => Output.Tone.Plain,
        LookupAnswerKind.NotFound => Output.Tone.Faint,
        _ => Output.Tone.Bad,
    };

    internal static Cell Cell(this LookupAnswer? answer) =>
        answer is { } known ? new Cell(known.ToDisplayString(), known.Tone()) : new Cell(NotConfigured, Output.Tone.Faint);
}
