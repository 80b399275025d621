using System.Data.Common;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Store.Engines;
using Xunit;
using static PolicyDaemon.Tests.Store.TemporaryStore;

namespace PolicyDaemon.Tests.Store;

public class AuditTests
{
    [Fact]
    public void A_row_says_who_what_why_and_both_answers()
    {
        using var temporary = new TemporaryStore();
        temporary.Change(change => change.Put(Secure("example.com"), """{"probe":7}"""), "domain add example.com", "contract");
        temporary.Time.Advance(TimeSpan.FromHours(1));
        temporary.Change(change => change.Put(Secure("example.com", "note")), "domain set example.com");

        using var store = temporary.Open(StoreAccess.Read);
        var rows = store.Audit(NextHop.Parse("example.com")).ToList();

        Assert.Equal(["change", "add"], rows.Select(row => row.Action));
        Assert.Equal((Alice, "domain add example.com", "contract", null, "secure"), (rows[1].Actor, rows[1].Command, rows[1].Reason, rows[1].AnswerBefore, rows[1].AnswerAfter));
        Assert.Equal("""{"probe":7}""", rows[1].Evidence);
        Assert.Null(rows[1].Before);
        Assert.Equal("""{"key":"example.com","level":"secure","mode":"assist"}""", rows[1].After);
        Assert.Equal(rows[1].After, rows[0].Before);
        Assert.Equal(TimeSpan.FromHours(1), rows[0].Time - rows[1].Time);
        Assert.Equal(rows[1].Hash, rows[0].PreviousHash);
    }

    [Fact]
    public void The_newest_rows_come_first_and_the_limit_holds()
    {
        using var temporary = new TemporaryStore();
        temporary.Put(Secure("a.example"), Secure("b.example"), Secure("c.example"));

        using var store = temporary.Open(StoreAccess.Read);
        Assert.Equal(["c.example", "b.example"], store.Audit(limit: 2).Select(row => row.Key));
        Assert.Equal([null, "a.example", "b.example", "c.example"], store.Audit().Reverse().Select(row => row.Key));
    }

    [Fact]
    public void One_command_is_one_change_with_a_row_per_key()
    {
        using var temporary = new TemporaryStore();
        var receipt = temporary.Put(Secure("a.example"), Secure("b.example"));

        using var store = temporary.Open(StoreAccess.Read);
        Assert.Equal(["a.example", "b.example"], store.Change(receipt.ChangeId).Select(row => row.Key));
        Assert.Equal(2, receipt.Rows);
        Assert.Equal(store.Head(), receipt.Head);
        Assert.Empty(store.Change(99));
    }

