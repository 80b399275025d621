using System.Globalization;
using System.Text;

namespace PolicyDaemon.Administration.Metrics;

/// <summary>The two text formats in which Prometheus is told metrics.</summary>
public enum MetricsFormat
{
    /// <summary>The Prometheus text format, version 0.0.4, which node_exporter's textfile collector reads, too.</summary>
    Prometheus,

    /// <summary>OpenMetrics 1.0.</summary>
    OpenMetrics,
}

/// <summary>The type of a family of metrics.</summary>
internal enum MetricType
{
    /// <summary>A figure that only grows, but for a restart; its name ends in <c>_total</c>.</summary>
    Counter,

    /// <summary>A figure of now.</summary>
    Gauge,

    /// <summary>How long something took, in buckets.</summary>
    Histogram,
}

/// <summary>Writes metrics as text.</summary>
/// <remarks>
/// Prometheus     # HELP NAME TEXT, # TYPE NAME TYPE, then NAME{LABEL="VALUE",...} NUMBER, one a line
/// OpenMetrics    the same; a counter's family is named without _total, # UNIT NAME seconds where it has one, and # EOF ends the text
/// Escaped        in label values backslash, quotation mark and line feed; in HELP backslash and line feed, in OpenMetrics the mark, too
/// Limit          64 KiB: a sample that would not fit is left out with all that comes after it in its family
/// See            https://prometheus.io/docs/instrumenting/exposition_formats/, OpenMetrics 1.0 sections 3 and 5
/// A writer of ours, because the libraries that do it bring reflection or a registry of live figures; promtool checks what it writes.
/// </remarks>
internal sealed class MetricsText(MetricsFormat format)
{
    /// <summary>The most that is written, in characters, which are ASCII but for a finding's subject.</summary>
    internal const int MaxLength = 64 * 1024;

    private const string Prefix = "policydaemon_";
    private const string CounterEnd = "_total";
    private const string Seconds = "_seconds";
    private const string End = "# EOF\n";

    private readonly StringBuilder text = new();
    private string family = "";
    private bool isFull;

    /// <summary>Begins a family; its samples follow.</summary>
    /// <param name="name">Without the prefix; a counter's ends in <c>_total</c>.</param>
    /// <param name="type">The type.</param>
    /// <param name="help">What it counts, in a line.</param>
    public MetricsText Family(string name, MetricType type, string help)
    {
        if ((type == MetricType.Counter) != name.EndsWith(CounterEnd, StringComparison.Ordinal))
            throw new ArgumentException($"{name}: the name of a counter, and no other, ends in {CounterEnd}", nameof(name));
        family = Prefix + name;
        var named = format == MetricsFormat.OpenMetrics && type == MetricType.Counter ? family[..^CounterEnd.Length] : family;
        var word = type switch
        {
            MetricType.Counter => "counter",
            MetricType.Histogram => "histogram",
            _ => "gauge",
        };
        // OpenMetrics section 4.1: the name of a family with a unit ends in it.
        var unit = format == MetricsFormat.OpenMetrics && named.EndsWith(Seconds, StringComparison.Ordinal) ? $"# UNIT {named} {Seconds[1..]}\n" : "";
        Append($"# HELP {named} {Escape(help, format == MetricsFormat.OpenMetrics)}\n# TYPE {named} {word}\n{unit}");
        return this;
    }

    /// <summary>Adds a sample of the family.</summary>
    public MetricsText Sample(double value, params ReadOnlySpan<(string Name, string Value)> labels) => Write("", value, labels);

    /// <summary>Adds a sample of one or zero.</summary>
    public MetricsText Sample(bool value, params ReadOnlySpan<(string Name, string Value)> labels) => Write("", value ? 1 : 0, labels);

    /// <summary>Adds a point in time, in seconds of Unix.</summary>
    public MetricsText Sample(DateTimeOffset value, params ReadOnlySpan<(string Name, string Value)> labels) =>
        Write("", value.ToUnixTimeMilliseconds() / 1000.0, labels);

    /// <summary>Adds the samples of a histogram.</summary>
    /// <param name="bounds">The upper bounds of the buckets, in seconds.</param>
    /// <param name="buckets">How many took at most as long as each.</param>
    /// <param name="count">All of them.</param>
    /// <param name="seconds">How long they took together.</param>
    public MetricsText Histogram(IReadOnlyList<double> bounds, IReadOnlyList<long> buckets, long count, double seconds)
    {
        for (var bucket = 0; bucket < Math.Min(bounds.Count, buckets.Count); bucket++)
            Write("_bucket", buckets[bucket], [("le", Bound(bounds[bucket]))]);
        Write("_bucket", count, [("le", "+Inf")]);
        Write("_sum", seconds, []);
        return Write("_count", count, []);
    }

    public override string ToString() => format == MetricsFormat.OpenMetrics ? text + End : text.ToString();

    private MetricsText Write(string suffix, double value, scoped ReadOnlySpan<(string Name, string Value)> labels)
    {
        var line = new StringBuilder(family).Append(suffix);
        for (var at = 0; at < labels.Length; at++)
            line.Append(at == 0 ? '{' : ',').Append(labels[at].Name).Append("=\"").Append(Escape(labels[at].Value, quotes: true)).Append('"');
        if (labels.Length > 0)
            line.Append('}');
        Append(line.Append(' ').Append(value.ToString("R", CultureInfo.InvariantCulture)).Append('\n').ToString());
        return this;
    }

    // What is cut off is the end, where the findings by name are; nothing is cut in the middle of a line.
    private void Append(string line)
    {
        isFull |= text.Length + line.Length > MaxLength - End.Length;
        if (!isFull)
            text.Append(line);
    }

    // OpenMetrics section 5.3: floats in canonical form, as Go and Python write them, so 1 is "1.0" and a microsecond is "1e-06".
    private string Bound(double bound) =>
        bound.ToString(bound < 0.0001 ? "0.###e-00" : format == MetricsFormat.OpenMetrics ? "0.0###" : "R", CultureInfo.InvariantCulture);

    private static string Escape(string value, bool quotes)
    {
        value = value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);
        return quotes ? value.Replace("\"", "\\\"", StringComparison.Ordinal) : value;
    }
}
