using System.Globalization;
using PolicyDaemon.Benchmarks.Machine;

namespace PolicyDaemon.Benchmarks.Loads;

/// <summary>Runs the load generator, native/load.c.</summary>
/// <param name="Connections">One request under way in each.</param>
/// <param name="Seconds">How long, beside a quarter of a second of warming up.</param>
internal sealed record Load(Endpoint Endpoint, string Keys, int Connections, double Seconds)
{
    /// <summary>Each connection pauses so long after a reply; zero asks again at once.</summary>
    internal TimeSpan Pace { get; init; }

    /// <summary>It has a core whenever it wants one, so that beside others it measures the server and not itself.</summary>
    internal bool GoesFirst { get; init; }

    /// <summary>Each connection asks once.</summary>
    internal bool AsksOnce { get; init; }

    /// <summary>Instead of lasting some seconds: so many times connect, ask, close.</summary>
    internal int Churn { get; init; }

    internal async Task<LoadSample> RunAsync(Bench bench, Server server)
    {
        List<string> command = [.. GoesFirst ? Cores.FirstClient : Cores.Client, Toolchain.Native(bench.Options, "load"),
            Endpoint.Protocol, Endpoint.Text, Keys, Text(Connections), Text(Seconds), Text(server.Pid)];
        if (Churn > 0)
            command.AddRange(["churn", Text(Churn)]);
        else if (AsksOnce)
            command.Add("churn");
        else if (Pace > TimeSpan.Zero)
            command.AddRange(["pace", Text(Pace.TotalMicroseconds)]);
        return LoadSample.Parse(await Run.AsyncOrThrow(command[0], command[1..]));
    }

    private static string Text(IFormattable value) => value.ToString(null, CultureInfo.InvariantCulture);
}
