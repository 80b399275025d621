using System.Runtime.CompilerServices;
using PolicyDaemon.Core.Audit;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Store.Changes;
using PolicyDaemon.Store.Engines;
using PolicyDaemon.Store.Faults;
using Xunit;
using static PolicyDaemon.Tests.Store.TemporaryStore;

namespace PolicyDaemon.Tests.Store.Changes;

/// <summary>The store's door: what one program may not write, no other may.</summary>
public sealed class JudgedChangeTests : IDisposable
{
    private readonly TemporaryStore store = new();

    [Fact]
    public void What_cannot_be_served_is_refused_with_the_reason()
    {
        var refused = Assert.Throws<ChangeRefusedException>(() => Change(change => change.Put(Pinned("example.com")), reason: "all the same"));

        Assert.Contains("example.com cannot be served like this: ", refused.Message, StringComparison.Ordinal);
        Assert.NotEmpty(refused.Judged.Problems);
        Assert.Null(store.Find("example.com"));
    }

    [Fact]
    public void What_weakens_takes_a_reason()
    {
        Change(change => change.Put(Secure("example.com")));
        var may = Secure("example.com") with { Policy = new TlsPolicy { Level = TlsLevel.May } };

        Assert.Throws<ChangeRefusedException>(() => Change(change => change.Put(may)));
        Assert.Throws<ChangeRefusedException>(() => Change(change => change.Put(may), reason: " "));
        Assert.Throws<ChangeRefusedException>(() => Change(change => change.Remove(may.Key)));
        Assert.Equal(TlsLevel.Secure, store.Find("example.com")!.Policy.Level);

        Change(change => change.Put(may), reason: "they moved");
        Assert.Equal(TlsLevel.May, store.Find("example.com")!.Policy.Level);
        Change(change => change.Remove(may.Key), reason: "gone");
        Assert.Null(store.Find("example.com"));
    }

    [Fact]
    public void Automation_may_not_weaken_whatever_it_says()
    {
        Change(change => change.Put(Pinned("example.com", Pin(PinA))));

        Assert.Throws<ChangeRefusedException>(() => Change(
            change => change.Put(Pinned("example.com", Pin(PinA), Pin(PinB) with { Strength = PinStrength.Tofu })), "rules", automation: true));
        Change(change => change.Put(Pinned("example.com", Pin(PinA), Pin(PinB) with { Strength = PinStrength.Dane })), "rules", automation: true);

        Assert.Equal(2, store.Find("example.com")!.Pins.Length);
    }

    [Fact]
    public void Automation_may_change_what_cannot_be_served_already()
    {
        store.Put(Pinned("example.com"));

        Change(change => change.Put(Pinned("example.com", Pin(PinA, PinState.Candidate))), automation: true);

        Assert.Equal(PinState.Candidate, store.Find("example.com")!.Pins[0].State);
        Assert.Throws<ChangeRefusedException>(() => Change(change => change.Put(Pinned("example.com"))));
    }

    [Fact]
    public void The_audit_log_says_what_Postfix_was_told_and_is_told()
    {
        Change(change => change.Put(Secure("example.com")));
        Change(change => change.Put(Secure("example.com") with { Observe = true }), reason: "try");
        Change(change => change.Remove(NextHop.Parse("example.com")), reason: "gone");

        using var open = store.Open(StoreAccess.Read);
        Assert.Equal(
            [("remove", "(not found)", null), ("change", "secure", "(not found)"), ("add", null, "secure")],
            open.Audit(NextHop.Parse("example.com")).Select(row => (row.Action, row.AnswerBefore, row.AnswerAfter)));
    }

    [Fact]
    public void Answers_are_those_of_the_Postfix_that_asks()
    {
        var entry = Secure("example.com") with { Policy = new TlsPolicy { Level = TlsLevel.Secure, EnableRpk = true } };

        Assert.Throws<ChangeRefusedException>(() => Change(change => change.Put(entry)));
        Change(change => change.Put(entry), postfix: PostfixSettings.Default with { Version = PostfixVersion.Newest });

        using var open = store.Open(StoreAccess.Read);
        Assert.Equal("secure enable_rpk=yes", open.Audit(entry.Key).First().AnswerAfter);
    }

