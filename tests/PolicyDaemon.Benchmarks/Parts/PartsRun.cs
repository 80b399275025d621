using System.Globalization;
using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Loggers;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using PolicyDaemon.Benchmarks.Reports;

namespace PolicyDaemon.Benchmarks.Parts;

/// <summary>Runs BenchmarkDotNet over the parts and makes its summary a table like the others.</summary>
internal static class PartsRun
{
    internal static ReportPart Measure(Options options)
    {
        // In this process: the package's own way builds a project per run, and the network may be out of reach.
        var job = (options.Quick ? Job.Dry : Job.ShortRun).WithToolchain(InProcessEmitToolchain.Instance);
        var config = ManualConfig.CreateEmpty().AddJob(job).AddLogger(NullLogger.Instance).AddColumnProvider(DefaultColumnProviders.Instance)
            .WithArtifactsPath(Path.Combine(options.Output, "BenchmarkDotNet"));
        var summary = BenchmarkRunner.Run<LookupParts>(config);
        var part = new ReportPart(
            "Parts of a lookup",
            "Under the JIT compiler, which the published program does not use; 10,000 rows. Whole: from the request's octets to the reply's. "
                + "Aim: nothing allocated for a hit or a miss with an ASCII key.",
            "asked", "part", "ns", "standard deviation", "octets allocated");
        foreach (var report in summary.Reports)
        {
            var result = report.ResultStatistics
                ?? throw new BenchmarkException($"BenchmarkDotNet has no result for {report.BenchmarkCase.DisplayInfo}");
            part.Row(
                report.BenchmarkCase.Parameters["Asked"].ToString()!, report.BenchmarkCase.Descriptor.WorkloadMethod.Name,
                result.Mean.ToString("0.0", CultureInfo.InvariantCulture), result.StandardDeviation.ToString("0.0", CultureInfo.InvariantCulture),
                (report.GcStats.GetBytesAllocatedPerOperation(report.BenchmarkCase) ?? -1).ToString(CultureInfo.InvariantCulture));
        }

        return part;
    }
}
