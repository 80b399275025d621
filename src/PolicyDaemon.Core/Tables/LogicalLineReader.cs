using System.Collections.Immutable;
using System.Text;

namespace PolicyDaemon.Core.Tables;

/// <summary>Joins the physical lines of a Postfix table source to logical ones.</summary>
/// <remarks>
/// <code>
/// # comment           first character that is no blank is '#', also between a line and its continuation; so are empty lines
/// key value           begins a logical line
///     more value      begins with a blank: continues it
/// </code>
/// See postmap(1), TABLE FORMAT, and util/readlline.c.
/// </remarks>
internal sealed class LogicalLineReader(Stream stream)
{
    /// <summary>Octets of a line, and characters of a logical line: ten times the longest answer Postfix reads.</summary>
    internal const int MaxLine = 1_000_000;

    /// <summary>Physical lines of a table: far beyond a million rows with their comments.</summary>
    internal const int MaxLines = 50_000_000;

    private readonly PhysicalLineReader lines = new(stream);
    private readonly StringBuilder text = new();
    private readonly ImmutableArray<(int Offset, int Line)>.Builder parts = ImmutableArray.CreateBuilder<(int, int)>();
    private (int Line, Problem Problem)? fault;
    private int noBreakSpaceLine;

    /// <summary>True where the table began with a byte order mark.</summary>
    internal bool HadByteOrderMark { get; private set; }

    /// <summary>The line with a NUL character, with which reading ended: what has one is no text. 0 for none.</summary>
    internal int NulLine => lines.NulLine;

    internal IEnumerable<LogicalLine> ReadAll()
    {
        foreach (var line in lines.ReadAll())
        {
            if (NulLine > 0)
                yield break;
            HadByteOrderMark |= line.HadByteOrderMark;
            var content = line.Text.AsSpan().TrimStart();
            if (line.Fault is null && (content.IsEmpty || content[0] == '#'))
                continue;

            var continues = content.Length < line.Text.Length;
            if (!continues && parts.Count > 0)
                yield return Take();
            if (continues && parts.Count == 0)
                fault ??= (line.Number, new Problem("it begins with a blank and there is no line before it to continue", "begin with the destination"));
            Append(line);
        }

        if (parts.Count > 0)
            yield return Take();
    }

    private void Append(PhysicalLine line)
    {
        if (line.Fault is not null)
            fault ??= (line.Number, line.Fault);
        if (line.HadNoBreakSpace && noBreakSpaceLine == 0)
            noBreakSpaceLine = line.Number;
        if (text.Length + line.Text.Length > MaxLine)
        {
            fault ??= (line.Number, new Problem($"the line with its continuations is longer than {MaxLine} characters"));
            return;
        }

        parts.Add((text.Length, line.Number));
        text.Append(line.Text);
    }

    private LogicalLine Take()
    {
        var line = new LogicalLine(text.ToString(), parts.ToImmutable(), fault, noBreakSpaceLine);
        text.Clear();
        parts.Clear();
        fault = null;
        noBreakSpaceLine = 0;
        return line;
    }
}

/// <summary>A logical line of a table: a line and its continuations, without comments.</summary>
/// <param name="Text">The lines joined, each continuation with its leading blank; no-break spaces are blanks here.</param>
/// <param name="Parts">Where each physical line begins in <paramref name="Text"/>, and its number.</param>
/// <param name="Fault">Why the line cannot be read at all; null where it can.</param>
/// <param name="NoBreakSpaceLine">The first physical line with a no-break space that was read as a blank; 0 for none.</param>
internal sealed record LogicalLine(
    string Text, ImmutableArray<(int Offset, int Line)> Parts, (int Line, Problem Problem)? Fault, int NoBreakSpaceLine)
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
