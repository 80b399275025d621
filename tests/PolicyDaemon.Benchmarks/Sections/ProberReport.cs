using System.Globalization;
using PolicyDaemon.Benchmarks.Peers;
using PolicyDaemon.Benchmarks.Reports;

namespace PolicyDaemon.Benchmarks.Sections;

/// <summary>The table of the prober's rounds.</summary>
internal static class ProberReport
{
    private const double TolerableGrowth = 200; // MiB

    internal static ReportPart Write(
        ProbedZone zone, TimeSpan interval, IReadOnlyList<ProberRound> rounds, (long WithoutProberKiB, long PeakKiB) memory, int firstConnections)
    {
        var part = new ReportPart(
            "Prober",
            string.Create(
                CultureInfo.InvariantCulture,
                $"{zone.Destinations:N0} destinations, 20 % with a pin, behind {zone.Addresses:N0} addresses, looked at every {interval.TotalSeconds:0} s, three times; spacing between connections is off. ")
                + "DNS, SMTP and TLS are simulated on the same cores and cost as much as they would elsewhere. "
                + $"The first probe of an address makes {firstConnections} connections, one for each key algorithm that a server may have a certificate of; later ones make one. "
                + "Lookups: 16 connections at a moderate pace, all the time; idle is while nothing is looked at, between the rounds and in the same process. A look's processor time is policyd's own, that of the lookups taken away.",
            ["what", .. rounds.Select(round => $"round {round.Number}"), "aim"]);
        Row("addresses connected to", round => Number(round.Addresses), Number(zone.Addresses));
        Row("connections", round => Number(round.Connections.Count), $"{Number(zone.Addresses * firstConnections)}, then {Number(zone.Addresses)}");
        Row("addresses connected to more often", round => Number(round.ConnectedAgain(round.Number == 1 ? firstConnections : 1)), "0");
        Row("from first to last look, s", round => Number(round.Took.TotalSeconds), "");
        Row("looks a second", round => Number(zone.Destinations / round.Took.TotalSeconds), "at least 200");
        Row("addresses a second, over the first nine tenths of them", AddressRate, "at least 200 in round 1");
        Row("DNS questions", round => Number(round.Questions), "");
        var idleCpu = new Samples(rounds.SelectMany(round => round.IdleCpu.Values));
        Row("processor time of policyd for a look, µs", round => Number((round.Cpu.TotalMicroseconds - (idleCpu.Median * round.Watched.TotalMicroseconds)) / zone.Destinations), "");
        Row("processor time of the simulated servers for a look, µs", round => Number(round.PeersCpu.TotalMicroseconds / zone.Destinations), "");
        Row("lookups, 99th percentile during the round, µs", round => round.Busy.Summary, "");
        Row("lookups, 99th percentile idle behind it, µs", round => round.Idle.Summary, "");
        var pace = $"{ProberRound.LeastPace:0} to {ProberRound.MostPace:0} looks a second";
        Row($"lookups, 99th percentile at {pace}, µs", round => round.Paced.Summary, "");
        var idle = new Samples(rounds.SelectMany(round => round.Idle.Values));
        Row("during the round, as fast as it goes, to idle of all rounds", round => Ratio(round.Busy), "");
        var paced = new Samples(rounds.SelectMany(round => round.Paced.Values));
        Row($"at {pace}, all rounds, to idle of all rounds", round => round == rounds[^1] ? Ratio(paced) : "", "at most 2");
        Row("resident afterwards, MiB more than without the prober", round => Number((round.ResidentKiB - memory.WithoutProberKiB) / 1024.0), $"below {Number(TolerableGrowth)}");
        Row("resident of the process's own, MiB", round => Number(round.AnonymousKiB / 1024.0), "");
        part.Row(["the most that was resident at any time, MiB more", .. rounds.Select(round => round == rounds[^1] ? Number((memory.PeakKiB - memory.WithoutProberKiB) / 1024.0) : ""), $"below {Number(TolerableGrowth)}"]);
        Row("descriptors afterwards", round => Number(round.Descriptors), "the same after each");
        Row("threads afterwards", round => Number(round.Threads), "the same after each");
        return part;

        string Ratio(Samples during) => during.Count == 0 ? "" : Number(during.Median / idle.Median);

        void Row(string what, Func<ProberRound, string> measured, string aim) => part.Row([what, .. rounds.Select(measured), aim]);
    }

    // Towards the end nearly every address has been seen, and a look is seldom a probe.
    private static string AddressRate(ProberRound round)
    {
        var times = round.Connections.DistinctBy(one => one.Address).Select(one => one.At).ToArray();
        var share = times.Length * 9 / 10;
        return share < 2 ? "" : Number(share / (times[share - 1] - times[0]).TotalSeconds);
    }

    private static string Number(double value) => value.ToString(value < 100 ? "0.0" : "0", CultureInfo.InvariantCulture);

    private static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);
}
