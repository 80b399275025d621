using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Discovery;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Tests.Core.Discovery;
using Xunit;

namespace PolicyDaemon.Tests.Packaging;

/// <summary>The truth table in policydaemon(7) says what discovery answers, row by row, at every level.</summary>
public sealed class TruthTableManualTests
{
    // The situations that a row is about, as DiscoveryScenario writes them; for a row whose answer depends on the best host, that host.
    private static readonly Dictionary<string, string[]> Situations = new()
    {
        ["1"] = ["S T10 T20", "S T10 X5", "0 T0", "w T0"],
        ["2"] = ["S N10", "S I10 N20", "0 N0", "w I0"],
        ["3"] = ["S T10 N20", "S T10 U20"],
        ["4"] = ["S N10 T20", "S T10 N10", "S U10 T20"],
        ["5"] = ["S U10", "S N10 U20", "0 u0"],
        ["6"] = ["S T10 E20", "S E10 T20", "S E10"],
        ["6 as 4"] = ["S N10 E20", "S U10 E20"],
        ["7"] = ["W T10", "W I10 U20", "W E10"],
        ["8"] = ["W I10", "W N10"],
        ["9"] = ["F "],
        ["10"] = ["D ", "Z ", "z "],
        ["11"] = ["S x10", "W x10 X20"],
        ["14"] = ["W I10", "S N10", "W T10"],
        ["host usable TLSA"] = ["T"],
        ["host a lookup fails"] = ["E", "x"],
        ["host anything else"] = ["N", "I", "U"],
        ["resolver"] = ["S T10", "W I10", "0 N0"],
    };

    private sealed record Line(string Row, string Hosts, string Without, string With);

    [Fact]
    public void Every_row_is_there_and_no_other()
    {
        var rows = Enum.GetValues<DiscoveryRow>().Select(row => row.Name()).ToHashSet();
        Assert.Equal(rows.Order(StringComparer.Ordinal), Lines().Select(line => line.Row).Distinct().Order(StringComparer.Ordinal));
        var manual = ManualPage.Read("policydaemon.7").Subsection("Discovery").Text;
        Assert.All(new[] { "12", "13" }, row => Assert.Contains($"\n.It {row}\n", manual, StringComparison.Ordinal));
    }

    [Fact]
    public void Every_answer_of_every_row_is_what_is_answered()
    {
        foreach (var line in Lines())
        {
            foreach (var level in Enum.GetValues<TlsLevel>())
            {
                foreach (var (key, name) in Keys(line))
                {
                    foreach (var situation in Situations[key])
                    {
                        if (line.Without.Length > 0)
                            Check(line, situation, level, enforce: false, Resolve(line.Without, name));
                        if (line.With.Length > 0)
                            Check(line, situation, level, enforce: true, Resolve(line.With, name));
                    }
                }
            }
        }
    }

    /// <summary>The situations of a line, and the row whose answer stands in for "as 3 or 4".</summary>
    private static IEnumerable<(string Key, string? As)> Keys(Line line) => line.Row switch
    {
        "6" => [("6", "3"), ("6 as 4", "4")],
        "host" => [($"host {line.Hosts}", null)],
        _ => [(line.Row, null)],
    };

    private static string Resolve(string cell, string? other) => cell == "as 3 or 4" ? Lines().Single(line => line.Row == other).Without : cell;

    private static void Check(Line line, string situation, TlsLevel level, bool enforce, string cell)
    {
        var (last, now) = cell.Split(", ") is ["last", var otherwise] ? (true, otherwise) : (false, cell);
        var scenario = Scenario(line, situation, level, enforce);
        var verdict = scenario.Use();
        Assert.Equal((line, situation, level, enforce, line.Row), (line, situation, level, enforce, verdict.Row.Name()));
        Assert.Equal((line, situation, level, enforce, Answer(now, level)), (line, situation, level, enforce, verdict.Answer.Name()));
        if (!last)
            return;

        // The same after all was well.
        scenario = Scenario(line, line.Row == "host" ? "T" : "S T10", level, enforce);
        scenario.IsVouched = true;
        Assert.Equal(DiscoveredAnswer.DaneOnly, scenario.Use().Answer);
        Set(scenario, line, situation);
        Assert.Equal((line, situation, level, enforce, "dane-only"), (line, situation, level, enforce, scenario.UseAfter(TimeSpan.FromHours(2)).Answer.Name()));
        Assert.Equal((line, situation, level, enforce, Answer(now, level)), (line, situation, level, enforce, scenario.UseAfter(TimeSpan.FromHours(25)).Answer.Name()));
    }

    private static DiscoveryScenario Scenario(Line line, string situation, TlsLevel level, bool enforce)
    {
        var scenario = new DiscoveryScenario { Key = NextHop.Parse(line.Row == "host" ? "[mx1.example.com]" : "example.com"), Settings = DiscoveryScenario.At(level) };
        Set(scenario, line, situation);
        if (enforce)
            scenario.Publish(line.Row == "14" ? DiscoveryScenario.Enforce.Replace("example.com", "example.net", StringComparison.Ordinal) : DiscoveryScenario.Enforce);
        return scenario;
    }

    private static void Set(DiscoveryScenario scenario, Line line, string situation)
    {
        scenario.IsVouched = line.Row != "resolver";
        if (line.Row == "host")
            scenario.Host("mx1.example.com", situation[0]);
        else
            scenario.Mx(situation[..1], situation[2..]);
    }

    /// <summary>What a cell of the table says at a level, by the manual's explanation of it.</summary>
    private static string Answer(string cell, TlsLevel level)
    {
        if (cell == "unknown")
            return level is TlsLevel.None or TlsLevel.May ? "dane" : "not-found";
        if (cell == "secure" && level == TlsLevel.DaneOnly)
            return "not-found";
        var answers = cell.Split('/');
        return answers[answers.Length > 1 && level is not (TlsLevel.None or TlsLevel.May or TlsLevel.Dane) ? 1 : 0].Replace(' ', '-');
    }

    private static List<Line> Lines()
    {
        var manual = ManualPage.Read("policydaemon.7").Subsection("Discovery").Text;
        var table = manual[manual.IndexOf("\nrow ", StringComparison.Ordinal)..];
        string[] rows = table[1..table.IndexOf("\n.Ed", StringComparison.Ordinal)].Split('\n');
        int[] starts = [0, .. new[] { " MX ", " MX hosts", " without", " with an" }.Select(title => rows[0].IndexOf(title, StringComparison.Ordinal) + 1), 80];
        string Cell(string row, int column) => row.PadRight(80)[starts[column]..starts[column + 1]].Trim();
        var lines = new List<Line>();
        // What stands below the header; a row without an answer goes on with the words of the one above.
        foreach (var row in rows.Skip(2).Where(row => Cell(row, 3).Length + Cell(row, 4).Length > 0))
            lines.Add(new Line(Cell(row, 0) is { Length: > 0 } name ? name : lines[^1].Row, Cell(row, 2), Cell(row, 3), Cell(row, 4)));
        return lines;
    }
}
