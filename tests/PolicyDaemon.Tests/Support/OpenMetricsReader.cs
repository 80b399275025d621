using System.Globalization;
using System.Text.RegularExpressions;

namespace PolicyDaemon.Tests.Support;

/// <summary>Reads OpenMetrics 1.0 as strictly as its specification is; whatever it does not allow is an exception that names the line.</summary>
/// <remarks>What our metrics have of it: counters, gauges and histograms, without timestamps, exemplars and _created.</remarks>
internal static partial class OpenMetricsReader
{
    private static readonly string[] Types = ["counter", "gauge", "histogram"];

    internal static IReadOnlyList<MetricFamily> Read(string text)
    {
        Require(text.EndsWith("\n# EOF\n", StringComparison.Ordinal), "the text does not end in # EOF and one line feed");
        Require(!text.Contains('\r', StringComparison.Ordinal), "a carriage return");
        var families = new List<MetricFamily>();
        foreach (var line in text[..^"# EOF\n".Length].TrimEnd('\n').Split('\n'))
        {
            if (line.StartsWith('#'))
                Metadata(families, line);
            else
                Sample(families, line);
        }

        foreach (var family in families)
            Check(family);
        return families;
    }

    private static void Metadata(List<MetricFamily> families, string line)
    {
        var match = MetadataLine().Match(line);
        Require(match.Success, line);
        var (word, name, value) = (match.Groups[1].Value, match.Groups[2].Value, match.Groups[3].Value);
        if (families.Count == 0 || families[^1].Name != name)
        {
            Require(families.All(family => family.Name != name), $"{name} is interleaved: {line}");
            families.Add(new MetricFamily(name));
        }

        var current = families[^1];
        Require(current.Samples.Count == 0, $"metadata behind samples: {line}");
        Require(current.Metadata.Add(word), $"twice: {line}");
        switch (word)
        {
            case "TYPE":
                Require(Types.Contains(value), line);
                current.Type = value;
                break;
            case "UNIT":
                Require(name.EndsWith("_" + value, StringComparison.Ordinal), $"the name does not end in the unit: {line}");
                current.Unit = value;
                break;
            default:
                Unescape(value, line);
                break;
        }
    }

    private static void Sample(List<MetricFamily> families, string line)
    {
        var match = SampleLine().Match(line);
        Require(match.Success, line);
        Require(families.Count > 0, line);
        var family = families[^1];
        var name = match.Groups[1].Value;
        var suffixes = family.Type switch
        {
            "counter" => ["_total"],
            "gauge" => [""],
            _ => (string[])["_bucket", "_sum", "_count"],
        };
        Require(suffixes.Any(suffix => name == family.Name + suffix), $"no sample of a {family.Type} {family.Name}: {line}");
        var labels = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (Match label in Label().Matches(match.Groups[2].Value))
            Require(labels.TryAdd(label.Groups[1].Value, Unescape(label.Groups[2].Value, line)), $"a label twice: {line}");
        var value = double.Parse(match.Groups[3].Value, NumberStyles.Float, CultureInfo.InvariantCulture);
        Require(family.Type == "gauge" || value >= 0, $"below zero: {line}");
        var sample = new MetricSample(name, labels, value);
        Require(family.Samples.All(other => other.Name != name || !Same(other.Labels, labels)), $"a sample twice: {line}");
        family.Samples.Add(sample);
    }

    private static void Check(MetricFamily family)
    {
        Require(family.Metadata.IsSupersetOf(["HELP", "TYPE"]), $"{family.Name} lacks HELP or TYPE");
        Require(!family.Name.EndsWith("_seconds", StringComparison.Ordinal) || family.Unit == "seconds", $"{family.Name} has no unit");
        if (family.Type != "histogram" || family.Samples.Count == 0)
            return;
        var buckets = family.Samples.Where(sample => sample.Name.EndsWith("_bucket", StringComparison.Ordinal)).ToList();
        Require(buckets.All(bucket => Canonical().IsMatch(bucket.Labels["le"])), $"{family.Name}: a bound that is not in canonical form");
        Require(buckets[^1].Labels["le"] == "+Inf", $"{family.Name} has no bucket for everything");
        Require(buckets.Zip(buckets.Skip(1)).All(pair => pair.First.Value <= pair.Second.Value), $"{family.Name}: buckets that shrink");
        var bounds = buckets[..^1].Select(bucket => double.Parse(bucket.Labels["le"], NumberStyles.Float, CultureInfo.InvariantCulture)).ToList();
        Require(bounds.SequenceEqual(bounds.Order()), $"{family.Name}: bounds out of order");
        Require(family.Samples.Single(sample => sample.Name.EndsWith("_count", StringComparison.Ordinal)).Value == buckets[^1].Value, $"{family.Name}: another count");
    }

    private static bool Same(Dictionary<string, string> one, Dictionary<string, string> other) =>
        one.Count == other.Count && one.All(label => other.TryGetValue(label.Key, out var value) && value == label.Value);

    private static string Unescape(string text, string line)
    {
        Require(Escaped().IsMatch(text), $"an escape that there is not: {line}");
        return Escape().Replace(text, match => match.Value[1] == 'n' ? "\n" : match.Value[1..]);
    }

    private static void Require(bool holds, string what)
    {
        if (!holds)
            throw new FormatException(what);
    }

    [GeneratedRegex("^# (HELP|TYPE|UNIT) ([a-zA-Z_:][a-zA-Z0-9_:]*) ([^\n]+)$")]
    private static partial Regex MetadataLine();

    [GeneratedRegex("""^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{((?:[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\]|\\.)*",?)*(?<!,))\})? ([-+]?[0-9]+(?:\.[0-9]+)?(?:[eE][-+]?[0-9]+)?)$""")]
    private static partial Regex SampleLine();

    [GeneratedRegex("""([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\]|\\.)*)"(?:,|$)""")]
    private static partial Regex Label();

    [GeneratedRegex("""^(?:[^\\"]|\\["\\n])*$""")]
    private static partial Regex Escaped();

    [GeneratedRegex("""\\["\\n]""")]
    private static partial Regex Escape();

    // OpenMetrics section 5.3: 1e-05, 0.0001, 0.25, 1.0, 3600.0.
    [GeneratedRegex("""^(?:\+Inf|[0-9]+\.[0-9]+|[1-9](?:\.[0-9]+)?e-[0-9]{2})$""")]
    private static partial Regex Canonical();
}

/// <summary>A family of metrics that was read.</summary>
internal sealed class MetricFamily(string name)
{
    internal string Name => name;

    internal string Type { get; set; } = "";

    internal string? Unit { get; set; }

    internal HashSet<string> Metadata { get; } = new(StringComparer.Ordinal);

    internal List<MetricSample> Samples { get; } = [];
}

/// <summary>A sample that was read.</summary>
internal sealed record MetricSample(string Name, Dictionary<string, string> Labels, double Value);
