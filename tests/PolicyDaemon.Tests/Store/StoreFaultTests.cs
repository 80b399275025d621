using System.Text;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Store;
using PolicyDaemon.Store.Changes;
using PolicyDaemon.Store.Engines;
using PolicyDaemon.Store.Faults;
using PolicyDaemon.Tests.Support;
using Xunit;
using static PolicyDaemon.Tests.Store.TemporaryStore;

namespace PolicyDaemon.Tests.Store;

public class StoreFaultTests
{
    [Fact]
    public void A_missing_store_says_how_to_make_one()
    {
        using var temporary = new TemporaryStore(create: false);
        var error = Assert.Throws<StoreException>(() => temporary.Open(StoreAccess.Read));
        Assert.Equal(StoreFault.Missing, error.Kind);
        Assert.Contains("policyctl init", error.Message, StringComparison.Ordinal);
        Assert.False(File.Exists(temporary.Path));
    }

    [Fact]
    public void An_existing_store_is_not_made_again()
    {
        using var temporary = new TemporaryStore();
        temporary.Put(Secure("example.com"));
        Assert.Equal(StoreFault.Exists, Assert.Throws<StoreException>(() => PolicyStore.Create(temporary.Path, Alice, temporary.Time)).Kind);
        Assert.NotNull(temporary.Find("example.com"));
        Assert.Equal(IsOnServer ? [] : [temporary.Path], Directory.GetFiles(temporary.Directory));
    }

    [Theory]
    [InlineData("not a database at all, but long enough to be taken for a header of one, perhaps, and more, and more, and more, and more.")]
    [InlineData("")]
    [Trait(Engine.Name, Engine.Sqlite)]
    public void Garbage_is_no_store(string content)
    {
        using var temporary = new TemporaryStore(create: false);
        File.WriteAllText(temporary.Path, content);
        var error = Assert.Throws<StoreException>(() => temporary.Open(StoreAccess.Read));
        Assert.Equal(StoreFault.NotAStore, error.Kind);
        Assert.Equal(content, File.ReadAllText(temporary.Path));
    }

    [Fact]
    [Trait(Engine.Name, Engine.Sqlite)]
    public void Another_programs_database_is_no_store()
    {
        using var temporary = new TemporaryStore(create: false);
        File.Create(temporary.Path).Dispose();
        temporary.Sql("CREATE TABLE cookies (id)");
        Assert.Equal(StoreFault.NotAStore, Assert.Throws<StoreException>(() => temporary.Open()).Kind);
    }

    [Fact]
    [Trait(Engine.Name, Engine.Sqlite)]
    public void A_directory_is_no_store()
    {
        using var temporary = new TemporaryStore(create: false);
        Directory.CreateDirectory(temporary.Path);
        Assert.Equal(StoreFault.NotAStore, Assert.Throws<StoreException>(() => temporary.Open(StoreAccess.Read)).Kind);
    }

