using PolicyDaemon.Core.Pins;
using PolicyDaemon.Store.Changes;
using PolicyDaemon.Store.Engines;
using Xunit;
using static PolicyDaemon.Tests.Store.TemporaryStore;

namespace PolicyDaemon.Tests.Store;

public class UndoTests
{
    [Fact]
    public void An_addition_is_taken_away()
    {
        using var temporary = new TemporaryStore();
        var added = temporary.Put(Secure("example.com"));

        Undo(temporary, added.ChangeId);

        Assert.Null(temporary.Find("example.com"));
    }

    [Fact]
    public void Planning_tells_how_far_it_is()
    {
        using var temporary = new TemporaryStore();
        var added = temporary.Put([.. Enumerable.Range(0, 5).Select(i => Secure($"d{i}.example"))]);
        using var store = temporary.Open(StoreAccess.Read);
        var told = new Told();

        store.PlanUndo(added.ChangeId, told);

        Assert.Equal([(1, 5), (2, 5), (3, 5), (4, 5), (5, 5)], told.Steps);
    }

    [Fact]
    public void A_change_goes_back_with_its_pins()
    {
        using var temporary = new TemporaryStore();
        var before = Pinned("example.com", Pin(PinA), Pin(PinB, PinState.Retiring)) with { Note = "old" };
        temporary.Put(before);
        var changed = temporary.Put(Secure("example.com"));

        Undo(temporary, changed.ChangeId);

        Assert.Equal(before, temporary.Find("example.com"));
    }

    [Fact]
    public void A_removal_is_brought_back_whole()
    {
        using var temporary = new TemporaryStore();
        var whole = Pinned("[mx.example.com]:587", Pin(PinA, PinState.Rejected), Pin(PinB)) with { Mode = PinMode.Locked };
        temporary.Put(whole);
        var removed = temporary.Remove("[mx.example.com]:587");

        Undo(temporary, removed.ChangeId);

        Assert.Equal(whole, temporary.Find("[mx.example.com]:587"));
    }

    [Fact]
    public void An_import_goes_back_as_a_whole()
    {
        using var temporary = new TemporaryStore();
        temporary.Put(Secure("b.example"));
        var import = temporary.Put(Secure("a.example"), Secure("b.example", "imported"), Secure("c.example"));

        Undo(temporary, import.ChangeId);

        using var store = temporary.Open(StoreAccess.Read);
        Assert.Equal([Secure("b.example")], store.List());
        Assert.True(store.VerifyAudit().IsSound);
    }

    [Fact]
    public void Undoing_an_undo_restores_the_change()
    {
        using var temporary = new TemporaryStore();
        temporary.Put(Secure("example.com"));
        var changed = temporary.Put(Secure("example.com", "new"));

        var undone = Undo(temporary, changed.ChangeId);
        Undo(temporary, undone.ChangeId);

        Assert.Equal("new", temporary.Find("example.com")!.Note);
    }

    [Fact]
    public void What_changed_since_cannot_be_taken_back()
    {
        using var temporary = new TemporaryStore();
        var first = temporary.Put(Secure("a.example"), Secure("b.example"));
        temporary.Put(Secure("b.example", "later"));

        using var store = temporary.Open(StoreAccess.Read);
        var plan = store.PlanUndo(first.ChangeId);

        Assert.False(plan.IsPossible);
        Assert.Equal("b.example was changed since; see 'policyctl audit b.example'", Assert.Single(plan.Obstacles));
    }

    [Fact]
    public void A_change_cannot_be_taken_back_twice()
    {
        using var temporary = new TemporaryStore();
        var changed = temporary.Put(Secure("example.com"));
        Undo(temporary, changed.ChangeId);

        using var store = temporary.Open(StoreAccess.Read);
        Assert.False(store.PlanUndo(changed.ChangeId).IsPossible);
    }

    [Fact]
    public void A_removal_whose_key_was_added_again_cannot_be_taken_back()
    {
        using var temporary = new TemporaryStore();
        temporary.Put(Secure("example.com"));
        var removed = temporary.Remove("example.com");
        temporary.Put(Secure("example.com"));

        using var store = temporary.Open(StoreAccess.Read);
        Assert.False(store.PlanUndo(removed.ChangeId).IsPossible);
    }

    [Fact]
    public void A_rejected_pin_stays_rejected()
    {
        using var temporary = new TemporaryStore();
        temporary.Put(Pinned("example.com", Pin(PinA), Pin(PinB)));
        var rejected = temporary.Put(Pinned("example.com", Pin(PinA), Pin(PinB, PinState.Rejected)) with { Note = "compromised" });

        using (var store = temporary.Open(StoreAccess.Read))
            Assert.Equal([Pin(PinB).Fingerprint], Assert.Single(store.PlanUndo(rejected.ChangeId).Steps).StillRejected);
        Undo(temporary, rejected.ChangeId);

        var now = temporary.Find("example.com")!;
        Assert.Null(now.Note);
        Assert.Equal([Pin(PinA), Pin(PinB, PinState.Rejected)], now.Pins);
    }

    [Fact]
    public void A_pin_that_was_first_seen_rejected_stays_too()
    {
        using var temporary = new TemporaryStore();
        temporary.Put(Pinned("example.com", Pin(PinA)));
        var rejected = temporary.Put(Pinned("example.com", Pin(PinA), Pin(PinB, PinState.Rejected)));

        Undo(temporary, rejected.ChangeId);

        Assert.Contains(Pin(PinB, PinState.Rejected), temporary.Find("example.com")!.Pins);
    }

    [Theory]
    [InlineData(1, "change 1 (init) is about the store itself and cannot be taken back")]
    [InlineData(42, "there is no change 42; 'policyctl audit' lists them")]
    public void What_cannot_be_taken_back_says_why(long change, string obstacle)
    {
        using var temporary = new TemporaryStore();
        using var store = temporary.Open(StoreAccess.Read);
        Assert.Equal(obstacle, Assert.Single(store.PlanUndo(change).Obstacles));
    }

    private static ChangeReceipt Undo(TemporaryStore temporary, long changeId) => temporary.Change(
        change =>
        {
            var plan = change.PlanUndo(changeId);
            Assert.Empty(plan.Obstacles);
            foreach (var step in plan.Steps)
            {
                if (step.BackTo is null)
                    change.Remove(step.Key);
                else
                    change.Put(step.BackTo);
            }
        },
        "undo", "a mistake");

    private sealed class Told : IProgress<(int Done, int All)>
    {
        internal List<(int, int)> Steps { get; } = [];

        public void Report((int Done, int All) value) => Steps.Add(value);
    }
}
