using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Serving;
using PolicyDaemon.Store.Snapshots;
using Xunit;

namespace PolicyDaemon.Tests.Store.Snapshots;

public sealed class SnapshotJournalTests : IDisposable
{
    private static readonly SnapshotEntry A = Entry("a.example", LookupAnswer.Found("may"));
    private static readonly SnapshotEntry AStronger = Entry("a.example", LookupAnswer.Found("secure"));
    private static readonly SnapshotEntry B = new("b.example", LookupAnswer.Found("encrypt"), LookupAnswer.Found("encrypt policy_type=sts"));
    private static readonly SnapshotEntry BBroken = Entry("b.example", LookupAnswer.Temporary("no pin"));

    private readonly string directory = Directory.CreateTempSubdirectory("policydaemon-journal").FullName;

    private string FilePath => Path.Combine(directory, "snapshot");

    private string JournalPath => SnapshotJournal.PathOf(FilePath);

    public void Dispose() => Directory.Delete(directory, recursive: true);

    [Fact]
    public void What_changed_since_the_file_was_written_is_read_with_it()
    {
        SnapshotFile.Write(FilePath, Snapshot(1, A, B));
        using var journal = Journal();
        Add(journal, 1, 2, [AStronger], []);
        Add(journal, 2, 3, [BBroken], []);
        Add(journal, 3, 4, [], ["a.example"]);

        var last = Read();

        Assert.Equal(Identity(4), last.Snapshot.Identity);
        Assert.Equal([BBroken], last.Snapshot.Entries);
        Assert.Equal([BBroken], last.Noted);
        Assert.Equal(Identity(1), last.InFile);
        Assert.Null(last.JournalProblem);
        Assert.Equal(SnapshotFile.Mode, File.GetUnixFileMode(JournalPath));
    }

    [Fact]
    public void A_key_that_went_and_came_again_is_there()
    {
        SnapshotFile.Write(FilePath, Snapshot(1, A));
        using var journal = Journal();
        Add(journal, 1, 2, [], ["a.example"]);
        Add(journal, 2, 3, [AStronger], []);

        Assert.Equal([AStronger], Read().Snapshot.Entries);
    }

    [Fact]
    public void A_journal_cut_anywhere_gives_the_changes_before_the_cut()
    {
        SnapshotFile.Write(FilePath, Snapshot(1, A));
        using (var journal = Journal())
        {
            Add(journal, 1, 2, [AStronger], []);
            Add(journal, 2, 3, [B], []);
        }

        var octets = File.ReadAllBytes(JournalPath);
        var sequences = new List<long>();
        for (var length = 0; length <= octets.Length; length++)
        {
            File.WriteAllBytes(JournalPath, octets[..length]);
            var last = Read();
            sequences.Add(last.Snapshot.Identity.Sequence);
            Assert.Equal(last.Snapshot.Identity.Sequence > 1 ? AStronger : A, Assert.Single(last.Snapshot.Entries, entry => entry.Key == "a.example"));
        }

        Assert.Equal(sequences.Order(), sequences);
        Assert.Equal([1, 2, 3], sequences.Distinct());
    }

    [Fact]
    public void An_octet_altered_anywhere_never_gives_another_answer()
    {
        SnapshotFile.Write(FilePath, Snapshot(1, A));
        using (var journal = Journal())
        {
            Add(journal, 1, 2, [AStronger], []);
            Add(journal, 2, 3, [B], []);
        }

        var octets = File.ReadAllBytes(JournalPath);
        string[] allowed = [Text([A]), Text([AStronger]), Text([AStronger, B])];
        for (var i = 0; i < octets.Length; i++)
        {
            octets[i] ^= 0x21;
            File.WriteAllBytes(JournalPath, octets);
            octets[i] ^= 0x21;
            var last = Read();
            Assert.Contains(Text(last.Snapshot.Entries), allowed);
            Assert.NotNull(last.JournalProblem);
        }
    }

