using System.Collections.Immutable;

namespace PolicyDaemon.Core.Tables;

/// <summary>A logical line of a table: a line and its continuations, without comments.</summary>
/// <param name="Text">The lines joined, each continuation with its leading blank; no-break spaces are blanks here.</param>
/// <param name="Parts">Where each physical line begins in <paramref name="Text"/>, and its number.</param>
/// <param name="Fault">Why the line cannot be read at all, or null.</param>
/// <param name="NoBreakSpaceLine">The first physical line with a no-break space that was read as a blank; 0 for none.</param>
internal sealed record LogicalLine(
    string Text, ImmutableArray<(int Offset, int Line)> Parts, (int Line, string Message)? Fault, int NoBreakSpaceLine)
{
    /// <summary>The number of the first physical line.</summary>
    internal int First => Parts[0].Line;

    /// <summary>The physical line that a character of <see cref="Text"/> stands on.</summary>
    internal int LineAt(int offset)
    {
        var line = First;
        foreach (var part in Parts)
        {
            if (part.Offset <= offset)
                line = part.Line;
        }

        return line;
    }
}
