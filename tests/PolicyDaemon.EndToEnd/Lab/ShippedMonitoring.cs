using System.Text.Json;
using System.Text.RegularExpressions;

namespace PolicyDaemon.EndToEnd.Lab;

/// <summary>What packaging/monitoring asks of Prometheus.</summary>
internal static partial class ShippedMonitoring
{
    public static string Folder { get; } = Path.Combine(Repository.Root, "packaging", "monitoring");

    public static string Rules { get; } = Path.Combine(Folder, "policydaemon.rules.yml");

    /// <summary>The series that the rules ask for, ours and node_exporter's; compared with a limit a healthy daemon has no data.</summary>
    public static IReadOnlyList<string> Selectors() =>
    [
        .. File.ReadAllLines(Rules).Where(line => !line.Contains("summary:", StringComparison.Ordinal))
            .SelectMany(line => Selector.Matches(line).Select(match => match.Value)).Distinct(),
    ];

    /// <summary>The expressions of the dashboard, for every instance.</summary>
    public static IReadOnlyList<string> Expressions()
    {
        using var dashboard = JsonDocument.Parse(File.ReadAllText(Path.Combine(Folder, "policydaemon-dashboard.json")));
        return
        [
            .. dashboard.RootElement.GetProperty("panels").EnumerateArray().SelectMany(panel => panel.GetProperty("targets").EnumerateArray())
                .Select(target => target.GetProperty("expr").GetString()!.Replace("$instance", ".*", StringComparison.Ordinal)),
        ];
    }

    /// <summary>What of the rules and the dashboard has no data.</summary>
    /// <param name="has">Asks Prometheus.</param>
    /// <param name="expressions">Those to ask for.</param>
    public static async Task<IReadOnlyList<string>> WithoutDataAsync(IEnumerable<string> expressions, Func<string, Task<bool>> has)
    {
        var without = new List<string>();
        foreach (var expression in expressions)
        {
            if (!await has(expression))
                without.Add(expression);
        }

        return without;
    }

    [GeneratedRegex("""(?:policydaemon|node)_[a-z_]+(?:\{[^}]*\})?(?![./])""")]
    private static partial Regex Selector { get; }
}
