using PolicyDaemon.Benchmarks.Machine;
using PolicyDaemon.Benchmarks.Parts;
using PolicyDaemon.Benchmarks.Reports;
using PolicyDaemon.Benchmarks.Sections;

namespace PolicyDaemon.Benchmarks;

/// <summary>The command line: what is measured, and where the table goes.</summary>
internal static class Command
{
    private const string Usage = """
        usage: benchmarks COMMAND [--quick] [--output DIR] [--binaries DIR]

          run       lookups, postmap, resolver and memory, in this order, in one table
          lookups   policyd beside the yardstick: 1, 16, 100 and 1,000 connections over unix socket, TCP, tcp_table
          postmap   policyd beside hash:, lmdb:, cdb: and sqlite: tables with the same rows
          resolver  policyd beside postfix-mta-sts-resolver with a warm cache
          memory    start to first answer, idle memory, 20,000 short connections, 10,000 idle ones
          scale     1,000,000 destinations: import, start, memory, changes
          discovery destinations without an entry: first sights, discoveries a second, lookups beside them, a million verdicts
          eyes      the pages over 1,000,000 destinations: size, time, memory, and what looking costs policyd
          fleet     a store on PostgreSQL: 200 nodes, 50 writers, failover, an outage, 100 takeovers, a million destinations there and back
          prober    100,000 destinations behind 5,000 simulated MX addresses, three passes
          parts     parse, normalise, find, write: time and octets allocated (BenchmarkDotNet)

        --quick     fewer and shorter rounds, a tenth of the destinations: shows that it works, not how fast it is
        --output    where COMMAND.md is written; default: artifacts/benchmarks
        --binaries  published policyd, policyctl and policyd-web; default: publishes them first
        """;

    internal static async Task<int> RunAsync(string[] args)
    {
        if (Options.Parse(args) is not { } options)
        {
            await Console.Error.WriteLineAsync(Usage);
            return 2;
        }

        ISection[] sections = options.Command switch
        {
            "run" => [new LookupSection(), new PostmapSection(), new ResolverSection(), new MemorySection()],
            "lookups" => [new LookupSection()],
            "postmap" => [new PostmapSection()],
            "resolver" => [new ResolverSection()],
            "memory" => [new MemorySection()],
            "scale" => [new ScaleSection()],
            "eyes" => [new EyesSection()],
            "fleet" => [new FleetSection()],
            "prober" => [new ProberSection()],
            "discovery" => [new DiscoverySection()],
            _ => [],
        };
        if (options.Command != "parts" && sections.Length == 0)
        {
            await Console.Error.WriteLineAsync(Usage);
            return 2;
        }

        // Everything but the parts opens ports and mounts a resolver's configuration: in namespaces that end with it.
        if (sections.Length > 0 && !Namespaces.AreOurs)
            return await Namespaces.RunInsideAsync(await Toolchain.PrepareAsync(options));

        var report = new Report(options.Command, options.Quick);
        if (sections.Length == 0)
            report.Add(PartsRun.Measure(options));
        if (sections.Length > 0)
        {
            await Namespaces.SetUpAsync();
            await using var bench = new Bench(options);
            foreach (var section in sections)
            {
                Console.Error.WriteLine($"-- {section.Name}");
                report.Add(await section.MeasureAsync(bench));
                // What is measured is kept, whatever the next section meets.
                report.Write(options.Output);
            }
        }

        var file = report.Write(options.Output);
        Console.Out.Write(report.ToString());
        Console.Error.WriteLine($"written to {file}");
        return 0;
    }
}
