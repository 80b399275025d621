using System.Text.RegularExpressions;
using PolicyDaemon.Tests.Support;

namespace PolicyDaemon.Tests.Packaging;

/// <summary>The source of a manual page in mdoc(7), as far as the tests read it.</summary>
internal sealed partial class ManualPage
{
    private readonly string[] lines;

    private ManualPage(string[] lines) => this.lines = lines;

    internal static ManualPage Read(string name) =>
        new([.. File.ReadLines(Repository.Path("packaging", "man", name)).Where(line => !line.StartsWith(".\\\"", StringComparison.Ordinal))]);

    internal string Text => string.Join('\n', lines);

    /// <summary>A section without its subsections.</summary>
    internal ManualPage Section(string title) => Between(".Sh", title);

    internal ManualPage Subsection(string title) => Between(".Ss", title);

    internal IEnumerable<string> Subsections =>
        lines.Where(line => line.StartsWith(".Ss ", StringComparison.Ordinal)).Select(line => line[4..].Trim('"'));

    /// <summary>Every option named with Fl, as it is written on the command line.</summary>
    internal ISet<string> Options =>
        Flag().Matches(Text).Select(match => "-" + match.Groups[1].Value.Replace("\\&", "", StringComparison.Ordinal)).ToHashSet(StringComparer.Ordinal);

    /// <summary>The list items that a macro introduces, such as Ic.</summary>
    internal IEnumerable<string> Items(string macro) =>
        lines.Where(line => line.StartsWith($".It {macro} ", StringComparison.Ordinal)).Select(line => line.Split(' ')[2]);

    private ManualPage Between(string macro, string title)
    {
        var start = Array.FindIndex(lines, line => line == $"{macro} {title}" || line == $"{macro} \"{title}\"");
        Xunit.Assert.True(start >= 0, $"no {macro} {title}");
        var end = Array.FindIndex(lines, start + 1, line => line.StartsWith(".Sh ", StringComparison.Ordinal)
            || (macro == ".Ss" && line.StartsWith(".Ss ", StringComparison.Ordinal)));
        return new(lines[(start + 1)..(end < 0 ? lines.Length : end)]);
    }

    [GeneratedRegex(@"(?<=^\.|\s)Fl (\S+)", RegexOptions.Multiline)]
    private static partial Regex Flag();
}
