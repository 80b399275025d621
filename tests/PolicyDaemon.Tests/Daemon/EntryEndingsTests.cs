using Microsoft.Extensions.Logging.Abstractions;
using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Daemon;
using PolicyDaemon.Daemon.Hosting;
using PolicyDaemon.Store.Engines;
using PolicyDaemon.Store.Snapshots;
using PolicyDaemon.Tests.Store;
using PolicyDaemon.Tests.Support;
using Xunit;

namespace PolicyDaemon.Tests.Daemon;

/// <summary>The daemon writes down what entries have come to at their ends.</summary>
public sealed class EntryEndingsTests : IDisposable
{
    private readonly TemporaryStore store = new();
    private readonly CollectingLogger<EntryEndings> logger = new();
    private readonly RunningConfiguration configuration;
    private readonly SnapshotLoader loader;
    private readonly EntryEndings endings;

    public EntryEndingsTests()
    {
        var conf = Path.Combine(store.Directory, "policydaemon.conf");
        File.WriteAllText(conf, $"[store]\ndatabase = {store.Path}\n");
        configuration = new RunningConfiguration(SettingsReader.Load(conf));
        loader = new SnapshotLoader(
            new SnapshotLoaderOptions(store.Path, store.Path + ".snapshot"), PostfixSettings.Default, store.Time, NullLogger<SnapshotLoader>.Instance);
        loader.Start();
        endings = new EntryEndings(loader, configuration, logger, store.Time);
        var secure = TemporaryStore.Secure("a.example");
        store.Put(Temporary.Until(secure, secure with { Policy = new TlsPolicy { Level = TlsLevel.Default } }, store.Time.GetUtcNow().AddHours(1)));
        loader.Poll();
    }

    public void Dispose()
    {
        endings.Dispose();
        loader.Dispose();
        store.Dispose();
    }

    [Fact]
    public void What_has_ended_is_written_once_and_noted_with_its_hash()
    {
        endings.Work();
        Assert.NotNull(store.Find("a.example")!.Until);
        store.Time.Advance(TimeSpan.FromHours(1));
        loader.Poll();
        store.Time.Advance(SettledTime.Window);
        loader.Poll();
        endings.Work();
        endings.Work();

        Assert.Equal(TemporaryStore.Secure("a.example"), store.Find("a.example"));
        using var open = store.Open(StoreAccess.Read);
        Assert.Contains(open.Head().Hash, Assert.Single(logger.Lines).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_store_that_cannot_be_written_is_told_of_once_and_written_when_it_can_be()
    {
        store.Time.Advance(TimeSpan.FromHours(1));
        loader.Poll();
        store.Time.Advance(SettledTime.Window);
        loader.Poll();
        var settings = configuration.Settings;
        configuration.Settings = settings with { Database = Path.Combine(store.Directory, "missing.db") };
        endings.Work();
        endings.Work();
        Assert.Contains("cannot be written to the store", Assert.Single(logger.Lines).Message, StringComparison.Ordinal);

        configuration.Settings = settings;
        endings.Work();
        Assert.Equal(TemporaryStore.Secure("a.example"), store.Find("a.example"));
    }

    [Fact]
    public void What_ended_in_a_snapshot_without_its_store_is_not_written_into_another()
    {
        store.Time.Advance(TimeSpan.FromHours(1));
        loader.Poll();
        store.Time.Advance(SettledTime.Window);
        loader.Poll();
        Assert.True(endings.HasWork);
        File.Delete(store.Path);
        loader.Poll();
        Assert.False(endings.HasWork);
    }

    [Fact]
    public void Where_nothing_is_left_to_write_it_rests()
    {
        store.Time.Advance(TimeSpan.FromHours(1));
        loader.Poll();
        store.Time.Advance(SettledTime.Window);
        loader.Poll();
        endings.Work();
        Assert.True(endings.HasWork);
        endings.Work();
        Assert.False(endings.HasWork);
        loader.Poll();
        Assert.Empty(loader.Ended);
    }
}
