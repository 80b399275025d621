using Microsoft.Extensions.Logging.Abstractions;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Store.Snapshots;
using PolicyDaemon.Tests.Support;
using Xunit;
using static PolicyDaemon.Tests.Store.TemporaryStore;

namespace PolicyDaemon.Tests.Store.Snapshots;

/// <summary>A copy of the store in a new place has no snapshot there; what was served before counts all the same.</summary>
public sealed class EarlierSnapshotTests : IDisposable
{
    private readonly TemporaryStore store = new();
    private readonly List<SnapshotLoader> loaders = [];

    public EarlierSnapshotTests() => store.Put(Secure("example.com"));

    [Fact]
    public void A_copy_that_is_behind_is_not_served_because_its_place_is_new()
    {
        using var copy = store.Copy();
        store.Put(Secure("later.example"));
        Serve(store, "policy.db");

        var loader = Serve(copy, "policy-back.db");

        Assert.Equal([FindingKind.StoreReplaced], Kinds(loader));
        Assert.NotNull(loader.Current!.Find("later.example"));
        Assert.Equal("file", loader.Status!.Source);
        // What it answers by lies in its own place now, where whoever accepts finds it.
        Assert.True(SnapshotFile.TryRead(Place("policy-back.db"), out var kept, out _));
        Assert.NotNull(kept.Find("later.example"));

        copy.Change(change => change.Accept(kept.Identity), "store accept", "the server is lost");
        loader.Poll();
        Assert.Empty(Kinds(loader));
        Assert.Null(loader.Current!.Find("later.example"));
    }

    [Fact]
    public void A_copy_that_went_on_by_itself_is_not_served_either()
    {
        using var copy = store.Copy();
        store.Put(Secure("later.example"));
        Serve(store, "policy.db");
        copy.Put(Secure("one.example"));
        copy.Put(Secure("two.example"));

        var loader = Serve(copy, "policy-back.db");

        Assert.Equal([FindingKind.StoreReplaced], Kinds(loader));
        Assert.NotNull(loader.Current!.Find("later.example"));
        Assert.Null(loader.Current.Find("two.example"));
    }

    [Fact]
    public async Task What_was_changed_last_and_stands_in_the_journal_only_counts_too()
    {
        store.Put([.. Enumerable.Range(0, 2_001).Select(i => Secure($"d{i}.example"))]);
        using var copy = store.Copy();
        var serving = Serve(store, "policy.db");
        await Until.TrueAsync(() => File.Exists(Place("policy.db")), serving.Poll, "a large snapshot is written");
        store.Put(Secure("later.example"));
        serving.Poll();
        Assert.True(SnapshotFile.TryRead(Place("policy.db"), out var file, out _));
        Assert.Null(file.Find("later.example"));

        var loader = Serve(copy, "policy-back.db");

        Assert.Equal([FindingKind.StoreReplaced], Kinds(loader));
        Assert.NotNull(loader.Current!.Find("later.example"));
    }

    [Fact]
    public void A_copy_that_has_everything_is_served_at_once()
    {
        store.Put(Secure("later.example"));
        Serve(store, "policy.db");
        using var copy = store.Copy();
        copy.Put(Secure("new.example"));

        var loader = Serve(copy, "policy-back.db");

        Assert.Empty(Kinds(loader));
        Assert.NotNull(loader.Current!.Find("new.example"));
    }

    [Fact]
    public void A_store_of_its_own_is_served_at_once()
    {
        Serve(store, "policy.db");
        using var other = new TemporaryStore();
        other.Put(Secure("other.example"));

        var loader = Serve(other, "other.db");

        Assert.Empty(Kinds(loader));
        Assert.NotNull(loader.Current!.Find("other.example"));
        Assert.Null(loader.Current.Find("example.com"));
    }

    /// <summary>What a person gave up stays on the disk, and is nobody's objection for ever.</summary>
    [Fact]
    public void Of_several_the_one_that_was_served_last_counts_and_what_was_given_up_does_not()
    {
        using var copy = store.Copy();
        store.Put(Secure("lost.example"));
        Serve(store, "policy.db");
        var first = Serve(copy, "policy-back.db");
        copy.Change(change => change.Accept(first.Current!.Identity), "store accept", "lost");
        first.Poll();
        using var second = copy.Copy();
        copy.Put(Secure("later.example"));
        first.Poll();

        var loader = Serve(second, "third.db");
        Assert.Equal([FindingKind.StoreReplaced], Kinds(loader));
        Assert.NotNull(loader.Current!.Find("later.example"));

        using var third = copy.Copy();
        Assert.Empty(Kinds(Serve(third, "fourth.db")));
    }

    [Fact]
    public void A_snapshot_in_its_own_place_decides_alone_and_one_that_is_damaged_does_not()
    {
        using var copy = store.Copy();
        File.WriteAllText(Place("policy-back.db"), "no snapshot");
        store.Put(Secure("later.example"));
        Serve(store, "policy.db");
        Assert.Equal([FindingKind.StoreReplaced], Kinds(Serve(copy, "policy-back.db")));

        File.Delete(Place("policy.db"));
        File.Delete(Place("policy-back.db"));
        Serve(copy, "policy-back.db");
        Serve(store, "policy.db");
        Assert.Empty(Kinds(Serve(copy, "policy-back.db")));
    }

    public void Dispose()
    {
        foreach (var loader in loaders)
            loader.Dispose();
        store.Dispose();
    }

    private static IEnumerable<FindingKind> Kinds(SnapshotLoader loader) => loader.Findings.Select(finding => finding.Kind);

    /// <summary>The snapshot of a store that the configuration names so; all are in one directory.</summary>
    private string Place(string database) => Path.Combine(store.Directory, database + ".snapshot");

    private SnapshotLoader Serve(TemporaryStore served, string database)
    {
        var loader = new SnapshotLoader(
            new SnapshotLoaderOptions(served.Path, Place(database)) { Patience = TimeSpan.FromMilliseconds(20) }, PostfixSettings.Default, store.Time, NullLogger<SnapshotLoader>.Instance);
        loaders.Add(loader);
        loader.Start();
        return loader;
    }
}
