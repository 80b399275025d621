using System.Globalization;

namespace PolicyDaemon.Benchmarks.Reports;

/// <summary>One run as a Markdown page: the machine, how busy it was, and the tables.</summary>
internal sealed class Report(string command, bool isQuick)
{
    private readonly List<ReportPart> parts = [];
    private readonly string begin = Moment();

    internal void Add(ReportPart part) => parts.Add(part);

    internal string Write(string directory)
    {
        Directory.CreateDirectory(directory);
        var file = Path.Combine(directory, $"{command}.md");
        File.WriteAllText(file, ToString());
        return file;
    }

    public override string ToString()
    {
        List<string> lines =
        [
            $"# benchmarks {command}{(isQuick ? " --quick: too short to be quoted" : "")}",
            "",
            $"{Cpu()}, {Environment.ProcessorCount} cores, Linux {Environment.OSVersion.Version}; {Machine.Cores.Description}.",
            $"Begin: {begin}. End: {Moment()}.",
            "",
            .. parts.SelectMany(part => part.Lines()),
        ];
        return string.Join('\n', lines).TrimEnd() + "\n";
    }

    // Load of others makes every figure worse, processor time per request least.
    private static string Moment() => string.Create(
        CultureInfo.InvariantCulture,
        $"{TimeProvider.System.GetUtcNow():yyyy-MM-dd HH:mm:ss} UTC, load average {File.ReadAllText("/proc/loadavg").Split(' ')[0]}");

    private static string Cpu() => File.ReadLines("/proc/cpuinfo")
        .Where(line => line.StartsWith("model name", StringComparison.Ordinal))
        .Select(line => line[(line.IndexOf(':', StringComparison.Ordinal) + 2)..]).FirstOrDefault() ?? "unknown processor";
}
