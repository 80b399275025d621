using System.Text;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Store;
using PolicyDaemon.Store.Engines;
using PolicyDaemon.Store.Snapshots;
using PolicyDaemon.Tests.Support;
using Xunit;
using static PolicyDaemon.Tests.Store.TemporaryStore;

namespace PolicyDaemon.Tests.Store.Snapshots;

/// <summary>Promise 3: whatever happens to the store, the last good snapshot keeps answering, and a finding says why.</summary>
public class SnapshotLoaderFaultTests
{
    private static readonly PostfixSettings Sha1 = PostfixSettings.Default with { FingerprintDigest = DigestAlgorithm.Sha1 };

    private static TemporaryStore Filled()
    {
        var store = new TemporaryStore();
        store.Put(Secure("example.com"), Pinned("pinned.example", Pin(PinA), Pin(new string('c', 40))));
        return store;
    }

    private static void AssertServesLastGood(LoaderFixture fixture, FindingKind kind)
    {
        Assert.Equal("Found secure", fixture.Answer("example.com"));
        Assert.Equal($"Found fingerprint match={PinA}", fixture.Answer("pinned.example"));
        Assert.Equal([kind], fixture.Kinds);
        Assert.Equal("file", fixture.Loader.Status!.Source);
    }

    private static void AssertServesTheStore(LoaderFixture fixture)
    {
        Assert.Equal("Found secure", fixture.Answer("example.com"));
        Assert.Empty(fixture.Loader.Findings);
        Assert.Equal("store", fixture.Loader.Status!.Source);
    }

    [Fact]
    public void Without_store_and_file_there_is_no_snapshot_and_nothing_is_made()
    {
        using var store = new TemporaryStore(create: false);
        using var fixture = new LoaderFixture(store);

        Assert.Null(fixture.Loader.Current);
        Assert.Null(fixture.Loader.Status);
        Assert.Equal([FindingKind.StoreUnavailable], fixture.Kinds);
        Assert.Empty(Directory.GetFiles(store.Directory));

        PolicyStore.Create(store.Path, Alice, store.Time).Dispose();
        store.Put(Secure("example.com"));
        fixture.Poll();
        AssertServesTheStore(fixture);
    }

    [Fact]
    public void A_deleted_store_changes_no_answer()
    {
        using var store = Filled();
        using var fixture = new LoaderFixture(store);
        store.TakeAway();

        fixture.Poll();
        AssertServesLastGood(fixture, FindingKind.StoreUnavailable);

        store.PutBack();
        fixture.Poll();
        AssertServesTheStore(fixture);
    }

    [Fact]
    public void A_restart_without_the_store_serves_the_file()
    {
        using var store = Filled();
        new LoaderFixture(store).Dispose();
        store.TakeAway();

        using var fixture = new LoaderFixture(store);
        AssertServesLastGood(fixture, FindingKind.StoreUnavailable);
    }

    [Fact]
    public void Age_changes_no_answer()
    {
        using var store = Filled();
        using var fixture = new LoaderFixture(store);
        store.TakeAway();

        store.Time.Advance(TimeSpan.FromDays(3650));
        fixture.Poll();

        AssertServesLastGood(fixture, FindingKind.StoreUnavailable);
    }

    [Fact]
    public void A_restart_with_the_same_store_reads_no_destination()
    {
        using var store = Filled();
        new LoaderFixture(store).Dispose();

        using var fixture = new LoaderFixture(store);
        AssertServesTheStore(fixture);
        Assert.Null(fixture.Loader.TakeChanges());
    }

    [Fact]
    public void A_restart_takes_what_changed_meanwhile()
    {
        using var store = Filled();
        new LoaderFixture(store).Dispose();
        store.Put(Secure("new.example"));
        store.Remove("pinned.example");

        using var fixture = new LoaderFixture(store);
        AssertServesTheStore(fixture);
        Assert.Equal("Found secure", fixture.Answer("new.example"));
        Assert.Equal("not configured", fixture.Answer("pinned.example"));
        var changes = fixture.Loader.TakeChanges()!;
        Assert.False(changes.Everything);
        Assert.Equal(["new.example", "pinned.example"], changes.Keys.Order());
    }

