using System.Globalization;
using PolicyDaemon.Benchmarks.Peers;
using PolicyDaemon.Benchmarks.Reports;

namespace PolicyDaemon.Benchmarks.Sections;

/// <summary>The table of the prober's passes.</summary>
internal static class ProberReport
{
    private const double TolerableGrowth = 200; // MiB

    internal static ReportPart Write(
        ProbedZone zone, TimeSpan interval, IReadOnlyList<ProberPass> passes, (long WithoutProberKiB, long PeakKiB) memory, int firstConnections)
    {
        var part = new ReportPart(
            "Prober",
            string.Create(
                CultureInfo.InvariantCulture,
                $"{zone.Destinations:N0} destinations, 20 % with a pin, behind {zone.Addresses:N0} addresses, probed every {interval.TotalSeconds:0} s, three times; spacing between connections is off. ")
                + "DNS, SMTP and TLS are simulated on the same cores and cost as much as they would elsewhere. "
                + $"The first probe of an address makes {firstConnections} connections, one for each key algorithm that a server may have a certificate of; later ones make one. "
                + "Lookups: 16 connections at a moderate pace, all the time; idle is while nothing is probed, between the passes and in the same process. A probe's processor time is policyd's own, that of the lookups taken away.",
            ["what", .. passes.Select(pass => $"pass {pass.Number}"), "aim"]);
        Row("addresses connected to", pass => Number(pass.Addresses), Number(zone.Addresses));
        Row("connections", pass => Number(pass.Connections.Count), $"{Number(zone.Addresses * firstConnections)}, then {Number(zone.Addresses)}");
        Row("addresses connected to more often", pass => Number(pass.ConnectedAgain(pass.Number == 1 ? firstConnections : 1)), "0");
        Row("from first to last probe, s", pass => Number(pass.Took.TotalSeconds), "");
        Row("probes a second", pass => Number(zone.Destinations / pass.Took.TotalSeconds), "at least 200");
        Row("addresses a second, over the first nine tenths of them", AddressRate, "at least 200 in pass 1");
        Row("DNS questions", pass => Number(pass.Questions), "");
        var idleCpu = new Samples(passes.SelectMany(pass => pass.IdleCpu.Values));
        Row("processor time of policyd for a probe, µs", pass => Number((pass.Cpu.TotalMicroseconds - (idleCpu.Median * pass.Measured.TotalMicroseconds)) / zone.Destinations), "");
        Row("processor time of the simulated servers for a probe, µs", pass => Number(pass.PeersCpu.TotalMicroseconds / zone.Destinations), "");
        Row("lookups, 99th percentile during the pass, µs", pass => pass.Busy.Summary, "");
        Row("lookups, 99th percentile idle behind it, µs", pass => pass.Idle.Summary, "");
        var pace = $"{ProberPass.LeastPace:0} to {ProberPass.MostPace:0} probes a second";
        Row($"lookups, 99th percentile at {pace}, µs", pass => pass.Paced.Summary, "");
        var idle = new Samples(passes.SelectMany(pass => pass.Idle.Values));
        Row("during the pass, as fast as it goes, to idle of all passes", pass => Ratio(pass.Busy), "");
        var paced = new Samples(passes.SelectMany(pass => pass.Paced.Values));
        Row($"at {pace}, all passes, to idle of all passes", pass => pass == passes[^1] ? Ratio(paced) : "", "at most 2");
        Row("resident afterwards, MiB more than without the prober", pass => Number((pass.ResidentKiB - memory.WithoutProberKiB) / 1024.0), $"below {Number(TolerableGrowth)}");
        Row("resident of the process's own, MiB", pass => Number(pass.AnonymousKiB / 1024.0), "");
        part.Row(["the most that was resident at any time, MiB more", .. passes.Select(pass => pass == passes[^1] ? Number((memory.PeakKiB - memory.WithoutProberKiB) / 1024.0) : ""), $"below {Number(TolerableGrowth)}"]);
        Row("descriptors afterwards", pass => Number(pass.Descriptors), "the same after each");
        Row("threads afterwards", pass => Number(pass.Threads), "the same after each");
        return part;

        string Ratio(Samples during) => during.Count == 0 ? "" : Number(during.Median / idle.Median);

        void Row(string what, Func<ProberPass, string> measured, string aim) => part.Row([what, .. passes.Select(measured), aim]);
    }

    // Towards the end nearly every address has been connected to, and a destination takes over what another one showed.
    private static string AddressRate(ProberPass pass)
    {
        var times = pass.Connections.DistinctBy(one => one.Address).Select(one => one.At).ToArray();
        var share = times.Length * 9 / 10;
        return share < 2 ? "" : Number(share / (times[share - 1] - times[0]).TotalSeconds);
    }

    private static string Number(double value) => value.ToString(value < 100 ? "0.0" : "0", CultureInfo.InvariantCulture);

    private static string Number(long value) => value.ToString(CultureInfo.InvariantCulture);
}
