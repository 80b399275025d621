using PolicyDaemon.Core.Audit;
using PolicyDaemon.Store;
using PolicyDaemon.Store.Engines;
using PolicyDaemon.Store.Faults;
using PolicyDaemon.Tests.Support;
using Xunit;

namespace PolicyDaemon.Tests.Store;

[Trait(Engine.Name, Engine.Sqlite)]
public sealed class StorePlaceTests : IDisposable
{
    private readonly TemporaryStore store = new();

    public void Dispose() => store.Dispose();

    [Fact]
    public void A_stamp_is_another_one_after_a_commit_and_only_then()
    {
        store.Put(TemporaryStore.Secure("a.example"));
        using var reader = store.Open(StoreAccess.Read);
        var before = StorePlace.Stamp(store.Path);
        _ = reader.Count();
        Assert.Equal(before, StorePlace.Stamp(store.Path));

        // The log takes it; the database itself stays as it is until the next checkpoint.
        store.Put(TemporaryStore.Secure("b.example"));
        Assert.NotEqual(before, StorePlace.Stamp(store.Path));
    }

    [Fact]
    public void A_store_that_took_the_place_of_another_one_has_another_stamp()
    {
        var before = StorePlace.Stamp(store.Path);
        var copy = store.Path + ".copy";
        File.Copy(store.Path, copy);
        File.SetLastWriteTimeUtc(copy, File.GetLastWriteTimeUtc(store.Path));

        File.Move(copy, store.Path, overwrite: true);

        Assert.NotEqual(before, StorePlace.Stamp(store.Path));
    }

    [Fact]
    public void What_is_there_is_what_making_a_store_refuses()
    {
        var place = Path.Combine(store.Directory, "other.db");
        Assert.False(StorePlace.Exists(place));
        System.IO.Directory.CreateDirectory(place);
        Assert.True(StorePlace.Exists(place));

        var refusal = Assert.Throws<StoreException>(() => PolicyStore.Create(place, Actor.Daemon, store.Time));
        Assert.Equal(StoreFault.Exists, refusal.Kind);
    }
}
