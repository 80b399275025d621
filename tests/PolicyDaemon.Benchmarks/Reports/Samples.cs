using System.Globalization;

namespace PolicyDaemon.Benchmarks.Reports;

/// <summary>Several measurements of one thing: their median and how far they lie apart.</summary>
internal sealed class Samples
{
    private readonly List<double> values = [];

    internal Samples()
    {
    }

    internal Samples(IEnumerable<double> values) => this.values.AddRange(values);

    internal double Median
    {
        get
        {
            var sorted = values.Order().ToArray();
            return sorted.Length % 2 == 1 ? sorted[sorted.Length / 2] : (sorted[(sorted.Length / 2) - 1] + sorted[sorted.Length / 2]) / 2;
        }
    }

    internal IEnumerable<double> Values => values;

    internal int Count => values.Count;

    internal void Add(double value) => values.Add(value);

    /// <summary>As <see cref="WithSpread"/>; nothing where nothing was measured.</summary>
    internal string Summary => Count == 0 ? "" : WithSpread("0");

    /// <summary>The median alone.</summary>
    internal string Text(string format = "0.00") => Median.ToString(format, CultureInfo.InvariantCulture);

    /// <summary>The smallest and the largest.</summary>
    internal string Spread(string format = "0.00") => $"{Format(values.Min(), format)} to {Format(values.Max(), format)}";

    /// <summary>The median, with the smallest and the largest.</summary>
    internal string WithSpread(string format = "0.00") => $"{Text(format)} ({Spread(format)})";

    private static string Format(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
}