    [Fact]
    public void A_damaged_snapshot_file_is_ignored_for_a_good_store()
    {
        using var store = Filled();
        new LoaderFixture(store).Dispose();
        File.WriteAllText(LoaderFixture.SnapshotPath(store), "garbage");

        using var fixture = new LoaderFixture(store);
        AssertServesTheStore(fixture);
        Assert.True(SnapshotFile.TryRead(fixture.SnapshotFilePath, out _, out _));
    }

    [Fact]
    [Trait(Engine.Name, Engine.Sqlite)]
    public void Garbage_written_over_the_store_changes_no_answer()
    {
        using var store = Filled();
        using var fixture = new LoaderFixture(store);
        var good = File.ReadAllBytes(store.Path);
        StoreFaultTests.Overwrite(store.Path, 0, Encoding.ASCII.GetBytes(new string('x', good.Length)));

        fixture.Poll();
        AssertServesLastGood(fixture, FindingKind.StoreDamaged);

        File.Delete(store.Path + "-wal");
        File.Delete(store.Path + "-shm");
        File.WriteAllBytes(store.Path, good);
        store.Time.Advance(TimeSpan.FromMinutes(2));
        fixture.Poll();
        AssertServesTheStore(fixture);
    }

    [Fact]
    [Trait(Engine.Name, Engine.Sqlite)]
    public void Garbage_written_over_the_store_is_found_although_the_open_log_has_good_pages()
    {
        using var store = Filled();
        using var fixture = new LoaderFixture(store);
        store.Put(Secure("new.example"));
        fixture.Poll();
        Assert.True(new FileInfo(store.Path + "-wal").Length > 0);
        File.Delete(store.Path + "-wal");
        File.Delete(store.Path + "-shm");
        File.WriteAllText(store.Path, new string('x', 100_000));

        fixture.Poll();
        AssertServesLastGood(fixture, FindingKind.StoreDamaged);
        Assert.Equal(new string('x', 100_000), File.ReadAllText(store.Path));
    }

    [Fact]
    [Trait(Engine.Name, Engine.Sqlite)]
    public void A_log_removed_under_the_daemon_does_not_cut_it_off_from_later_changes()
    {
        using var store = Filled();
        using var fixture = new LoaderFixture(store);
        File.Delete(store.Path + "-wal");
        File.Delete(store.Path + "-shm");
        store.Put(Secure("new.example"));

        fixture.Poll();
        AssertServesTheStore(fixture);
        Assert.Equal("Found secure", fixture.Answer("new.example"));
    }

    [Fact]
    [Trait(Engine.Name, Engine.Sqlite)]
    public void A_store_cut_to_nothing_changes_no_answer()
    {
        using var store = Filled();
        using var fixture = new LoaderFixture(store);
        File.WriteAllBytes(store.Path, []);

        fixture.Poll();
        AssertServesLastGood(fixture, FindingKind.StoreDamaged);
    }

    [Fact]
    [Trait(Engine.Name, Engine.Sqlite)]
    public async Task Damage_in_pages_that_nobody_reads_is_found_in_the_background()
    {
        using var store = Filled();
        store.Put([.. Enumerable.Range(0, 500).Select(i => Secure($"d{i}.example"))]);
        new LoaderFixture(store).Dispose();
        var length = new FileInfo(store.Path).Length;
        StoreFaultTests.Overwrite(store.Path, length - 8192, Encoding.ASCII.GetBytes(new string('x', 8192)));

        using var fixture = new LoaderFixture(store);
        Assert.Equal("Found secure", fixture.Answer("example.com"));
        await fixture.PollUntilAsync(FindingKind.StoreDamaged);

        AssertServesLastGood(fixture, FindingKind.StoreDamaged);
    }

