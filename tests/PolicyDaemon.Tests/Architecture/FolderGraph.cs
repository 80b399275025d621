using System.Text.RegularExpressions;

namespace PolicyDaemon.Tests.Architecture;

/// <summary>Which folder of a library refers to which other one, read from the sources.</summary>
/// <remarks>
/// <para>A folder is a namespace; the library's root is the folder <c>""</c>, and a folder inside another one stands for itself.
/// An arrow leads from a folder to another one of the same library where a file of the first has a <c>using</c> for the second
/// (which covers extension methods), or names a type that is declared at the second's top level: an identifier in the code, not
/// in a string or a comment, and not after a dot, where it would be a member that happens to bear a type's name.</para>
/// <para>A member declared under the name of a type elsewhere would be taken for an arrow: such a name helps no reader either.</para>
/// </remarks>
internal sealed partial class FolderGraph
{
    private readonly Dictionary<(string From, string To), string> arrows = [];

    private FolderGraph(IEnumerable<string> folders) => Folders = [.. folders.Distinct().Order(StringComparer.Ordinal)];

    public IReadOnlyList<string> Folders { get; }

    /// <summary>Every arrow with one place that draws it.</summary>
    public IReadOnlyDictionary<(string From, string To), string> Arrows => arrows;

    /// <summary>Reads a library.</summary>
    /// <param name="library">The namespace of its root, such as <c>PolicyDaemon.Core</c>.</param>
    /// <param name="directory">Where its sources lie.</param>
    public static FolderGraph Of(string library, string directory) => Of(
        library,
        Directory.EnumerateFiles(directory, "*.cs", SearchOption.AllDirectories)
            .Select(file => Path.GetRelativePath(directory, file))
            .Where(file => file.Split('/')[0] is not ("obj" or "bin"))
            .Order(StringComparer.Ordinal)
            .Select(file => (file, File.ReadAllText(Path.Combine(directory, file)))));

    public static FolderGraph Of(string library, IEnumerable<(string File, string Text)> sources)
    {
        var files = sources.Select(source =>
            (source.File, Folder: Path.GetDirectoryName(source.File)!, Tokens: CSharpTokens.Of(source.Text).ToList(), source.Text)).ToList();
        var graph = new FolderGraph(files.Select(file => file.Folder));
        var owners = files.SelectMany(file => TypesOf(file.Tokens).Select(type => (type, file.Folder)))
            .ToLookup(pair => pair.type, pair => pair.Folder, StringComparer.Ordinal);
        foreach (var (file, folder, tokens, text) in files)
        {
            foreach (var match in Usings().Matches(text).Where(match => IsOf(library, match.Groups[1].Value)))
                graph.Draw(folder, match.Groups[1].Value[library.Length..].TrimStart('.').Replace('.', '/'), $"{file}: {match.Value.Trim()}");
            for (var i = 0; i < tokens.Count; i++)
            {
                // A folder's own type hides that of another folder with the same name.
                if ((i == 0 || tokens[i - 1] != ".") && owners.Contains(tokens[i]) && !owners[tokens[i]].Contains(folder))
                    graph.Draw(folder, owners[tokens[i]].First(), $"{file}: {tokens[i]}");
            }
        }

        return graph;
    }

    /// <summary>Arrows inside circles: those between two folders that each lead to the other, directly or over others.</summary>
    public IEnumerable<string> Circles() =>
        arrows.Where(arrow => Reaches(arrow.Key.To, arrow.Key.From)).Select(arrow => Said(arrow.Key, arrow.Value)).Order(StringComparer.Ordinal);

    /// <summary>Arrows from a folder to one that comes later in this order.</summary>
    public IEnumerable<string> Against(string[] order) =>
        arrows.Where(arrow => Array.IndexOf(order, arrow.Key.From) < Array.IndexOf(order, arrow.Key.To)).Select(arrow => Said(arrow.Key, arrow.Value)).Order(StringComparer.Ordinal);

    private static bool IsOf(string library, string name) => name == library || name.StartsWith(library + ".", StringComparison.Ordinal);

    private static string Said((string From, string To) arrow, string place) => $"{arrow.From} -> {arrow.To} ({place})";

    private void Draw(string from, string to, string place)
    {
        if (from != to)
            arrows.TryAdd((from, to), place);
    }

    private bool Reaches(string from, string to)
    {
        var reached = new HashSet<string>(StringComparer.Ordinal) { from };
        var waiting = new Queue<string>([from]);
        while (waiting.TryDequeue(out var folder))
        {
            foreach (var next in arrows.Keys.Where(arrow => arrow.From == folder).Select(arrow => arrow.To).Where(reached.Add))
                waiting.Enqueue(next);
        }

        return reached.Contains(to);
    }

    private static IEnumerable<string> TypesOf(List<string> tokens)
    {
        var depth = 0;
        for (var i = 0; i < tokens.Count; i++)
        {
            depth += tokens[i] switch { "{" => 1, "}" => -1, _ => 0 };
            if (depth != 0 || i + 1 == tokens.Count || tokens[i] is not ("class" or "struct" or "interface" or "enum" or "record" or "delegate"))
                continue;
            if (tokens[i] == "delegate")
                yield return tokens[tokens.Skip(i).TakeWhile(token => token != "(").Count() + i - 1];
            // "where T : struct, Enum" declares nothing.
            else if ((tokens[i] != "record" || tokens[i + 1] is not ("class" or "struct")) && (char.IsLetter(tokens[i + 1][0]) || tokens[i + 1][0] == '_'))
                yield return tokens[i + 1];
        }
    }

    [GeneratedRegex(@"^using (?:static )?(?:\w+ = )?(PolicyDaemon[\w.]*);", RegexOptions.Multiline)]
    private static partial Regex Usings();
}
