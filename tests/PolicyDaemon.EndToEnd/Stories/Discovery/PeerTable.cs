using System.Text;
using PolicyDaemon.EndToEnd.Lab;

namespace PolicyDaemon.EndToEnd.Stories.Discovery;

/// <summary>A table of what policyd and postfix-mta-sts-resolver answer in the same situations; <c>FIGURES.md</c> of the benchmarks has it.</summary>
internal sealed class PeerTable
{
    private const string Title = "## Discovery beside postfix-mta-sts-resolver";

    // A busy machine may let the other one miss its own deadlines.
    private const int Tries = 5;

    private readonly StringBuilder _text = new("| row | what the domain publishes | its policy | postfix-mta-sts-resolver | policyd |\n|---|---|---|---|---|\n");

    public void Add(string row, string publishes, string policy, string theirs, string ours) => _text.Append($"| {row} | {publishes} | {policy} | {theirs} | {ours} |\n");

    /// <summary>The same, asking the other one again while its answer is not the published one.</summary>
    public async Task AddAsync(string row, string publishes, string policy, Func<Task<string>> theirs, string ours)
    {
        var published = await SectionAsync();
        for (var tries = 1; ; tries++)
        {
            var line = $"| {row} | {publishes} | {policy} | {await theirs()} | {ours} |\n";
            if (tries < Tries && !published.Contains(line, StringComparison.Ordinal)) continue;
            _text.Append(line);
            return;
        }
    }

    /// <summary>An answer in one or two words.</summary>
    public static string Word(string answer) => answer switch
    {
        _ when answer.StartsWith("OK secure ", StringComparison.Ordinal) => "secure",
        _ when answer.StartsWith("OK ", StringComparison.Ordinal) => answer[3..],
        _ when answer.StartsWith("NOTFOUND", StringComparison.Ordinal) => "not found",
        _ => answer,
    };

    /// <summary>Asserts that the table is the one that is published; what it should be is left in artifacts.</summary>
    public async Task AssertPublishedAsync()
    {
        var section = await SectionAsync();
        var table = _text.ToString();
        var left = Path.Combine(Directory.CreateDirectory(Path.Combine(Repository.Root, "artifacts")).FullName, "discovery-peers.md");
        await File.WriteAllTextAsync(left, table);
        Assert.True(section.Contains("\n\n" + table, StringComparison.Ordinal), $"the section \"{Title}\" of FIGURES.md has another table than this run ({left}):\n{table}");
    }

    private static async Task<string> SectionAsync()
    {
        var figures = await File.ReadAllTextAsync(Path.Combine(Repository.Root, "tests", "PolicyDaemon.Benchmarks", "FIGURES.md"));
        if (figures.IndexOf(Title, StringComparison.Ordinal) is not (var start and >= 0)) return "";
        var section = figures[(start + Title.Length)..];
        return section.IndexOf("\n## ", StringComparison.Ordinal) is var end and >= 0 ? section[..end] : section;
    }
}
