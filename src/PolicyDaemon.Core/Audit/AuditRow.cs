using System.Diagnostics.CodeAnalysis;

namespace PolicyDaemon.Core.Audit;

/// <summary>One row of the audit log: who did what to one key, when, why, on what evidence, and what it did to the answer.</summary>
public sealed record AuditRow
{
    /// <summary>The number of the row: 1, 2, 3... without a gap.</summary>
    public required long Sequence { get; init; }

    /// <summary>The change (one command) that the row belongs to; <c>undo</c> takes a change back.</summary>
    public required long ChangeId { get; init; }

    /// <summary>The time of the change, UTC, whole seconds.</summary>
    public required DateTimeOffset Time { get; init; }

    public required Actor Actor { get; init; }

    /// <summary>The command as given, such as <c>domain add example.com --level secure</c>.</summary>
    public required string Command { get; init; }

    public string? Reason { get; init; }

    /// <summary>The action's stored name, see <see cref="AuditActions"/>; text, so that a row of a later version can still be verified.</summary>
    public required string Action { get; init; }

    /// <summary>The canonical key; null where the row is about the store itself.</summary>
    public string? Key { get; init; }

    /// <summary>The destination before, as canonical JSON; null where there was none.</summary>
    public string? Before { get; init; }

    /// <summary>The destination after, as canonical JSON; null where it was removed.</summary>
    public string? After { get; init; }

    /// <summary>The answer to the key before the change.</summary>
    public string? AnswerBefore { get; init; }

    /// <summary>The answer to the key after the change.</summary>
    public string? AnswerAfter { get; init; }

    /// <summary>The evidence of an automatic decision (JSON), or the identity of the store in whose place another was accepted.</summary>
    public string? Evidence { get; init; }

    /// <summary>The hash of the row before; empty in the first.</summary>
    public required string PreviousHash { get; init; }

    /// <summary>This row's hash by <see cref="AuditChain"/>.</summary>
    public required string Hash { get; init; }
}

/// <summary>A pin that a rule of the life cycle moved, as the evidence of an audit row says.</summary>
/// <param name="Fingerprint">The pin, in lower-case hexadecimal.</param>
/// <param name="From">The name of its state before; null for a pin that was new.</param>
/// <param name="To">The name of its state after; null where nothing is kept of it.</param>
/// <param name="Rule">The rule.</param>
/// <param name="Reason">The reason that it gave.</param>
public sealed record DecidedPin(string Fingerprint, string? From, string? To, string Rule, string Reason);

/// <summary>What an audit row records about one key or about the store.</summary>
public enum AuditAction
{
    /// <summary>A destination came to be.</summary>
    Add,

    /// <summary>A destination, its policy or its pins changed.</summary>
    Change,

    /// <summary>A destination was removed.</summary>
    Remove,

    /// <summary>The store was made.</summary>
    Init,

    /// <summary>A replaced store was accepted; the row's note holds the hash that the daemon last loaded.</summary>
    Accept,

    /// <summary>The store was brought here from another place, or is used again after it went elsewhere.</summary>
    Migrate,
}

/// <summary>The names under which audit rows store what they record; they are hashed, so they never change.</summary>
public static class AuditActions
{
    private static readonly StoredNames<AuditAction> Stored = new(
        (AuditAction.Add, "add"), (AuditAction.Change, "change"), (AuditAction.Remove, "remove"), (AuditAction.Init, "init"),
        (AuditAction.Accept, "accept"), (AuditAction.Migrate, "migrate"));

    public static string Name(this AuditAction value) => Stored.Of(value);

    public static bool TryParse([NotNullWhen(true)] string? name, out AuditAction value) => Stored.TryParse(name, out value);
}

/// <summary>Who made a change: the login user and <c>SUDO_USER</c>, not only the effective user.</summary>
/// <param name="Effective">The user the program ran as, such as <c>root</c>.</param>
/// <param name="Login">The user who logged in (the kernel's login uid), where the system knows one.</param>
/// <param name="SudoUser">The user who called sudo, where one did.</param>
public sealed record Actor(string Effective, string? Login, string? SudoUser)
{
    /// <summary>The daemon itself, for what its rules decide.</summary>
    public static readonly Actor Daemon = new("policyd", null, null);

    /// <summary>The prober's rules, whichever program runs them.</summary>
    public static readonly Actor Prober = new("prober", null, null);

    /// <summary>The actor for people: <c>alice (sudo, root)</c>.</summary>
    public override string ToString()
    {
        var person = SudoUser ?? Login;
        return person is null || person == Effective ? Effective : $"{person} ({(SudoUser is null ? "" : "sudo, ")}{Effective})";
    }
}
