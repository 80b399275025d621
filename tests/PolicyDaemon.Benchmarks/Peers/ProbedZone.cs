using System.Diagnostics;
using System.Globalization;

namespace PolicyDaemon.Benchmarks.Peers;

/// <summary>The zone of destinations behind a smaller number of mail servers, one MX and one address each. Counts the looks.</summary>
/// <remarks>A look asks for a destination's MX once, whatever else it shares with others: so every look of every round is seen here,
/// and a round is over when each destination has been asked for once more.</remarks>
internal sealed class ProbedZone(int destinations, int addresses, int rounds)
{
    private readonly Lock guard = new();
    private readonly Stopwatch clock = Stopwatch.StartNew();
    private readonly int[] looks = new int[destinations];
    private readonly int[] reached = new int[rounds + 2];
    private readonly TimeSpan[] first = new TimeSpan[rounds + 2];
    private readonly TimeSpan[] last = new TimeSpan[rounds + 2];

    private int total;

    internal int Destinations => destinations;

    internal int Addresses => addresses;

    internal static string Key(int index) => string.Create(CultureInfo.InvariantCulture, $"d{index:D6}.probed.example");

    /// <summary>All looks so far.</summary>
    internal int Looks
    {
        get
        {
            lock (guard)
                return total;
        }
    }

    /// <summary>How many destinations have been looked at so many times or more.</summary>
    internal int Reached(int round)
    {
        lock (guard)
            return reached[round];
    }

    /// <summary>From a round's first look to its last so far.</summary>
    internal TimeSpan Took(int round)
    {
        lock (guard)
            return last[round] - first[round];
    }

    /// <summary>Every destination has had its look, and the last one has had the time to end.</summary>
    internal bool IsOver(int round, TimeSpan quiet)
    {
        lock (guard)
            return reached[round] == destinations && clock.Elapsed - last[round] >= quiet;
    }

    internal byte[]? Answer(string name, ushort type)
    {
        var label = name.Split('.')[0];
        if (type == SimulatedDns.MailType && name.EndsWith(".probed.example", StringComparison.Ordinal))
        {
            var index = int.Parse(label.AsSpan(1), CultureInfo.InvariantCulture);
            Count(index);
            return SimulatedDns.Mail($"mx{index % addresses}.hosts.example");
        }

        if (type != SimulatedDns.AddressType || !name.EndsWith(".hosts.example", StringComparison.Ordinal))
            return null;
        var number = int.Parse(label.AsSpan(2), CultureInfo.InvariantCulture);
        return [127, 8, (byte)(number >> 8), (byte)number];
    }

    private void Count(int index)
    {
        lock (guard)
        {
            total++;
            var round = ++looks[index];
            if (round >= reached.Length)
                return;
            if (reached[round]++ == 0)
                first[round] = clock.Elapsed;
            last[round] = clock.Elapsed;
        }
    }
}
