using PolicyDaemon.Benchmarks.Reports;

namespace PolicyDaemon.Benchmarks.Sections;

/// <summary>Something that is measured and gives a part of the report.</summary>
internal interface ISection
{
    string Name { get; }

    Task<ReportPart> MeasureAsync(Bench bench);
}
