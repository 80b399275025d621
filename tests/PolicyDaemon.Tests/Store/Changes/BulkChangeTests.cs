using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Store.Changes;
using PolicyDaemon.Store.Faults;
using Xunit;
using static PolicyDaemon.Tests.Store.TemporaryStore;

namespace PolicyDaemon.Tests.Store.Changes;

/// <summary>A change of many keys, whose rows an engine may write many at a time: it sees what it wrote all the same.</summary>
public sealed class BulkChangeTests : IDisposable
{
    private static readonly ChangeOrigin Origin = new(Alice, "test", "because");

    private readonly TemporaryStore temporary = new();

    public void Dispose() => temporary.Dispose();

    [Fact]
    public void It_sees_what_it_wrote()
    {
        temporary.Put(Secure("old.example"), Pinned("pinned.example", Pin(PinA)));
        using var store = temporary.Open();
        store.PrepareForBulk();
        using (var change = store.BeginChange(Origin, PostfixSettings.Default))
        {
            change.Expect([.. ((string[])["new.example", "[new.example]:587", "old.example", "pinned.example", "gone.example"]).Select(NextHop.Parse)]);
            Assert.NotNull(change.Find(NextHop.Parse("old.example")));
            Assert.Null(change.Find(NextHop.Parse("new.example")));
            Assert.True(change.Put(Pinned("new.example", Pin(PinA), Pin(PinB))));
            Assert.Equal(2, change.Find(NextHop.Parse("new.example"))!.Pins.Length);
            // What this change adds is none of the forms that were there before.
            Assert.Empty(change.OtherForms(NextHop.Parse("[new.example]:587")));
            Assert.True(change.Put(Secure("new.example", "another policy")));
            Assert.True(change.Put(Secure("gone.example")));
            Assert.True(change.Remove(NextHop.Parse("gone.example")));
            Assert.False(change.Put(Secure("old.example")));
            Assert.True(change.Put(Pinned("pinned.example", Pin(PinA), Pin(PinB))));
            Assert.Equal(5, change.Commit().Rows);
        }

        Assert.Equal(["new.example", "old.example", "pinned.example"], store.List().Select(entry => entry.Key.Text));
        Assert.Equal("another policy", temporary.Find("new.example")!.Note);
        Assert.Equal(2, temporary.Find("pinned.example")!.Pins.Length);
        Assert.Null(store.VerifyAudit().Problem);
        temporary.Put(Pinned("next.example", Pin(PinA)));
        Assert.Null(store.VerifyAudit().Problem);
    }

    [Fact]
    public void What_is_taken_back_was_never_there()
    {
        using var store = temporary.Open();
        store.PrepareForBulk();
        using (var change = store.BeginChange(Origin, PostfixSettings.Default))
            change.Put(Pinned("new.example", Pin(PinA)));

        using (var change = store.BeginChange(Origin, PostfixSettings.Default))
        {
            change.Put(Secure("other.example"));
            change.Commit();
        }

        Assert.Equal(["other.example"], store.List().Select(entry => entry.Key.Text));
        Assert.Null(store.VerifyAudit().Problem);
    }

    /// <summary>Two judged as new, of which one was written: the other is refused, whatever is written when.</summary>
    [Fact]
    public void A_key_that_was_judged_before_this_change_wrote_it_is_refused()
    {
        using var store = temporary.Open();
        store.PrepareForBulk();
        using var change = store.BeginChange(Origin, PostfixSettings.Default);
        var (one, other) = (change.Judge(NextHop.Parse("new.example"), Secure("new.example")), change.Judge(NextHop.Parse("new.example"), Secure("new.example", "other")));
        Assert.True(change.Write(one));

        Assert.Throws<InvalidOperationException>(() => change.Write(other));
    }

    /// <summary>A NUL, which no engine stores, shows at the row that has it.</summary>
    [Fact]
    public void What_cannot_be_stored_takes_everything_back()
    {
        using var store = temporary.Open();
        store.PrepareForBulk();
        using (var change = store.BeginChange(Origin, PostfixSettings.Default))
        {
            change.Put(Secure("a.example"));
            Assert.ThrowsAny<Exception>(() => change.Put(Secure("b.example", "a\0b")));
        }

        Assert.Empty(store.List());
        Assert.IsNotType<StoreException>(Record.Exception(() => store.Count()));
    }
}
