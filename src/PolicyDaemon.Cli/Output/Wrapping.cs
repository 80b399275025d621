using System.Text;

namespace PolicyDaemon.Cli.Output;

/// <summary>Breaks text into lines of a width.</summary>
internal static class Wrapping
{
    // Narrower than this, breaking makes nothing easier to read.
    private const int Narrowest = 20;

    /// <summary>Broken at blanks, and a list that is longer than a line behind its bars; a word that is longer stays whole, so that it can be copied.</summary>
    /// <param name="width">The width in columns; below 20 the text stays in one line.</param>
    internal static IReadOnlyList<string> Break(string text, int width)
    {
        if (width < Narrowest || text.Length <= width)
            return [text];
        var lines = new List<string>();
        var line = "";
        foreach (var (word, isNew) in Words(text, width))
        {
            var gap = isNew && line.Length > 0 ? " " : "";
            if (line.Length > 0 && line.Length + gap.Length + word.Length > width)
            {
                lines.Add(line.TrimEnd(' '));
                line = word;
            }
            else
            {
                line += gap + word;
            }
        }

        lines.Add(line);
        return lines;
    }

    /// <summary>A line with its own indentation: what does not fit goes on two columns further in.</summary>
    /// <remarks>A command line stays whole: the terminal breaks it, and pasted it is one line again. So it does behind a label.</remarks>
    /// <param name="width">Columns; 0 for no terminal.</param>
    internal static IEnumerable<string> Lines(string line, int width)
    {
        var indent = line.Length - line.TrimStart(' ').Length;
        if (width < Narrowest || line.Length <= width || IsCommand(NextCommand.WithoutLabel(line.AsSpan(indent))))
            return [line];
        var hanging = indent + 2;
        var broken = Break(line[indent..], width - hanging);
        return broken.Select((part, i) => new string(' ', i == 0 ? indent : Fits(part, hanging, width) ? hanging : 0) + part);
    }

    /// <summary>The longest word, which cannot be broken.</summary>
    internal static int LongestWord(string text) => Words(text, 0).Max(word => word.Word.Length);

    /// <summary>Words, and of those that are too long the parts between the bars of a list: the fingerprints of an answer.</summary>
    private static IEnumerable<(string Word, bool IsNew)> Words(string text, int width)
    {
        foreach (var word in text.Split(' '))
        {
            var isNew = true;
            var rest = word;
            for (int bar; rest.Length > width && (bar = rest.IndexOf('|', StringComparison.Ordinal)) >= 0 && bar < rest.Length - 1; rest = rest[(bar + 1)..])
            {
                yield return (rest[..(bar + 1)], isNew);
                isNew = false;
            }

            yield return (rest, isNew);
        }
    }

    private static bool Fits(string text, int indent, int width) => indent + text.Length <= width || text.Length > width;

    private static bool IsCommand(ReadOnlySpan<char> line) =>
        line.StartsWith("policyctl ", StringComparison.Ordinal) || line.StartsWith("postconf ", StringComparison.Ordinal);
}

/// <summary>Standard error of a person: each line that is written as a whole has its commands as they are to be pasted, and is broken at blanks.</summary>
/// <param name="width">The terminal's columns; 0 for none.</param>
/// <param name="commands">What is made of the commands in a line, see <see cref="Hosting.GivenOptions"/>.</param>
internal sealed class WrappedWriter(TextWriter inner, Func<int> width, Func<string, string> commands) : TextWriter
{
    public override Encoding Encoding => inner.Encoding;

    public override void Write(char value) => inner.Write(value);

    public override void Write(char[] buffer, int index, int count) => inner.Write(buffer, index, count);

    public override void Write(string? value) => inner.Write(value);

    public override void WriteLine(string? value)
    {
        foreach (var line in Wrapping.Lines(commands(value ?? ""), width()))
            inner.WriteLine(line);
    }

    public override void Flush() => inner.Flush();
}
