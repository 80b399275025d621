using PolicyDaemon.Core.Policies;
using PolicyDaemon.Store;
using PolicyDaemon.Store.Changes;
using PolicyDaemon.Store.Engines;
using PolicyDaemon.Store.Faults;
using Xunit;
using static PolicyDaemon.Tests.Store.TemporaryStore;

namespace PolicyDaemon.Tests.Store;

public class BackupTests
{
    [Fact]
    public void A_backup_is_the_whole_store_with_its_identity_and_history()
    {
        using var temporary = new TemporaryStore();
        temporary.Put(Pinned("example.com", Pin(PinA)), Secure("example.net"));
        var file = Path.Combine(temporary.Directory, "backup.db");
        using var store = temporary.Open(StoreAccess.Read);

        store.Backup(file);

        using var backup = PolicyStore.Open(file, StoreAccess.Read, temporary.Time);
        backup.CheckIntegrity();
        Assert.Equal((store.StoreId, store.Head()), (backup.StoreId, backup.Head()));
        Assert.Equal(store.List(), backup.List());
        Assert.Null(backup.VerifyAudit().Problem);
        Assert.Equal(UnixFileMode.None, File.GetUnixFileMode(file) & (UnixFileMode.OtherRead | UnixFileMode.OtherWrite));
    }

    [Fact]
    public void A_backup_during_a_change_shows_the_moment_before_it()
    {
        using var temporary = new TemporaryStore();
        temporary.Put(Secure("old.example"));
        var file = Path.Combine(temporary.Directory, "backup.db");
        using var writer = temporary.Open();
        using var change = writer.BeginChange(new ChangeOrigin(Alice, "import"), PostfixSettings.Default);
        for (var i = 0; i < 1_000; i++)
            change.Put(Secure($"d{i}.example"));

        using (var store = temporary.Open(StoreAccess.Read))
            store.Backup(file);
        change.Commit();

        using var backup = PolicyStore.Open(file, StoreAccess.Read, temporary.Time);
        Assert.Equal(["old.example"], backup.List().Select(destination => destination.Key.Text));
        Assert.Null(backup.VerifyAudit().Problem);
    }

    [Fact]
    public void A_backup_overwrites_nothing()
    {
        using var temporary = new TemporaryStore();
        var file = Path.Combine(temporary.Directory, "backup.db");
        File.WriteAllText(file, "precious");
        using var store = temporary.Open(StoreAccess.Read);

        Assert.Equal(StoreFault.Exists, Assert.Throws<StoreException>(() => store.Backup(file)).Kind);
        Assert.Equal("precious", File.ReadAllText(file));
    }

    [Fact]
    public void A_backup_into_nowhere_says_so_and_leaves_nothing()
    {
        using var temporary = new TemporaryStore();
        using var store = temporary.Open(StoreAccess.Read);
        var error = Assert.Throws<StoreException>(() => store.Backup(Path.Combine(temporary.Directory, "no", "such", "file.db")));
        Assert.Contains("no/such", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_backup_removes_what_a_killed_one_left()
    {
        using var temporary = new TemporaryStore();
        var leftover = Path.Combine(temporary.Directory, $".policydaemon-{Guid.NewGuid():N}.draft");
        File.WriteAllText(leftover, "half a copy");
        File.WriteAllText(leftover + "-journal", "");
        using var store = temporary.Open(StoreAccess.Read);

        store.Backup(Path.Combine(temporary.Directory, "backup.db"));

        Assert.Equal(["backup.db"], Directory.GetFiles(temporary.Directory).Select(Path.GetFileName)
            .Where(name => !name!.StartsWith("policy.db", StringComparison.Ordinal)).Order(StringComparer.Ordinal));
    }
}
