using PolicyDaemon.Core.Audit;
using Xunit;

namespace PolicyDaemon.Tests.Core.Audit;

/// <summary>The vectors were computed by another program from the encoding's description.</summary>
public class AuditChainTests
{
    private const string StoreId = "0123456789abcdef0123456789abcdef";
    private const string FirstHash = "506391c8dbb651fe88324e4d74b556175f419be88e5cd3b77bd7a806a7ee3e91";
    private const string SecondHash = "023d82c33c81bb838d11dd0c07d4c239aca6917db6980defe5836c28c199b58c";

    private static readonly AuditRow First = new()
    {
        Sequence = 1,
        ChangeId = 1,
        Time = DateTimeOffset.FromUnixTimeSeconds(1795435200),
        Actor = new Actor("root", null, null),
        Command = "init",
        Action = "init",
        PreviousHash = "",
        Hash = FirstHash,
    };

    private static readonly AuditRow Second = new()
    {
        Sequence = 2,
        ChangeId = 2,
        Time = DateTimeOffset.FromUnixTimeSeconds(1795435201),
        Actor = new Actor("root", "alice", "alice"),
        Command = "domain add münchen.example --level secure",
        Reason = "contract 4711",
        Action = "add",
        Key = "xn--mnchen-3ya.example",
        After = """{"key":"xn--mnchen-3ya.example","level":"secure","mode":"assist"}""",
        AnswerAfter = "secure",
        PreviousHash = FirstHash,
        Hash = SecondHash,
    };

    [Fact]
    public void The_encoding_gives_the_recorded_hashes()
    {
        Assert.Equal(FirstHash, AuditChain.Hash(StoreId, First));
        Assert.Equal(SecondHash, AuditChain.Hash(StoreId, Second));
    }

    public static TheoryData<string, AuditRow> Altered => new()
    {
        { "sequence", Second with { Sequence = 3 } },
        { "change", Second with { ChangeId = 3 } },
        { "time", Second with { Time = Second.Time.AddSeconds(1) } },
        { "effective user", Second with { Actor = Second.Actor with { Effective = "bob" } } },
        { "login user", Second with { Actor = Second.Actor with { Login = "bob" } } },
        { "sudo user", Second with { Actor = Second.Actor with { SudoUser = null } } },
        { "command", Second with { Command = "domain add" } },
        { "reason", Second with { Reason = null } },
        { "reason empty", Second with { Reason = "" } },
        { "action", Second with { Action = "change" } },
        { "key", Second with { Key = "example.com" } },
        { "before", Second with { Before = "{}" } },
        { "after", Second with { After = null } },
        { "answer before", Second with { AnswerBefore = "secure" } },
        { "answer after", Second with { AnswerAfter = "may" } },
        { "evidence", Second with { Evidence = "" } },
        { "text moved to the next field", Second with { Before = "", AnswerBefore = null } },
        { "previous hash", Second with { PreviousHash = SecondHash } },
    };

    [Theory]
    [MemberData(nameof(Altered))]
    public void Every_field_is_part_of_the_hash(string field, AuditRow altered)
    {
        Assert.NotEqual(SecondHash, AuditChain.Hash(StoreId, altered));
        Assert.True(AuditChain.Problem(StoreId, new AuditHead(1, FirstHash), altered) is not null, field);
    }

    [Fact]
    public void A_row_of_another_store_does_not_fit() =>
        Assert.Contains("altered", AuditChain.Problem("fedcba9876543210fedcba9876543210", new AuditHead(1, FirstHash), Second), StringComparison.Ordinal);

    [Fact]
    public void A_sound_row_continues_the_chain()
    {
        Assert.Null(AuditChain.Problem(StoreId, AuditHead.Empty, First));
        Assert.Null(AuditChain.Problem(StoreId, new AuditHead(1, FirstHash), Second));
    }

    [Fact]
    public void A_missing_row_is_named() =>
        Assert.Equal("row 1 is missing; row 2 comes next", AuditChain.Problem(StoreId, AuditHead.Empty, Second));

    [Fact]
    public void Stored_names_of_actions_never_change() =>
        Assert.Equal(["add", "change", "remove", "init", "accept", "migrate"], Enum.GetValues<AuditAction>().Select(action => action.Name()));
}