    [Fact]
    public void A_newer_file_makes_what_led_to_it_unnecessary()
    {
        SnapshotFile.Write(FilePath, Snapshot(1, A));
        using var journal = Journal();
        Add(journal, 1, 2, [AStronger], []);
        Add(journal, 2, 3, [B], []);
        // Killed between the two: the journal begins before the file, and goes on after it.
        SnapshotFile.Write(FilePath, Snapshot(2, AStronger));
        Assert.Equal(Identity(3), Read().Snapshot.Identity);

        journal.Cover(Identity(2));
        journal.Sync();
        Assert.Equal(Identity(3), Read().Snapshot.Identity);
        Assert.Single(Read().Records);

        SnapshotFile.Write(FilePath, Snapshot(3, AStronger, B));
        journal.Cover(Identity(3));
        journal.Sync();
        Assert.False(File.Exists(JournalPath));
    }

    [Fact]
    public void A_journal_of_another_state_changes_nothing()
    {
        SnapshotFile.Write(FilePath, Snapshot(7, A));
        using var journal = Journal();
        Add(journal, 1, 2, [AStronger], []);

        Assert.Equal(Identity(7), Read().Snapshot.Identity);
        Assert.Equal([A], Read().Snapshot.Entries);
    }

    [Fact]
    public void A_change_that_does_not_go_on_from_the_last_one_is_not_taken()
    {
        using var journal = Journal();

        Assert.False(journal.TryAdd(new SnapshotChange(Identity(2), Identity(3), [A], [])));
        Assert.NotEqual(Identity(3), journal.Head);
    }

    [Fact]
    public void A_journal_that_somebody_removed_or_replaced_is_written_anew()
    {
        SnapshotFile.Write(FilePath, Snapshot(1, A));
        var victim = Path.Combine(directory, "victim");
        File.WriteAllText(victim, "precious");
        using var journal = Journal();
        Add(journal, 1, 2, [AStronger], []);
        File.Delete(JournalPath);
        File.CreateSymbolicLink(JournalPath, victim);

        Add(journal, 2, 3, [B], []);

        Assert.Equal("precious", File.ReadAllText(victim));
        Assert.Equal(Identity(3), Read().Snapshot.Identity);
    }

    [Fact]
    public void It_goes_on_after_a_restart()
    {
        SnapshotFile.Write(FilePath, Snapshot(1, A));
        using (var journal = Journal())
            Add(journal, 1, 2, [AStronger], []);
        var read = Read();
        using var resumed = new SnapshotJournal(JournalPath);
        resumed.Resume(read.Records, read.Snapshot.Identity);

        Add(resumed, 2, 3, [B], []);

        Assert.Equal(Identity(3), Read().Snapshot.Identity);
        Assert.Equal([AStronger, B], Read().Snapshot.Entries.OrderBy(entry => entry.Key, StringComparer.Ordinal));
    }

    private static string Text(IEnumerable<SnapshotEntry> entries) => string.Join('\n', entries.OrderBy(entry => entry.Key, StringComparer.Ordinal));

    private static SnapshotEntry Entry(string key, LookupAnswer answer) => new(key, answer, answer);

    private static SnapshotIdentity Identity(long sequence) => new(
        "0123456789abcdef", sequence, new string((char)('a' + sequence), 64), DigestAlgorithm.Sha256, new PostfixVersion(3, 7));

    private static PolicySnapshot Snapshot(long sequence, params SnapshotEntry[] entries) => PolicySnapshot.Build(Identity(sequence), entries);

    private static void Add(SnapshotJournal journal, long from, long to, SnapshotEntry[] changed, string[] removed)
    {
        Assert.True(journal.TryAdd(new SnapshotChange(Identity(from), Identity(to), changed, removed)));
        journal.Sync();
    }

    private SnapshotJournal Journal()
    {
        var journal = new SnapshotJournal(JournalPath);
        journal.Restart(Identity(1));
        return journal;
    }

    private LastGoodSnapshot Read()
    {
        Assert.True(LastGoodSnapshot.TryRead(FilePath, out var last, out var reason), reason);
        return last;
    }
}
