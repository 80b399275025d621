using System.Text;

namespace PolicyDaemon.Core.Configuration;

/// <summary>Reads <c>[section]</c> and <c>key = value</c> lines and remembers where each stood.</summary>
/// <remarks>
/// Comments: a line that starts with <c>;</c> or <c>#</c>, and the rest of a line after a blank and <c>;</c>. A line that ends in
/// <c>\</c> is continued on the next one, as in a unit of systemd. No quotes, no includes. The framework's INI provider is not used
/// because it forgets line numbers and lets unknown and repeated keys pass.
/// </remarks>
internal static class IniFile
{
    /// <summary>A configuration larger than this is some other file.</summary>
    internal const int MaxBytes = 256 * 1024;

    /// <param name="sections">Gets each section with the line of its heading, in the order of the file.</param>
    internal static IReadOnlyList<ConfiguredValue> Parse(
        string file, ReadOnlySpan<byte> bytes, List<ConfigurationProblem> problems, List<(string Name, int Line)> sections)
    {
        var values = new List<ConfiguredValue>();
        string text;
        try
        {
            text = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true).GetString(bytes);
        }
        catch (DecoderFallbackException exception)
        {
            var line = bytes[..Math.Max(exception.Index, 0)].Count((byte)'\n') + 1;
            problems.Add(new(file, line, "", "not UTF-8 text; save the file as UTF-8"));
            return values;
        }

        string? section = null;
        foreach (var (number, line) in Lines(text.TrimStart('\uFEFF')))
        {
            if (line.Length == 0)
                continue;
            if (line[0] == '[')
            {
                section = line[^1] == ']' ? line[1..^1].Trim() : null;
                if (string.IsNullOrEmpty(section))
                    problems.Add(new(file, number, "", $"'{line}' is no section; write [name]"));
                else
                    sections.Add((section, number));
                continue;
            }

            var equals = line.IndexOf('=', StringComparison.Ordinal);
            var key = equals < 0 ? "" : line[..equals].Trim();
            if (key.Length == 0)
            {
                problems.Add(new(file, number, "", $"'{line}' is neither [section] nor key = value; start a comment with ;"));
                continue;
            }

            if (section is null)
            {
                problems.Add(new(file, number, key, "stands before any [section]"));
                continue;
            }

            values.Add(new(line[(equals + 1)..].Trim(), file, number, $"{section}.{key}"));
        }

        return values;
    }

    /// <summary>The lines without comments, those that are continued as one, each with the number of its first.</summary>
    private static IEnumerable<(int Number, string Text)> Lines(string text)
    {
        var (number, first, begun) = (0, 0, "");
        foreach (var raw in text.Split('\n'))
        {
            number++;
            var line = WithoutComment(raw).Trim();
            if (begun.Length == 0)
                first = number;
            else
                line = $"{begun} {line}".TrimEnd();
            begun = line.EndsWith('\\') ? line[..^1].TrimEnd() : "";
            if (begun.Length == 0)
                yield return (first, line);
        }

        if (begun.Length > 0)
            yield return (first, begun);
    }

    private static ReadOnlySpan<char> WithoutCommentSpan(ReadOnlySpan<char> line)
    {
        var start = line.TrimStart();
        if (start.Length > 0 && start[0] is ';' or '#')
            return [];
        for (var i = 1; i < line.Length; i++)
        {
            if (line[i] == ';' && char.IsWhiteSpace(line[i - 1]))
                return line[..i];
        }

        return line;
    }

    private static string WithoutComment(string line) => WithoutCommentSpan(line).ToString();
}

/// <summary>A value with the place it was written, so that whoever understands it can complain about the right line.</summary>
/// <param name="Text">The value.</param>
/// <param name="File">The file; <c>built-in default</c> where no file says otherwise.</param>
/// <param name="Line">The line, from 1; 0 for a default.</param>
/// <param name="Key">The key as <c>section.name</c>.</param>
public sealed record ConfiguredValue(string Text, string File, int Line, string Key)
{
    public ConfigurationProblem Problem(string message) => new(File, Line, Key, message);
}