    [Fact]
    [Trait(Engine.Name, Engine.Sqlite)]
    public void A_damaged_store_without_a_file_serves_nothing()
    {
        using var store = Filled();
        store.Put([.. Enumerable.Range(0, 500).Select(i => Secure($"d{i}.example"))]);
        var length = new FileInfo(store.Path).Length;
        StoreFaultTests.Overwrite(store.Path, length - 8192, Encoding.ASCII.GetBytes(new string('x', 8192)));

        using var fixture = new LoaderFixture(store);
        Assert.Null(fixture.Loader.Current);
        Assert.Equal([FindingKind.StoreDamaged], fixture.Kinds);
    }

    /// <summary>Every page is sound, and an answer made with the index would have a pin less.</summary>
    [Fact]
    [Trait(Engine.Name, Engine.Sqlite)]
    public void A_store_without_a_file_whose_index_lacks_a_pin_serves_nothing()
    {
        using var store = Filled();
        store.Sql(
            """
            PRAGMA writable_schema = ON;
            CREATE TABLE hidden AS SELECT rootpage FROM sqlite_master WHERE name = 'sqlite_autoindex_pin_1';
            DELETE FROM sqlite_master WHERE name = 'sqlite_autoindex_pin_1';
            UPDATE sqlite_master SET sql = replace(sql, 'UNIQUE (destination_id, fingerprint)', 'CHECK (1)') WHERE name = 'pin';
            """);
        store.Sql(
            $"""
            INSERT INTO pin (destination_id, position, fingerprint, subject, state, strength, since)
            SELECT destination_id, 7, '{PinB}', subject, state, strength, since FROM pin LIMIT 1;
            PRAGMA writable_schema = ON;
            UPDATE sqlite_master SET sql = replace(sql, 'CHECK (1)', 'UNIQUE (destination_id, fingerprint)') WHERE name = 'pin';
            INSERT INTO sqlite_master (type, name, tbl_name, rootpage, sql) SELECT 'index', 'sqlite_autoindex_pin_1', 'pin', rootpage, NULL FROM hidden;
            """);
        store.Sql("DROP TABLE hidden");

        using var fixture = new LoaderFixture(store);

        Assert.Null(fixture.Loader.Current);
        Assert.Equal([FindingKind.StoreDamaged], fixture.Kinds);
    }

    [Fact]
    public void A_replaced_store_is_not_loaded_before_a_person_accepts_it()
    {
        using var store = Filled();
        using var other = new TemporaryStore();
        other.Put(Secure("other.example"));
        using var fixture = new LoaderFixture(store);
        store.Replace(other);

        fixture.Poll();
        AssertServesLastGood(fixture, FindingKind.StoreReplaced);
        store.Put(Secure("more.example"));
        fixture.Poll();
        AssertServesLastGood(fixture, FindingKind.StoreReplaced);
        fixture.Dispose();

        using var restarted = new LoaderFixture(store);
        AssertServesLastGood(restarted, FindingKind.StoreReplaced);

        Assert.True(SnapshotFile.TryRead(restarted.SnapshotFilePath, out var lastLoaded, out _));
        store.Change(change => change.Accept(lastLoaded.Identity), "store accept", "restored on purpose");
        restarted.Poll();
        Assert.Equal("not configured", restarted.Answer("example.com"));
        Assert.Equal("Found secure", restarted.Answer("other.example"));
        Assert.Equal("Found secure", restarted.Answer("more.example"));
        Assert.Empty(restarted.Loader.Findings);
    }

    [Fact]
    public void A_backup_put_back_under_the_running_daemon_waits_for_a_person()
    {
        using var store = Filled();
        using var backup = store.Copy();
        store.Put(Secure("later.example"));
        using var fixture = new LoaderFixture(store);
        store.Replace(backup);

        fixture.Poll();
        Assert.Equal([FindingKind.StoreReplaced], fixture.Kinds);
        Assert.Equal("Found secure", fixture.Answer("later.example"));

        store.Change(change => change.Accept(fixture.Loader.Current!.Identity), "store accept", "restored");
        fixture.Poll();
        Assert.Equal("not configured", fixture.Answer("later.example"));
        Assert.Empty(fixture.Loader.Findings);
    }

