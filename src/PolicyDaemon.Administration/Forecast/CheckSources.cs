using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Globalization;
using System.Text;
using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Discovery;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Tables;

namespace PolicyDaemon.Administration.Forecast;

/// <summary>The servers of a live check, each observation kept for its record.</summary>
internal sealed class RecordingServers(IServerProbe servers) : IServerProbe
{
    private readonly ConcurrentQueue<Observation> observations = new();

    public ImmutableArray<Observation> Observations => [.. observations];

    public async Task<Observation> ProbeAsync(ProbeTarget target, bool bothAlgorithms, CancellationToken cancellation)
    {
        var seen = await servers.ProbeAsync(target, bothAlgorithms, cancellation);
        observations.Enqueue(seen);
        return seen;
    }
}

/// <summary>DNS and the servers as a record has them.</summary>
internal sealed class RecordedNetwork(CheckRecord record) : IServerProbe, IMxResolver
{
    private readonly Dictionary<DnsQuestion, DnsAnswer> answers = record.Answers.DistinctBy(answer => answer.Question).ToDictionary(answer => answer.Question);

    public string? Trouble => record.TestPassed == false ? record.TestDetail : null;

    public string? Untested => record.TestPassed == true ? record.TestDetail : null;

    public Task<MxResolution> ResolveAsync(NextHop nextHop, ImmutableArray<string> probeAs, CancellationToken cancellation) =>
        Task.FromResult(MxReader.Read(nextHop, probeAs, record.At, Answer).Resolution);

    public Task<bool> RetestAsync(CancellationToken cancellation) => Task.FromResult(record.TestPassed == true);

    public void Sweep()
    {
    }

    public Task<Observation> ProbeAsync(ProbeTarget target, bool bothAlgorithms, CancellationToken cancellation) =>
        Task.FromResult(record.Observations.FirstOrDefault(seen => seen.Target == target) ?? new Observation
        {
            Target = target,
            At = record.At,
            Outcome = ProbeOutcome.Timeout,
            Stage = ProbeStage.Connect,
            Detail = "the record has no observation of it",
        });

    private DnsAnswer Answer(DnsQuestion question) => answers.TryGetValue(question, out var answer)
        ? answer
        : DnsAnswer.Failed(question, record.At, $"the record has no answer for {question}");
}

/// <summary>The memory of the one destination of a check; nothing is written.</summary>
internal sealed class RememberedForCheck(Discovered? memory) : IDiscoveredPolicies
{
    public Task<IReadOnlyList<Discovered>> ReadAsync(IReadOnlyCollection<NextHop> keys, CancellationToken cancellation) =>
        Task.FromResult<IReadOnlyList<Discovered>>(memory is null ? [] : [memory]);

    public Task WriteAsync(IReadOnlyCollection<DiscoveredEntry> batch, CancellationToken cancellation) => Task.CompletedTask;

    public Task<IReadOnlyList<NextHop>> ReadRenewalsAsync(DateTimeOffset now, int most, CancellationToken cancellation) =>
        Task.FromResult<IReadOnlyList<NextHop>>([]);
}

/// <summary>The clock of a record, which stands.</summary>
internal sealed class RecordedTime(DateTimeOffset at) : TimeProvider
{
    public override DateTimeOffset GetUtcNow() => at;
}

/// <summary>The settings and the entry that decide a check, as texts that a record keeps.</summary>
/// <remarks>Of the configuration only what a report depends on, and nothing that may be secret.</remarks>
internal static class CheckRecordTexts
{
    internal static string Configuration(Settings settings)
    {
        var (postfix, discovery, probe) = (settings.Postfix, settings.Discovery, settings.Probe);
        var text = new StringBuilder("[postfix]\n");
        Add(ConfigurationKeys.FingerprintDigest, postfix.FingerprintDigest.Name());
        Add(ConfigurationKeys.PostfixVersion, postfix.Version.ToString());
        Add(ConfigurationKeys.NearMiss, postfix.NearMiss == NearMissAnswer.Temporary ? "temp" : "notfound");
        foreach (var key in ConfigurationKeys.OfMainCf.Where(key => !settings.AssumedOfMainCf.Contains(key.Name)))
            Add(key, settings.ValueOfMainCf(key));
        text.Append("[discovery]\n");
        Add(DiscoveryKeys.Mode, discovery.Mode.ToString().ToLowerInvariant());
        Add(DiscoveryKeys.Dane, YesNo(discovery.Dane));
        Add(DiscoveryKeys.MtaSts, YesNo(discovery.MtaSts));
        Add(DiscoveryKeys.FirstSight, discovery.DefersFirstSight ? "temp" : "opportunistic");
        Add(DiscoveryKeys.Skip, string.Join(", ", discovery.Skip));
        text.Append("[probe]\n");
        Add(ProbeKeys.Resolver, string.Join(", ", probe.Resolvers));
        Add(ProbeKeys.ResolverTrusted, YesNo(probe.ResolverTrusted));
        Add(ProbeKeys.PrivateAddresses, YesNo(probe.PrivateAddresses));
        Add(ProbeKeys.CaFile, probe.CaFile.Text);
        return text.ToString();

        void Add(ConfigurationKey key, string value)
        {
            if (value.Length > 0)
                text.Append(CultureInfo.InvariantCulture, $"{key.Name} = {value}\n");
        }

        static string YesNo(bool value) => value ? "yes" : "no";
    }

    // Nothing of a note decides, and a person may have written anything into it.
    internal static string? Row(Destination? entry) => entry is null ? null : EntryTableWriter.Row(entry with { Note = null });

    /// <exception cref="FormatException">The row is none.</exception>
    internal static Destination? Entry(string? row, DateTimeOffset at, PostfixSettings postfix)
    {
        if (row is null)
            return null;
        using var source = new MemoryStream(Encoding.UTF8.GetBytes(row));
        var items = PolicyTableReader.Read(source, new TableOptions(postfix, at) { WithEntryAttributes = true }).ToList();
        return items.Find(item => item.Destination is not null).Destination
            ?? throw new FormatException($"its entry cannot be read: {items.FirstOrDefault().Problem}");
    }
}
