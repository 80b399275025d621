using System.Diagnostics;
using System.Globalization;

namespace PolicyDaemon.Benchmarks.Peers;

/// <summary>The zone of destinations behind a smaller number of mail servers, one MX and one address each. Counts the probes.</summary>
/// <remarks>A probe asks for a destination's MX once, whatever else it shares with others: so every probe of every pass is seen here,
/// and a pass is over when each destination has been asked for once more.</remarks>
internal sealed class ProbedZone(int destinations, int addresses, int passes)
{
    private readonly Lock guard = new();
    private readonly Stopwatch clock = Stopwatch.StartNew();
    private readonly int[] probes = new int[destinations];
    private readonly int[] reached = new int[passes + 2];
    private readonly TimeSpan[] first = new TimeSpan[passes + 2];
    private readonly TimeSpan[] last = new TimeSpan[passes + 2];

    private int total;

    internal int Destinations => destinations;

    internal int Addresses => addresses;

    internal static string Key(int index) => string.Create(CultureInfo.InvariantCulture, $"d{index:D6}.probed.example");

    /// <summary>All probes so far.</summary>
    internal int Probes
    {
        get
        {
            lock (guard)
                return total;
        }
    }

    /// <summary>How many destinations have been probed so many times or more.</summary>
    internal int Reached(int pass)
    {
        lock (guard)
            return reached[pass];
    }

    /// <summary>From a pass's first probe to its last so far.</summary>
    internal TimeSpan Took(int pass)
    {
        lock (guard)
            return last[pass] - first[pass];
    }

    /// <summary>Every destination has had its probe, and the last one has had the time to end.</summary>
    internal bool IsOver(int pass, TimeSpan quiet)
    {
        lock (guard)
            return reached[pass] == destinations && clock.Elapsed - last[pass] >= quiet;
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
            var pass = ++probes[index];
            if (pass >= reached.Length)
                return;
            if (reached[pass]++ == 0)
                first[pass] = clock.Elapsed;
            last[pass] = clock.Elapsed;
        }
    }
}