    [Fact]
    [Trait(Engine.Name, Engine.Sqlite)]
    public void A_log_left_behind_is_not_played_into_the_store_that_took_the_place()
    {
        using var store = Filled();
        var backup = Path.Combine(store.Directory, "backup.db");
        using (var open = store.Open())
            open.Backup(backup);
        using var fixture = new LoaderFixture(store);
        store.Put([.. Enumerable.Range(0, 200).Select(i => Secure($"later{i}.example"))]);
        fixture.Poll();
        Assert.True(new FileInfo(store.Path + "-wal").Length > 0);
        var old = Path.Combine(store.Directory, "old.db");
        File.Move(store.Path, old);
        File.Move(backup, store.Path);

        fixture.Poll();

        AssertServesLastGood(fixture, FindingKind.StoreReplaced);
        using (var now = store.Open(StoreAccess.Read))
        {
            now.CheckIntegrity();
            Assert.Equal((2, true), (now.Count(), now.VerifyAudit().IsSound));
        }

        using var before = PolicyStore.Open(old, StoreAccess.Read, store.Time);
        Assert.Equal((202, true), (before.Count(), before.VerifyAudit().IsSound));
    }

    [Fact]
    public void Accepting_in_place_of_something_else_does_not_count()
    {
        using var store = Filled();
        using var other = new TemporaryStore();
        using var fixture = new LoaderFixture(store);
        store.Replace(other);
        store.Change(change => change.Accept(fixture.Loader.Current!.Identity with { Hash = new string('0', 64) }), "store accept");

        fixture.Poll();
        AssertServesLastGood(fixture, FindingKind.StoreReplaced);
    }

    [Fact]
    public void A_copy_of_the_same_store_is_no_replacement()
    {
        using var store = Filled();
        using var fixture = new LoaderFixture(store);
        using var copy = store.Copy();
        store.Replace(copy);
        store.Put(Secure("new.example"));

        fixture.Poll();
        AssertServesTheStore(fixture);
        Assert.Equal("Found secure", fixture.Answer("new.example"));
    }

