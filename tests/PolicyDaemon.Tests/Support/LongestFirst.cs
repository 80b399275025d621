using PolicyDaemon.Tests.Cli;
using PolicyDaemon.Tests.Core.Discovery;
using PolicyDaemon.Tests.Core.Rotation;
using PolicyDaemon.Tests.Daemon.Alerts;
using PolicyDaemon.Tests.Lookup.Listening;
using PolicyDaemon.Tests.Probe.Scheduling;
using PolicyDaemon.Tests.Remedies;
using PolicyDaemon.Tests.Store.Probing;
using PolicyDaemon.Tests.Support;
using Xunit;
using Xunit.Sdk;
using Xunit.v3;

[assembly: TestCollectionOrderer(typeof(LongestFirst))]

namespace PolicyDaemon.Tests.Support;

/// <summary>Begins with the classes that take longest, so that none of them is left over at the end while the other threads have nothing to do.</summary>
public sealed class LongestFirst : ITestCollectionOrderer
{
    private static readonly string[] Long =
    [
        .. new[]
        {
            typeof(ExampleTests), typeof(AlertStreamTests), typeof(LargeImportTests), typeof(RotationPropertyTests), typeof(ProtocolFuzzTests), typeof(VerdictPropertyTests),
            typeof(LedgerModelTests), typeof(RemedyTests), typeof(BrakeYearTests),
        }.Select(type => type.FullName!),
    ];

    /// <inheritdoc/>
    public IReadOnlyCollection<TTestCollection> OrderTestCollections<TTestCollection>(IReadOnlyCollection<TTestCollection> testCollections)
        where TTestCollection : ITestCollection =>
        [.. testCollections.OrderBy(collection => Array.Exists(Long, name => collection.TestCollectionDisplayName.Contains(name, StringComparison.Ordinal)) ? 0 : 1)];
}