    [Fact]
    public void A_parent_that_the_same_change_takes_away_still_says_what_weakens()
    {
        Change(change => change.Put(Secure(".example.com")));
        var child = Secure("a.example.com") with { Policy = new TlsPolicy { Level = TlsLevel.May } };

        Assert.Throws<ChangeRefusedException>(() => Change(change =>
        {
            change.Put(Secure(".example.com", "touched"));
            change.Put(child);
        }));
        using var open = store.Open();
        using var both = open.BeginChange(new ChangeOrigin(Alice, "test", "moved"), PostfixSettings.Default);
        both.Remove(NextHop.Parse(".example.com"));
        Assert.Contains(".example.com", Assert.Single(both.Judge(child.Key, child).Weakens), StringComparison.Ordinal);
    }

    [Fact]
    public void A_change_of_many_parents_keeps_none_of_them_in_memory()
    {
        Change(change => change.Put(Secure(".example.com")));
        Change(change => change.Put(Secure(".example.org")));
        using var open = store.Open();
        using var change = open.BeginChange(new ChangeOrigin(Alice, "test", "gone"), PostfixSettings.Default);

        var removed = Remove(change, ".example.com");
        Remove(change, ".example.org");
        GC.Collect();

        Assert.False(removed.IsAlive);
        var child = Secure("a.example.com") with { Policy = new TlsPolicy { Level = TlsLevel.May } };
        Assert.Contains(".example.com", Assert.Single(change.Judge(child.Key, child).Weakens), StringComparison.Ordinal);

        [MethodImpl(MethodImplOptions.NoInlining)]
        static WeakReference Remove(StoreChange change, string key)
        {
            var judged = change.Judge(NextHop.Parse(key), null);
            change.Write(judged);
            return new WeakReference(judged.Before);
        }
    }

    [Fact]
    public void A_parent_that_the_same_change_adds_weakens_nothing()
    {
        var child = Secure("a.example.com") with { Policy = new TlsPolicy { Level = TlsLevel.May } };

        Change(change =>
        {
            change.Put(Secure(".example.com"));
            change.Put(child);
        });

        Assert.NotNull(store.Find("a.example.com"));
    }

    [Fact]
    public void An_entry_that_cannot_be_read_can_be_removed_with_a_reason()
    {
        Change(change => change.Put(Secure("example.com")));
        store.Sql("UPDATE destination SET level = 'halfdane'");

        Assert.Equal(StoreFault.Damaged, Assert.Throws<StoreException>(() => Change(change => change.Put(Secure("example.com", "x")))).Kind);
        Assert.Throws<ChangeRefusedException>(() => Change(change => change.Remove(NextHop.Parse("example.com"))));
        Change(change => change.Remove(NextHop.Parse("example.com")), reason: "somebody wrote past us");

        Assert.Null(store.Find("example.com"));
        using var open = store.Open(StoreAccess.Read);
        Assert.Equal("(temporary error: the entry of this destination cannot be read)", open.Audit().First().AnswerBefore);
    }

    [Fact]
    public void A_dry_run_judges_as_the_change_does()
    {
        Change(change => change.Put(Secure("example.com")));
        var may = Secure("example.com") with { Policy = new TlsPolicy { Level = TlsLevel.May } };
        using var open = store.Open();

        var dry = open.Judge(may.Key, may, PostfixSettings.Default);
        using var change = open.BeginChange(new ChangeOrigin(Alice, "test"), PostfixSettings.Default);
        var wet = change.Judge(may.Key, may);

        Assert.Equal((dry.Action, dry.AnswerBefore, dry.AnswerAfter), (wet.Action, wet.AnswerBefore, wet.AnswerAfter));
        Assert.Equal((AuditAction.Change, "secure", "may"), (wet.Action, wet.AnswerBefore!.Value.Text, wet.AnswerAfter!.Value.Text));
        Assert.Equal(dry.Weakens, wet.Weakens);
        Assert.Null(open.Judge(may.Key, Secure("example.com"), PostfixSettings.Default).Action);
    }

    [Fact]
    public void What_was_judged_before_the_change_wrote_the_key_is_not_written()
    {
        Assert.Throws<InvalidOperationException>(() => Change(change =>
        {
            var judged = change.Judge(NextHop.Parse("example.com"), Secure("example.com", "second"));
            change.Put(Secure("example.com", "first"));
            change.Write(judged);
        }));
    }

    public void Dispose() => store.Dispose();

    private void Change(Action<StoreChange> work, string? reason = null, bool automation = false, PostfixSettings? postfix = null)
    {
        using var open = store.Open();
        using var change = open.BeginChange(
            new ChangeOrigin(automation ? Actor.Prober : Alice, "test", reason) { IsAutomation = automation }, postfix ?? PostfixSettings.Default);
        work(change);
        change.Commit();
    }
}
