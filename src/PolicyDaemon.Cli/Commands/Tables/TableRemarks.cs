using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;

namespace PolicyDaemon.Cli.Commands.Tables;

/// <summary>The remarks about the rows of a table, each cause once: the first row's remark, and which rows have the same.</summary>
internal static partial class TableRemarks
{
    // Of more the numbers of their lines would fill the screen.
    private const int MostRanges = 12;

    /// <param name="file">The table's name, with which a remark begins.</param>
    /// <param name="remarks">As <c>FILE:LINE: KEY: what is wrong with it</c>, or about the file as a whole.</param>
    internal static IEnumerable<string> Grouped(string file, IEnumerable<string> remarks)
    {
        foreach (var same in remarks.Select(remark => Read(file, remark)).GroupBy(remark => remark.Cause, StringComparer.Ordinal))
        {
            var all = same.ToList();
            var lines = all.Select(one => one.Line).Distinct().Order().ToList();
            // A reader says of large numbers itself how many there are.
            yield return all.Count == 1 ? all[0].Text
                : lines.Count == 1 ? string.Create(CultureInfo.InvariantCulture, $"{all[0].Text} ({all.Count} times in line {lines[0]})")
                : string.Create(CultureInfo.InvariantCulture, $"{all[0].Text} ({lines.Count} rows: lines {Lines(lines)})");
        }
    }

    private static (int Line, string Cause, string Text) Read(string file, string remark)
    {
        if (!remark.StartsWith(file + ":", StringComparison.Ordinal) || Place().Match(remark[file.Length..]) is not { Success: true } place)
            return (0, remark, remark);
        var text = remark[(file.Length + place.Length)..];
        // A remark begins with the key, and may name its domain again.
        var first = text.Split(' ', 2)[0];
        var key = first.TrimEnd(':');
        var isKey = first.Length > key.Length || key.Contains('.', StringComparison.Ordinal) || key.Contains('[', StringComparison.Ordinal);
        var cause = isKey ? text.Replace(key, "", StringComparison.Ordinal).Replace(key.TrimStart('.'), "", StringComparison.Ordinal) : text;
        return (int.Parse(place.Groups[1].Value, CultureInfo.InvariantCulture), Varying().Replace(cause, ""), remark);
    }

    /// <summary><c>1, 3-7, 9</c></summary>
    private static string Lines(List<int> lines)
    {
        var text = new StringBuilder();
        var ranges = 0;
        for (var i = 0; i < lines.Count; i++)
        {
            var first = lines[i];
            while (i + 1 < lines.Count && lines[i + 1] == lines[i] + 1)
                i++;
            if (++ranges > MostRanges)
                return text.Append(", ...").ToString();
            text.Append(CultureInfo.InvariantCulture, $"{(text.Length > 0 ? ", " : "")}{first}{(lines[i] > first ? $"-{lines[i]}" : "")}");
        }

        return text.ToString();
    }

    [GeneratedRegex("^:([0-9]{1,9}): ")]
    private static partial Regex Place();

    // What was written, what was perhaps meant, fingerprints: the cause is the same.
    [GeneratedRegex("[0-9a-f]{32,128}|\\(of line [0-9]+\\)|'[^']*'|; did you mean .*|; write one of .*|[0-9]+")]
    private static partial Regex Varying();
}
