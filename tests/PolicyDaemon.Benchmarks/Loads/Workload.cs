using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace PolicyDaemon.Benchmarks.Loads;

/// <summary>A policy table and questions for it, always the same ones: as many misses as hits, in no order.</summary>
/// <remarks>Keys look like domains seen in mail, 12 to 35 octets; a fifth of the rows are pins, the others look like MTA-STS.</remarks>
internal sealed class Workload
{
    private static readonly string[] Words =
        ["acme", "mail", "nova", "blue", "delta", "river", "stone", "green", "cloud", "metro", "alpha", "north", "union", "prime"];

    private static readonly string[] Suffixes = ["com", "net", "org", "de", "example", "co.uk", "fr", "it"];

    private Workload(string directory, int rows)
    {
        Rows = rows;
        Table = Path.Combine(directory, FormattableString.Invariant($"table-{rows}"));
        Keys = Path.Combine(directory, FormattableString.Invariant($"keys-{rows}"));
    }

    internal int Rows { get; }

    /// <summary>The source of a Postfix table.</summary>
    internal string Table { get; }

    /// <summary>For the load generator: a key, a tab, H for a hit or M for a miss.</summary>
    internal string Keys { get; }

    internal static Workload Create(string directory, int rows)
    {
        var workload = new Workload(directory, rows);
        using (var table = new StreamWriter(workload.Table))
        {
            for (var index = 0; index < rows; index++)
                table.Write($"{Key(index)} {Policy(index)}\n");
        }

        // Of a large table a part is asked for, spread over all of it.
        var asked = Math.Min(rows, 500_000);
        var questions = Enumerable.Range(0, asked).Select(count => (int)((long)count * rows / asked))
            .SelectMany(index => (string[])[$"{Key(index)}\tH\n", $"{Key(index, miss: true)}\tM\n"]).ToArray();
        new Random(1).Shuffle(questions);
        File.WriteAllText(workload.Keys, string.Concat(questions));
        return workload;
    }

    internal static string Key(int index, bool miss = false)
    {
        var mixed = unchecked(((uint)index * 2654435761u) + (miss ? 77u : 0u));
        return string.Create(
            CultureInfo.InvariantCulture,
            $"{Words[mixed % 14]}{Words[(mixed >> 8) % 14]}-{index:D7}{(miss ? "x" : "")}.{Suffixes[(mixed >> 16) % 8]}");
    }

    private static string Policy(int index)
    {
        var key = Key(index);
        return index % 5 == 0
            ? $"fingerprint match={Convert.ToHexString(SHA256.HashData(Encoding.ASCII.GetBytes(key))).ToLowerInvariant()}"
            : $"secure match=mx1.{key}:mx2.{key} servername=hostname";
    }
}
