using System.Runtime.CompilerServices;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Store.Snapshots;
using PolicyDaemon.Tests.Support;
using Xunit;
using static PolicyDaemon.Tests.Store.TemporaryStore;

namespace PolicyDaemon.Tests.Store.Snapshots;

/// <summary>A store too large to be saved with every change: what was served is served again, though process and store were lost at once.</summary>
public sealed class SnapshotDurabilityTests
{
    private const int Many = 3_000;

    [Fact]
    public async Task A_strengthening_that_was_served_survives_the_process_and_the_store()
    {
        using var store = Large();
        using (var fixture = await SavedAsync(store))
        {
            store.Put(Secure("x.example"));
            fixture.Poll();
            Assert.Equal("Found secure", fixture.Answer("x.example"));
        }

        store.TakeAway();
        Assert.Equal("Found secure", AnswerOf(store, "x.example"));
    }

    [Fact]
    public async Task So_do_many_a_removal_and_what_came_after_a_restart()
    {
        using var store = Large();
        for (var restart = 0; restart < 3; restart++)
        {
            using var fixture = await SavedAsync(store);
            store.Put(Secure($"r{restart}.example"));
            fixture.Poll();
            store.Remove($"d{restart}.example");
            fixture.Poll();
        }

        store.TakeAway();
        Assert.Equal("Found secure", AnswerOf(store, "r0.example"));
        Assert.Equal("Found secure", AnswerOf(store, "r2.example"));
        Assert.Equal("not configured", AnswerOf(store, "d1.example"));
        Assert.Equal("Found encrypt", AnswerOf(store, "d5.example"));
    }

    [Fact]
    public async Task A_change_of_very_many_is_on_the_disk_as_soon_as_it_is_served()
    {
        using var store = Large();
        using (var fixture = await SavedAsync(store))
        {
            store.Put([.. Enumerable.Range(0, Many).Select(i => Secure($"d{i}.example"))]);
            fixture.Poll();
            Assert.Equal("Found secure", fixture.Answer("d7.example"));
        }

        store.TakeAway();
        Assert.Equal("Found secure", AnswerOf(store, "d7.example"));
    }

    [Fact]
    public async Task A_new_snapshot_file_ends_the_journal()
    {
        using var store = Large();
        using var fixture = await SavedAsync(store);
        store.Put(Secure("x.example"));
        fixture.Poll();
        Assert.True(File.Exists(SnapshotJournal.PathOf(fixture.SnapshotFilePath)));

        store.Time.Advance(TimeSpan.FromSeconds(31));
        await UntilAsync(fixture, () => !File.Exists(SnapshotJournal.PathOf(fixture.SnapshotFilePath)));

        store.TakeAway();
        Assert.Equal("Found secure", AnswerOf(store, "x.example"));
    }

    [Fact]
    public async Task A_journal_that_cannot_be_written_delays_no_answer_and_is_a_finding()
    {
        using var store = Large();
        using (var fixture = await SavedAsync(store))
        {
            var journal = SnapshotJournal.PathOf(fixture.SnapshotFilePath);
            Directory.CreateDirectory(journal);
            store.Put(Secure("x.example"));
            fixture.Poll();
            Assert.Equal("Found secure", fixture.Answer("x.example"));
            var finding = Assert.Single(fixture.Loader.Findings);
            Assert.Equal(FindingKind.SnapshotNotSaved, finding.Kind);
            Assert.StartsWith(journal, finding.Detail, StringComparison.Ordinal);

            Directory.Delete(journal);
            store.Time.Advance(TimeSpan.FromSeconds(11));
            fixture.Poll();
            Assert.Empty(fixture.Loader.Findings);
        }

        store.TakeAway();
        Assert.Equal("Found secure", AnswerOf(store, "x.example"));
    }

    private static TemporaryStore Large()
    {
        var store = new TemporaryStore();
        store.Put([.. Enumerable.Range(0, Many).Select(i => Secure($"d{i}.example") with { Policy = new TlsPolicy { Level = TlsLevel.Encrypt } })]);
        return store;
    }

    /// <summary>A loader whose snapshot file has just been written, so that the next one is not due for a while.</summary>
    private static async Task<LoaderFixture> SavedAsync(TemporaryStore store)
    {
        var fixture = new LoaderFixture(store);
        await UntilAsync(fixture, () => File.Exists(fixture.SnapshotFilePath));
        store.Put(Secure("saved.example", $"{store.Time.GetUtcNow()}"));
        store.Time.Advance(TimeSpan.FromMinutes(1));
        await UntilAsync(fixture, () => !File.Exists(SnapshotJournal.PathOf(fixture.SnapshotFilePath))
            && SnapshotFile.TryRead(fixture.SnapshotFilePath, out var saved, out _) && saved.Identity == fixture.Loader.Current!.Identity);
        return fixture;
    }

    private static Task UntilAsync(LoaderFixture fixture, Func<bool> condition, [CallerArgumentExpression(nameof(condition))] string what = "")
    {
        fixture.Poll();
        return Until.TrueAsync(condition, fixture.Poll, what);
    }

    private static string AnswerOf(TemporaryStore store, string key)
    {
        using var fixture = new LoaderFixture(store);
        return fixture.Answer(key);
    }
}
