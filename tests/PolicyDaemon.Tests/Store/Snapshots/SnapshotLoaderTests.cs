using PolicyDaemon.Core.Audit;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Store.Changes;
using PolicyDaemon.Store.Engines;
using PolicyDaemon.Store.Snapshots;
using PolicyDaemon.Tests.Support;
using Xunit;
using static PolicyDaemon.Tests.Store.TemporaryStore;

namespace PolicyDaemon.Tests.Store.Snapshots;

public class SnapshotLoaderTests
{
    private static readonly PostfixSettings Sha1 = PostfixSettings.Default with { FingerprintDigest = DigestAlgorithm.Sha1 };

    [Fact]
    public void A_change_is_live_at_the_next_poll()
    {
        using var store = new TemporaryStore();
        using var fixture = new LoaderFixture(store);
        Assert.Equal("not configured", fixture.Answer("example.com"));

        store.Put(Secure("example.com"), Pinned("pinned.example", Pin(PinA)));
        fixture.Poll();
        Assert.Equal("Found secure", fixture.Answer("example.com"));
        Assert.Equal($"Found fingerprint match={PinA}", fixture.Answer("pinned.example"));
        Assert.Equal(["pinned.example"], fixture.Loader.Current!.Entries.Where(entry => entry.IsPinned).Select(entry => entry.Key));

        store.Remove("example.com");
        store.Put(Pinned("pinned.example", Pin(PinA), Pin(PinB)));
        fixture.Poll();
        Assert.Equal("not configured", fixture.Answer("example.com"));
        Assert.Equal($"Found fingerprint match={PinA}|{PinB}", fixture.Answer("pinned.example"));
        Assert.Empty(fixture.Loader.Findings);
    }

    [Fact]
    public void It_is_counted_how_long_each_change_took_until_it_was_served()
    {
        using var store = new TemporaryStore();
        store.Put(Secure("while.not.running.example"));
        store.Time.Advance(TimeSpan.FromHours(1));
        using var fixture = new LoaderFixture(store);
        fixture.Poll();
        Assert.Equal(0, fixture.Loader.ChangeToLive.Count);

        store.Put(Secure("one.example"), Secure("with-it.example"));
        store.Time.Advance(TimeSpan.FromSeconds(4));
        store.Put(Secure("two.example"));
        fixture.Poll();
        fixture.Poll();

        var took = fixture.Loader.ChangeToLive;
        Assert.Equal((2, 4000), (took.Count, took.Milliseconds));
        Assert.Equal([1, 1, 2, 2, 2, 2, 2, 2], took.Buckets);
    }

    [Fact]
    public void One_change_among_many_reads_one_destination()
    {
        using var store = new TemporaryStore();
        store.Put([.. Enumerable.Range(0, 3_000).Select(i => Secure($"d{i}.example"))]);
        using var fixture = new LoaderFixture(store);
        Assert.True(fixture.Loader.TakeChanges()!.Everything);

        // What nothing tells of is not met again.
        store.Sql("UPDATE destination SET level = 'may' WHERE key <> 'd7.example'");
        store.Put(Secure("d7.example") with { Policy = new TlsPolicy { Level = TlsLevel.Encrypt } });
        fixture.Poll();
        fixture.Poll();

        Assert.Equal("Found encrypt", fixture.Answer("d7.example"));
        Assert.Equal("Found secure", fixture.Answer("d8.example"));
        Assert.Equal(["d7.example"], fixture.Loader.TakeChanges()!.Keys);
        Assert.Equal(3_000, fixture.Loader.Current!.Count);
    }

    [Fact]
    public void A_poll_of_an_unchanged_store_keeps_the_same_snapshot()
    {
        using var store = new TemporaryStore();
        store.Put(Secure("example.com"));
        using var fixture = new LoaderFixture(store);
        var snapshot = fixture.Loader.Current;

        fixture.Poll();
        fixture.Poll();

        Assert.Same(snapshot, fixture.Loader.Current);
    }

    [Fact]
    public async Task It_follows_by_itself_and_saves_at_the_end()
    {
        using var store = new TemporaryStore();
        using var fixture = new LoaderFixture(store);
        using var stop = new CancellationTokenSource();
        var running = fixture.Loader.RunAsync(stop.Token);

        store.Put(Secure("example.com"));
        store.Time.Advance(fixture.Options.PollInterval);
        await Until.TrueAsync(() => fixture.Answer("example.com") == "Found secure");

        await stop.CancelAsync();
        await running;
        Assert.True(SnapshotFile.TryRead(fixture.SnapshotFilePath, out var saved, out _));
        Assert.Equal(fixture.Loader.Current!.Identity, saved.Identity);
    }

    [Fact]
    public void Other_settings_make_other_answers_at_once()
    {
        using var store = new TemporaryStore();
        store.Put(Pinned("example.com", Pin(PinA), Pin(new string('c', 40))));
        using var fixture = new LoaderFixture(store);
        Assert.Equal($"Found fingerprint match={PinA}", fixture.Answer("example.com"));

        fixture.Loader.Use(Sha1);

        Assert.Equal($"Found fingerprint match={new string('c', 40)}", fixture.Answer("example.com"));
        Assert.Equal(DigestAlgorithm.Sha1, fixture.Loader.Current!.Identity.Digest);
    }

