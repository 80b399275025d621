using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Serving;
using PolicyDaemon.Store.Snapshots;
using Xunit;

namespace PolicyDaemon.Tests.Store.Snapshots;

public class SnapshotFileTests
{
    private static readonly PolicySnapshot Example = PolicySnapshot.Build(
        new SnapshotIdentity("0123456789abcdef", 42, new string('a', 64), DigestAlgorithm.Sha512, new PostfixVersion(3, 10)),
        [
            new SnapshotEntry("example.com", LookupAnswer.Found("secure"), LookupAnswer.Found("secure")),
            new SnapshotEntry(".example.com", LookupAnswer.Found("encrypt"), LookupAnswer.Found("encrypt policy_type=sts")),
            new SnapshotEntry("observed.example", LookupAnswer.NotFound, LookupAnswer.NotFound),
            new SnapshotEntry("broken.example", LookupAnswer.Temporary("no pin"), LookupAnswer.Temporary("no pin")),
            new SnapshotEntry("[long.example]:587", LookupAnswer.Found("fingerprint match=" + new string('b', 90_000)), LookupAnswer.NotFound, IsPinned: true),
            new SnapshotEntry("until.example", LookupAnswer.Found("secure"), LookupAnswer.Found("may"), ValidUntil: DateTimeOffset.UnixEpoch.AddDays(20_000)),
            new SnapshotEntry("lapsed.example", LookupAnswer.Found("may"), LookupAnswer.Found("may"), ValidUntil: DateTimeOffset.UnixEpoch.AddDays(20_000)) { HasLapsed = true },
            new SnapshotEntry("then.example", LookupAnswer.NotFound, LookupAnswer.NotFound, ValidUntil: DateTimeOffset.UnixEpoch.AddDays(20_000))
            {
                IsDefault = true,
                HasLapsed = true,
                Then = new EntryAfter(LookupAnswer.Found("fingerprint match=aa"), LookupAnswer.Found("fingerprint match=aa policy_type=sts"), IsPinned: true),
            },
            new SnapshotEntry("later.example", LookupAnswer.Found("may"), LookupAnswer.Found("may"), ValidUntil: DateTimeOffset.UnixEpoch.AddDays(30_000))
            {
                Then = EntryAfter.Of(new SnapshotEntry("", PolicySnapshotAnswers.BelowFloor, PolicySnapshotAnswers.BelowFloor) { Floor = DiscoveryFloor.DaneOnly }),
            },
            new SnapshotEntry("default.example", LookupAnswer.NotFound, LookupAnswer.NotFound) { IsDefault = true },
            new SnapshotEntry("discovered.example", PolicySnapshotAnswers.BelowFloor, PolicySnapshotAnswers.BelowFloor) { Floor = DiscoveryFloor.Secure },
        ]);

    [Fact]
    public void What_was_written_is_read()
    {
        using var temporary = new TemporaryStore(create: false);
        var path = Path.Combine(temporary.Directory, "snapshot");

        SnapshotFile.Write(path, Example);

        Assert.True(SnapshotFile.TryRead(path, out var read, out var reason), reason);
        Assert.Equal(Example.Identity, read.Identity);
        Assert.Equal(Example.Entries.OrderBy(entry => entry.Key), read.Entries.OrderBy(entry => entry.Key));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead, File.GetUnixFileMode(path));
        Assert.Equal([path], Directory.GetFiles(temporary.Directory));
    }

    [Fact]
    public void A_file_cut_anywhere_or_altered_anywhere_is_not_used()
    {
        using var temporary = new TemporaryStore(create: false);
        var path = Path.Combine(temporary.Directory, "snapshot");
        var small = PolicySnapshot.Build(Example.Identity, Example.Entries.Where(entry => entry.Key != "[long.example]:587"));
        SnapshotFile.Write(path, small);
        var bytes = File.ReadAllBytes(path);

        for (var i = 0; i < bytes.Length; i++)
        {
            File.WriteAllBytes(path, bytes[..i]);
            Assert.False(SnapshotFile.TryRead(path, out _, out var cut), $"cut at {i}");
            Assert.NotNull(cut);

            bytes[i] ^= 0x21;
            File.WriteAllBytes(path, bytes);
            Assert.False(SnapshotFile.TryRead(path, out _, out var altered), $"altered at {i}");
            Assert.NotNull(altered);
            bytes[i] ^= 0x21;
        }

        File.WriteAllBytes(path, [.. bytes, 0]);
        Assert.False(SnapshotFile.TryRead(path, out _, out _));
        File.WriteAllBytes(path, bytes);
        Assert.True(SnapshotFile.TryRead(path, out _, out _));
    }

    [Fact]
    public void No_file_is_no_fault()
    {
        using var temporary = new TemporaryStore(create: false);
        Assert.False(SnapshotFile.TryRead(Path.Combine(temporary.Directory, "snapshot"), out var snapshot, out var reason));
        Assert.Null(snapshot);
        Assert.Null(reason);
    }

    [Fact]
    public void A_failed_write_leaves_what_was_there_and_nothing_beside_it()
    {
        using var temporary = new TemporaryStore(create: false);
        var path = Path.Combine(temporary.Directory, "snapshot");
        Directory.CreateDirectory(Path.Combine(path, "in the way"));

        Assert.ThrowsAny<Exception>(() => SnapshotFile.Write(path, Example));

        Assert.Equal([path], Directory.GetFileSystemEntries(temporary.Directory));
    }

    [Fact]
    public void A_link_planted_where_a_draft_could_lie_is_not_followed()
    {
        using var temporary = new TemporaryStore(create: false);
        var path = Path.Combine(temporary.Directory, "snapshot");
        var victim = Path.Combine(temporary.Directory, "victim");
        File.CreateSymbolicLink(path + ".new", victim);

        SnapshotFile.Write(path, Example);

        Assert.False(File.Exists(victim));
        Assert.Equal(Example.Count, SnapshotFile.TryRead(path, out var read, out _) ? read.Count : 0);
    }
}
