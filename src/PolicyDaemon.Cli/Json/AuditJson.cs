using PolicyDaemon.Core.Audit;

namespace PolicyDaemon.Cli.Json;

/// <summary>A row of <c>audit</c>.</summary>
/// <param name="Sequence">The row's number, without gaps.</param>
/// <param name="Change">The change it belongs to, which <c>undo</c> takes.</param>
/// <param name="Time">When.</param>
/// <param name="User">The user the program ran as.</param>
/// <param name="LoginUser">The user who logged in; null where the system knows none.</param>
/// <param name="SudoUser">The user who called sudo; null where none did.</param>
/// <param name="Command">The command as given.</param>
/// <param name="Reason">Why; null where none was given.</param>
/// <param name="Action"><c>add</c>, <c>change</c>, <c>remove</c>, <c>init</c> or <c>accept</c>.</param>
/// <param name="Key">The key; null where the row is about the store.</param>
/// <param name="Before">What Postfix was told; null where the key was not configured.</param>
/// <param name="After">What Postfix is told; null where the key is not configured any more.</param>
/// <param name="Evidence">What an automatic decision rests on, a JSON text; null for a person's.</param>
/// <param name="PreviousHash">The hash of the row before.</param>
/// <param name="Hash">The hash of this row.</param>
internal sealed record AuditRowJson(
    long Sequence,
    long Change,
    DateTimeOffset Time,
    string User,
    string? LoginUser,
    string? SudoUser,
    string Command,
    string? Reason,
    string Action,
    string? Key,
    string? Before,
    string? After,
    string? Evidence,
    string PreviousHash,
    string Hash)
{
    internal static AuditRowJson From(AuditRow row) => new(
        row.Sequence, row.ChangeId, row.Time, row.Actor.Effective, row.Actor.Login, row.Actor.SudoUser, row.Command, row.Reason,
        row.Action, row.Key, row.AnswerBefore, row.AnswerAfter, row.Evidence, row.PreviousHash, row.Hash);
}

/// <summary>The result of <c>audit --verify</c>.</summary>
/// <param name="Sound">Whether the whole chain verifies and holds the hash asked for.</param>
/// <param name="Rows">How many rows are sound, from the first.</param>
/// <param name="Head">The hash of the last sound row.</param>
/// <param name="Problem">What is wrong; null where nothing is.</param>
internal sealed record AuditVerificationJson(bool Sound, long Rows, string Head, string? Problem);