    [Fact]
    public void An_entry_that_cannot_be_served_is_temporary_for_its_key_alone_until_it_can()
    {
        using var store = new TemporaryStore();
        store.Put(Pinned("empty.example"), Secure("good.example"));
        using var fixture = new LoaderFixture(store);

        Assert.StartsWith("Temporary", fixture.Answer("empty.example"), StringComparison.Ordinal);
        Assert.Equal("Found secure", fixture.Answer("good.example"));
        var finding = Assert.Single(fixture.Loader.Findings);
        Assert.Equal((FindingKind.EntryNotServable, "empty.example"), (finding.Kind, finding.Subject));

        store.Put(Pinned("empty.example", Pin(PinA)));
        fixture.Poll();
        Assert.Equal($"Found fingerprint match={PinA}", fixture.Answer("empty.example"));
        Assert.Empty(fixture.Loader.Findings);
    }

    [Theory]
    [InlineData("UPDATE destination SET level = 'halfdane' WHERE key = 'bad.example'")]
    [InlineData("UPDATE destination SET attributes = 'not json' WHERE key = 'bad.example'")]
    [InlineData("UPDATE destination SET attributes = '[]' WHERE key = 'bad.example'")]
    [InlineData("UPDATE destination SET attributes = '{\"ciphers\":5}' WHERE key = 'bad.example'")]
    [InlineData("UPDATE destination SET attributes = '{\"of_a_later_version\":\"x\"}' WHERE key = 'bad.example'")]
    [InlineData("UPDATE destination SET key = 'Bad.Example' WHERE key = 'bad.example'")]
    public void An_entry_that_cannot_be_read_is_temporary_for_its_key_alone(string sql)
    {
        using var store = new TemporaryStore();
        store.Put(Secure("bad.example"), Secure("good.example"));
        store.Sql(sql);
        using var fixture = new LoaderFixture(store);

        Assert.StartsWith("Temporary", fixture.Answer("bad.example"), StringComparison.Ordinal);
        Assert.Equal("Found secure", fixture.Answer("good.example"));
        Assert.Equal("bad.example", Assert.Single(fixture.Loader.Findings).Subject);
    }

    [Fact]
    public void Findings_are_written_to_the_store_and_settled_there()
    {
        using var store = new TemporaryStore();
        store.Put(Pinned("empty.example"));
        using var fixture = new LoaderFixture(store);
        Assert.Equal("empty.example", Assert.Single(OpenFindings(store)).Finding.Subject);
        for (var i = 0; i < 5; i++)
            fixture.Poll();
        Assert.Equal(1, Assert.Single(OpenFindings(store)).Occurrences);

        store.Remove("empty.example");
        fixture.Poll();
        Assert.Empty(OpenFindings(store));
    }

    [Fact]
    public void Findings_of_an_earlier_run_are_settled_when_they_are_over()
    {
        using var store = new TemporaryStore();
        using (var open = store.Open())
        {
            open.RaiseFinding(new Finding(FindingKind.StoreUnavailable, store.Path, "earlier", "", store.Time.GetUtcNow()));
            open.RaiseFinding(new Finding(FindingKind.NearMiss, "example.com", "somebody else's", "", store.Time.GetUtcNow()));
        }

        using var fixture = new LoaderFixture(store);
        Assert.Equal(FindingKind.NearMiss, Assert.Single(OpenFindings(store)).Finding.Kind);
    }

    [Fact]
    public void A_broken_audit_chain_is_a_finding()
    {
        using var store = new TemporaryStore();
        using var fixture = new LoaderFixture(store);
        store.Put(Secure("example.com"));
        store.Sql("DROP TRIGGER audit_no_update; UPDATE audit SET answer_after = 'forged' WHERE sequence = 2");

        fixture.Poll();

        Assert.Equal([FindingKind.AuditBroken], fixture.Kinds);
        Assert.Equal("Found secure", fixture.Answer("example.com"));
        Assert.Equal("policyctl audit --verify", Assert.Single(OpenFindings(store)).Finding.Remedy);

        // A person has read it and says why the store is taken as it is.
        using (var open = store.Open())
        {
            using (var change = open.BeginChange(new ChangeOrigin(Actor.Daemon, "policyctl store accept", "read"), PostfixSettings.Default))
            {
                change.Accept(fixture.Loader.Current!.Identity);
                change.Commit();
            }

            open.CloseFinding(FindingKind.AuditBroken, store.Path);
        }

        fixture.Poll();
        Assert.Empty(fixture.Kinds);
        Assert.Empty(OpenFindings(store));
    }

    private static IReadOnlyList<FindingAlert> OpenFindings(TemporaryStore store)
    {
        using var open = store.Open(StoreAccess.Read);
        return open.OpenFindings();
    }
}