    [Theory]
    [InlineData(3, 3, true)]
    [InlineData(3, 1000, false)]
    public void A_store_of_a_newer_version_says_who_can_read_it_and_who_can_write_it(int readableFrom, int writableFrom, bool writable)
    {
        using var temporary = new TemporaryStore();
        temporary.Put(Secure("example.com"));
        temporary.Sql($"INSERT INTO schema_version VALUES (1000, {readableFrom}, {writableFrom})");

        Assert.NotNull(temporary.Find("example.com"));
        if (writable)
        {
            temporary.Open(StoreAccess.Write).Dispose();
            return;
        }

        var error = Assert.Throws<StoreException>(() => temporary.Open(StoreAccess.Write));
        Assert.Equal(StoreFault.Newer, error.Kind);
        Assert.Contains("which this one can read and not change", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(StoreAccess.Read, "INSERT INTO schema_version VALUES (1000, 1000, 1000)")]
    [InlineData(StoreAccess.Write, "INSERT INTO schema_version VALUES (1000, 1000, 1000)")]
    [InlineData(StoreAccess.Read, "PRAGMA user_version = 1000")]
    [InlineData(StoreAccess.Write, "PRAGMA user_version = 1000")]
    [Trait(Engine.Name, Engine.Sqlite)]
    public void A_store_of_a_newer_version_is_refused_and_untouched(StoreAccess access, string newer)
    {
        using var temporary = new TemporaryStore();
        temporary.Sql(newer);
        var bytes = File.ReadAllBytes(temporary.Path);

        var error = Assert.Throws<StoreException>(() => temporary.Open(access));

        Assert.Equal(StoreFault.Newer, error.Kind);
        Assert.Contains("schema 1000", error.Message, StringComparison.Ordinal);
        Assert.Equal(bytes, File.ReadAllBytes(temporary.Path));
    }

    [Fact]
    [Trait(Engine.Name, Engine.Sqlite)]
    public void A_truncated_store_is_damaged()
    {
        using var temporary = new TemporaryStore();
        temporary.Put([.. Enumerable.Range(0, 500).Select(i => Secure($"d{i}.example"))]);
        using (var file = File.OpenWrite(temporary.Path))
            file.SetLength(file.Length / 2);

        Assert.Equal(StoreFault.Damaged, Assert.Throws<StoreException>(() => Check(temporary)).Kind);
    }

    [Fact]
    [Trait(Engine.Name, Engine.Sqlite)]
    public void A_damaged_page_is_found()
    {
        using var temporary = new TemporaryStore();
        temporary.Put([.. Enumerable.Range(0, 500).Select(i => Secure($"d{i}.example"))]);
        Check(temporary);
        Overwrite(temporary.Path, 16384, Encoding.ASCII.GetBytes(new string('x', 8192)));

        var error = Assert.Throws<StoreException>(() => Check(temporary));
        Assert.Equal(StoreFault.Damaged, error.Kind);
        Assert.Contains("restore a backup", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_locked_store_says_so_and_works_later()
    {
        using var temporary = new TemporaryStore();
        using (var holder = temporary.Open())
        using (holder.BeginChange(new ChangeOrigin(Alice, "slow"), PostfixSettings.Default))
        using (var other = PolicyStore.Open(temporary.Path, StoreAccess.Write, temporary.Time, TimeSpan.FromMilliseconds(10)))
            Assert.Equal(StoreFault.Locked, Assert.Throws<StoreException>(() => other.BeginChange(new ChangeOrigin(Alice, "other"), PostfixSettings.Default)).Kind);

        Assert.Equal(1, temporary.Put(Secure("example.com")).Rows);
    }

    [Fact]
    public void Readers_do_not_wait_for_a_writer()
    {
        using var temporary = new TemporaryStore();
        temporary.Put(Secure("old.example"));
        using var writer = temporary.Open();
        using var change = writer.BeginChange(new ChangeOrigin(Alice, "slow"), PostfixSettings.Default);
        change.Put(Secure("new.example"));

        using var reader = temporary.Open(StoreAccess.Read);
        Assert.Equal(["old.example"], reader.List().Select(destination => destination.Key.Text));
    }

    [Fact]
    [Trait(Engine.Name, Engine.Sqlite)]
    public void A_full_disk_fails_the_change_and_leaves_the_store_intact()
    {
        using var temporary = new TemporaryStore();
        temporary.Put(Secure("kept.example"));
        using (var session = temporary.OpenSession())
        {
            using (var command = session.Connection.CreateCommand())
            {
                // SQLite's own limit gives the same SQLITE_FULL as a device without space.
                command.CommandText = "PRAGMA max_page_count = 1";
                command.ExecuteNonQuery();
            }

            using var store = new PolicyStore(session, temporary.Time);
            using var change = store.BeginChange(new ChangeOrigin(Alice, "import"), PostfixSettings.Default);
            var error = Assert.Throws<StoreException>(() =>
            {
                for (var i = 0; i < 10_000; i++)
                    change.Put(Secure($"d{i}.example"));
                change.Commit();
            });
            Assert.Equal(StoreFault.Full, error.Kind);
            Assert.Contains("nothing was changed", error.Message, StringComparison.Ordinal);
            // The transaction is gone; nothing may slip in behind it.
            Assert.Equal(StoreFault.Full, Assert.Throws<StoreException>(() => change.Put(Secure("kept.example", "x"))).Kind);
            Assert.Equal(StoreFault.Full, Assert.Throws<StoreException>(() => change.Remove(NextHop.Parse("kept.example"))).Kind);
            Assert.Equal(StoreFault.Full, Assert.Throws<StoreException>(change.Commit).Kind);
        }

        Check(temporary);
        using var after = temporary.Open(StoreAccess.Read);
        Assert.Equal(["kept.example"], after.List().Select(destination => destination.Key.Text));
        Assert.True(after.VerifyAudit().IsSound);
        Assert.Equal(1, temporary.Put(Secure("next.example")).Rows);
    }

    [Fact]
    [Trait(Engine.Name, Engine.Sqlite)]
    public void A_crash_before_the_commit_leaves_nothing_and_one_after_it_everything()
    {
        using var temporary = new TemporaryStore();
        using var before = new TemporaryStore(create: false);
        using var after = new TemporaryStore(create: false);
        using (var session = temporary.OpenSession())
        using (var store = new PolicyStore(session, temporary.Time))
        using (var change = store.BeginChange(new ChangeOrigin(Alice, "import"), PostfixSettings.Default))
        {
            // A small cache, so that pages of the unfinished change are in the log when the machine stops.
            using (var command = session.Connection.CreateCommand())
            {
                command.CommandText = "PRAGMA cache_size = 10";
                command.ExecuteNonQuery();
            }

            for (var i = 0; i < 5_000; i++)
                change.Put(Secure($"d{i}.example"));
            CopyAsACrashWould(temporary, before);
            change.Commit();
            CopyAsACrashWould(temporary, after);
        }

        Assert.True(new FileInfo(before.Path + "-wal").Length > 100_000);
        AssertHolds(before, 0);
        AssertHolds(after, 5_000);
    }

    [Fact]
    [Trait(Engine.Name, Engine.Sqlite)]
    public void Reading_leaves_no_files_behind()
    {
        using var temporary = new TemporaryStore();
        temporary.Put(Secure("example.com"));
        var written = File.GetLastWriteTimeUtc(temporary.Path);

        using (var store = temporary.Open(StoreAccess.Read))
            Assert.Single(store.List());

        Assert.Equal([temporary.Path], Directory.GetFiles(temporary.Directory));
        Assert.Equal(written, File.GetLastWriteTimeUtc(temporary.Path));
    }

    [Fact]
    [Trait(Engine.Name, Engine.Sqlite)]
    public void Everything_made_is_open_to_the_group_whatever_the_umask()
    {
        using var temporary = new TemporaryStore(create: false);
        var directory = Path.Combine(temporary.Directory, "made", "here");
        var path = Path.Combine(directory, "policy.db");
        using var store = PolicyStore.Create(path, Alice, temporary.Time);
        using var change = store.BeginChange(new ChangeOrigin(Alice, "test"), PostfixSettings.Default);
        change.Put(Secure("example.com"));
        change.Commit();

        const UnixFileMode File0660 = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.GroupWrite;
        Assert.Equal(
            File0660 | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.SetGroup, File.GetUnixFileMode(directory));
        Assert.Equal([path, path + "-shm", path + "-wal"], Directory.GetFiles(directory).Order());
        Assert.All(Directory.GetFiles(directory), file => Assert.Equal(File0660, File.GetUnixFileMode(file)));
    }

    [Fact]
    [Trait(Engine.Name, Engine.Sqlite)]
    public void A_log_left_by_a_vanished_store_is_not_played_into_a_new_one()
    {
        using var temporary = new TemporaryStore();
        using var copy = new TemporaryStore(create: false);
        using (var store = temporary.Open())
        {
            using var change = store.BeginChange(new ChangeOrigin(Alice, "test"), PostfixSettings.Default);
            change.Put(Secure("ghost.example"));
            change.Commit();
            CopyAsACrashWould(temporary, copy);
        }

        File.Delete(copy.Path);
        PolicyStore.Create(copy.Path, Alice, copy.Time).Dispose();

        AssertHolds(copy, 0);
        Assert.Single(Directory.GetFiles(copy.Directory, "*-wal.orphan-*"));
    }

    private static void Check(TemporaryStore temporary)
    {
        using var store = temporary.Open(StoreAccess.Read);
        store.CheckIntegrity();
    }

    private static void AssertHolds(TemporaryStore temporary, int destinations)
    {
        using var store = temporary.Open();
        store.CheckIntegrity();
        Assert.Equal(destinations, store.Count());
        Assert.Null(store.VerifyAudit().Problem);
    }

    internal static void CopyAsACrashWould(TemporaryStore from, TemporaryStore to)
    {
        foreach (var suffix in new[] { "", "-wal" })
            File.Copy(from.Path + suffix, to.Path + suffix);
    }

    internal static void Overwrite(string path, long offset, byte[] bytes)
    {
        using var file = new FileStream(path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
        file.Position = offset;
        file.Write(bytes);
    }
}