    [Fact]
    public void A_store_of_a_newer_version_is_left_alone()
    {
        using var store = Filled();
        using var fixture = new LoaderFixture(store);
        store.Sql("INSERT INTO schema_version VALUES (1000, 1000, 1000)");
        fixture.Dispose();

        using var restarted = new LoaderFixture(store);
        AssertServesLastGood(restarted, FindingKind.StoreUnavailable);
        Assert.Contains("newer version", restarted.Loader.Findings.First().Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void A_store_of_a_newer_version_that_this_one_can_read_is_followed()
    {
        using var store = Filled();
        store.Put(Secure("new.example"));
        store.Sql("INSERT INTO schema_version VALUES (1000, 3, 1000)");

        using var fixture = new LoaderFixture(store);

        AssertServesTheStore(fixture);
        Assert.Equal("Found secure", fixture.Answer("new.example"));
    }

    [Fact]
    [Trait(Engine.Name, Engine.Sqlite)]
    public void A_locked_store_is_unavailable_for_as_long()
    {
        using var store = Filled();
        new LoaderFixture(store).Dispose();
        using (var holder = store.OpenSession())
        {
            using var command = holder.Connection.CreateCommand();
            command.CommandText = "PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = DELETE; BEGIN EXCLUSIVE";
            command.ExecuteNonQuery();

            using var locked = new LoaderFixture(store);
            AssertServesLastGood(locked, FindingKind.StoreUnavailable);
        }

        using var fixture = new LoaderFixture(store);
        AssertServesTheStore(fixture);
    }

    [Fact]
    public void Pins_of_another_digest_are_not_served_from_the_file()
    {
        using var store = Filled();
        new LoaderFixture(store).Dispose();
        store.TakeAway();

        using var fixture = new LoaderFixture(store, Sha1);
        Assert.Equal("Found secure", fixture.Answer("example.com"));
        Assert.StartsWith("Temporary", fixture.Answer("pinned.example"), StringComparison.Ordinal);

        fixture.Loader.Use(PostfixSettings.Default);
        Assert.Equal($"Found fingerprint match={PinA}", fixture.Answer("pinned.example"));
        fixture.Loader.Use(Sha1);
        Assert.StartsWith("Temporary", fixture.Answer("pinned.example"), StringComparison.Ordinal);

        store.PutBack();
        fixture.Poll();
        Assert.Equal($"Found fingerprint match={new string('c', 40)}", fixture.Answer("pinned.example"));
        Assert.Empty(fixture.Loader.Findings);
    }

    [Fact]
    public void A_snapshot_that_cannot_be_saved_is_a_finding_and_tried_again()
    {
        using var store = Filled();
        Directory.CreateDirectory(LoaderFixture.SnapshotPath(store));
        using var fixture = new LoaderFixture(store);
        Assert.Equal([FindingKind.SnapshotNotSaved], fixture.Kinds);
        Assert.Equal("Found secure", fixture.Answer("example.com"));

        Directory.Delete(LoaderFixture.SnapshotPath(store));
        store.Time.Advance(TimeSpan.FromMinutes(1));
        fixture.Poll();
        Assert.Empty(fixture.Loader.Findings);
        Assert.True(File.Exists(fixture.SnapshotFilePath));
    }

    [Fact]
    public void Map_names_have_their_own_answers_in_the_file_too()
    {
        using var store = new TemporaryStore();
        store.Put(Secure("example.com") with
        {
            Policy = new TlsPolicy { Level = TlsLevel.Secure, TlsRpt = new TlsRptAttributes("sts", "example.com", ["version: STSv1"], ["mx.example.com"], null) },
        });
        new LoaderFixture(store).Dispose();
        store.TakeAway();

        using var fixture = new LoaderFixture(store);
        Assert.Equal("Found secure", fixture.Answer("example.com"));
        Assert.Contains("policy_type=sts", fixture.Answer("example.com", MapName.TlsPolicyTlsRpt), StringComparison.Ordinal);
    }

    [Fact]
    public void An_answer_that_one_map_alone_cannot_give_is_a_finding_from_the_file_too()
    {
        using var store = new TemporaryStore();
        store.Put(Secure("example.com") with
        {
            Policy = new TlsPolicy
            {
                Level = TlsLevel.Secure,
                TlsRpt = new TlsRptAttributes("sts", "example.com", ["version: STSv1"], [.. Enumerable.Range(0, 9_000).Select(i => $"mx{i}.example.com")], null),
            },
        });
        string detail;
        using (var first = new LoaderFixture(store))
        {
            Assert.Equal("Found secure", first.Answer("example.com"));
            Assert.StartsWith("Temporary ", first.Answer("example.com", MapName.TlsPolicyTlsRpt), StringComparison.Ordinal);
            detail = Assert.Single(first.Loader.Findings).Detail;
        }

        store.TakeAway();

        using var fixture = new LoaderFixture(store);
        Assert.Equal(detail, Assert.Single(fixture.Loader.Findings, finding => finding.Kind == FindingKind.EntryNotServable).Detail);
    }

    [Fact]
    public void An_entry_that_the_log_has_and_the_table_has_not_is_damage_and_no_removal()
    {
        using var store = Filled();
        using var fixture = new LoaderFixture(store);
        store.Put(Secure("example.com", "note"));
        store.Sql("DELETE FROM destination WHERE key = 'example.com'");

        fixture.Poll();

        AssertServesLastGood(fixture, FindingKind.StoreDamaged);
    }
}