    [Fact]
    public void A_sound_log_verifies_and_knows_the_hashes_in_it()
    {
        using var temporary = new TemporaryStore();
        var old = temporary.Put(Secure("a.example")).Head;
        temporary.Put(Pinned("b.example", Pin(PinA)), Secure("c.example"));
        temporary.Remove("c.example");

        using var store = temporary.Open(StoreAccess.Read);
        var verification = store.VerifyAudit(old.Hash.ToUpperInvariant());

        Assert.Null(verification.Problem);
        Assert.Equal((5, store.Head()), (verification.Rows, verification.Head));
        Assert.Contains("does not stand in it", store.VerifyAudit(new string('0', 64)).Problem, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("UPDATE audit SET answer_after = 'may' WHERE sequence = 3", "row 3 was altered")]
    [InlineData("UPDATE change SET actor = 'bob' WHERE id = 2", "row 2 was altered")]
    [InlineData("UPDATE change SET time = time + 1 WHERE id = 2", "row 2 was altered")]
    [InlineData("DELETE FROM audit WHERE sequence = 3", "row 3 is missing")]
    [InlineData("DELETE FROM audit WHERE sequence >= 3", "change 3 has no row in it")]
    [InlineData("DELETE FROM audit WHERE sequence >= 3; DELETE FROM change WHERE id >= 3", "its writers noted row 5 as the end")]
    [InlineData(
        "DELETE FROM audit WHERE sequence >= 3; DELETE FROM change WHERE id >= 3; UPDATE audit_head SET sequence = 2, hash = (SELECT hash FROM audit WHERE sequence = 2)",
        "the entry b.example is not from it")]
    [InlineData("UPDATE audit_head SET hash = 'x'", "its writers noted row 5 as the end")]
    [InlineData("UPDATE store SET created = created - 1", "the store was not made when its first row says")]
    [InlineData("INSERT INTO change (id, time, actor, command) VALUES (-1, 1, 'root', 'domain add')", "change -1 has no row in it")]
    [InlineData(
        "DROP TRIGGER audit_begins_with_1; INSERT INTO change (id, time, actor, command) VALUES (-1, 1, 'root', 'domain add'); "
        + "INSERT INTO audit (sequence, change_id, action, key, previous_hash, hash, answer_after) VALUES (-5, -1, 'remove', 'a.example', 'x', '00', 'may')",
        "there is a row -5 before its first")]
    [InlineData("PRAGMA foreign_keys = OFF; DELETE FROM change WHERE id = 2", "row 2 was altered")]
    [InlineData("UPDATE audit SET sequence = 9 WHERE sequence = 4", "row 4 is missing")]
    [InlineData("UPDATE destination SET level = 'may' WHERE key = 'a.example'", "the entry a.example is not as its last row left it")]
    [InlineData("UPDATE pin SET fingerprint = 'cccccccccccccccccccccccccccccccc' WHERE state = 'active'", "the entry b.example is not as its last row left it")]
    [InlineData("DELETE FROM destination WHERE key = 'a.example'", "the entry a.example is gone")]
    [InlineData("INSERT INTO destination (key, host, level, mode, observe) VALUES ('evil.example', 'evil.example', 'none', 'assist', 0)", "the entry evil.example is not from it")]
    public void Tampering_is_found(string sql, string problem)
    {
        using var temporary = new TemporaryStore();
        temporary.Put(Secure("a.example"));
        temporary.Put(Pinned("b.example", Pin(PinA)));
        temporary.Put(Secure("c.example"));
        temporary.Remove("c.example");
        foreach (var trigger in new[] { "audit_no_update", "audit_no_delete", "change_no_update", "change_no_delete" })
            temporary.Sql($"DROP TRIGGER {trigger}");

        temporary.Sql(sql);

        using var store = temporary.Open(StoreAccess.Read);
        Assert.Contains(problem, store.VerifyAudit().Problem, StringComparison.Ordinal);
    }

    [Fact]
    public void Cutting_off_the_end_shows_by_a_hash_kept_elsewhere()
    {
        using var temporary = new TemporaryStore();
        temporary.Put(Secure("a.example"));
        var head = temporary.Remove("a.example").Head;
        // By somebody who knows the schema as we do.
        temporary.Sql(
            """
            DROP TRIGGER audit_no_delete; DROP TRIGGER change_no_delete;
            DELETE FROM audit WHERE sequence >= 2; DELETE FROM change WHERE id >= 2;
            UPDATE audit_head SET sequence = 1, hash = (SELECT hash FROM audit WHERE sequence = 1);
            """);

        using var store = temporary.Open(StoreAccess.Read);
        Assert.Null(store.VerifyAudit().Problem);
        Assert.NotNull(store.VerifyAudit(head.Hash).Problem);
    }

    [Fact]
    public void What_stands_before_the_first_row_is_no_history()
    {
        using var temporary = new TemporaryStore();
        temporary.Put(Secure("a.example"));
        temporary.Sql(
            "DROP TRIGGER audit_begins_with_1; INSERT INTO audit (sequence, change_id, action, key, previous_hash, hash, answer_after) VALUES (-5, 1, 'remove', 'a.example', 'x', '00', 'may')");

        using var store = temporary.Open(StoreAccess.Read);
        Assert.Equal(["add"], store.Audit(NextHop.Parse("a.example")).Select(row => row.Action));
        Assert.Equal(["init"], store.Change(1).Select(row => row.Action));
        Assert.DoesNotContain(store.Audit(), row => row.Sequence < 1);
    }

    [Theory]
    [InlineData("UPDATE audit SET reason = ''")]
    [InlineData("UPDATE audit SET key = 'x'")]
    [InlineData("DELETE FROM audit")]
    [InlineData("UPDATE change SET actor = 'x'")]
    [InlineData("DELETE FROM change")]
    [InlineData("INSERT INTO audit (sequence, change_id, action, previous_hash, hash) VALUES (0, 1, 'remove', 'x', 'y')")]
    [InlineData("INSERT INTO audit (sequence, change_id, action, previous_hash, hash) VALUES (-5, 1, 'remove', 'x', 'y')")]
    [InlineData("INSERT INTO audit (change_id, action, previous_hash, hash) VALUES (1, 'remove', 'x', 'y')")]
    [InlineData("INSERT INTO audit (sequence, change_id, action, previous_hash, hash) VALUES (2, 1, 'remove', '', 'y')")]
    public void The_log_refuses_to_be_altered_or_forked(string sql)
    {
        using var temporary = new TemporaryStore();
        Assert.ThrowsAny<DbException>(() => temporary.Sql(sql));
    }
}
