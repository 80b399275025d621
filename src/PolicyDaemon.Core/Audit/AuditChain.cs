using System.Buffers;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace PolicyDaemon.Core.Audit;

/// <summary>Chains audit rows by hash, so that altering, inserting or cutting out a row shows.</summary>
/// <remarks>
/// <para>A row's hash is the SHA-256, in lower-case hexadecimal, of these eighteen fields, one behind the other without anything
/// between them:</para>
/// <code>
///  1 the text policydaemon-audit-1      7 login user          13 destination before (JSON)
///  2 store id                           8 sudo user           14 destination after (JSON)
///  3 sequence                           9 command             15 answer before
///  4 change id                         10 reason              16 answer after
///  5 time, seconds since 1970 UTC      11 action              17 evidence
///  6 effective user                    12 key                 18 hash of the row before (empty in the first)
/// </code>
/// <para>Each field is a netstring: its length in octets of UTF-8 in decimal, a colon, the octets, a comma. A field that is
/// absent (NULL in the table) is a single <c>~</c>, which no netstring begins with, so no two different rows encode alike.
/// Numbers are decimal without leading zeros. The store id in every row keeps rows of one store out of another's chain.</para>
/// <para>A chain proves order and content given one hash that was kept elsewhere, such as in the journal: whoever can write
/// the database could also recompute every hash after a forged row.</para>
/// </remarks>
public static class AuditChain
{
    private const string Format = "policydaemon-audit-1";

    [ThreadStatic]
    private static ArrayBufferWriter<byte>? buffer;

    /// <summary>The hash that <paramref name="row"/> must carry; its own <see cref="AuditRow.Hash"/> is not read.</summary>
    public static string Hash(string storeId, AuditRow row)
    {
        var encoded = buffer ??= new ArrayBufferWriter<byte>(1024);
        encoded.ResetWrittenCount();
        Write(encoded, Format);
        Write(encoded, storeId);
        Write(encoded, row.Sequence);
        Write(encoded, row.ChangeId);
        Write(encoded, row.Time.ToUnixTimeSeconds());
        Write(encoded, row.Actor.Effective);
        Write(encoded, row.Actor.Login);
        Write(encoded, row.Actor.SudoUser);
        Write(encoded, row.Command);
        Write(encoded, row.Reason);
        Write(encoded, row.Action);
        Write(encoded, row.Key);
        Write(encoded, row.Before);
        Write(encoded, row.After);
        Write(encoded, row.AnswerBefore);
        Write(encoded, row.AnswerAfter);
        Write(encoded, row.Evidence);
        Write(encoded, row.PreviousHash);
        return Convert.ToHexStringLower(SHA256.HashData(encoded.WrittenSpan));
    }

    /// <summary>Says what is wrong with a row that follows <paramref name="head"/>.</summary>
    /// <returns>Null where the row continues the chain.</returns>
    public static string? Problem(string storeId, AuditHead head, AuditRow row)
    {
        if (row.Sequence != head.Sequence + 1)
            return string.Create(CultureInfo.InvariantCulture, $"row {head.Sequence + 1} is missing; row {row.Sequence} comes next");
        if (row.PreviousHash != head.Hash)
            return string.Create(CultureInfo.InvariantCulture, $"row {row.Sequence} does not name the hash of row {head.Sequence}");
        return row.Hash == Hash(storeId, row)
            ? null
            : string.Create(CultureInfo.InvariantCulture, $"row {row.Sequence} was altered: its content does not give its hash");
    }

    private static void Write(ArrayBufferWriter<byte> encoded, long number) =>
        Write(encoded, number.ToString(CultureInfo.InvariantCulture));

    private static void Write(ArrayBufferWriter<byte> encoded, string? text)
    {
        if (text is null)
        {
            encoded.Write("~"u8);
            return;
        }

        var length = Encoding.UTF8.GetByteCount(text);
        Span<byte> prefix = stackalloc byte[11];
        length.TryFormat(prefix, out var digits, default, CultureInfo.InvariantCulture);
        prefix[digits] = (byte)':';
        encoded.Write(prefix[..(digits + 1)]);
        Encoding.UTF8.GetBytes(text, encoded.GetSpan(length));
        encoded.Advance(length);
        encoded.Write(","u8);
    }
}

/// <summary>The end of an audit log: whoever kept it can prove later that nothing before it was altered or cut off.</summary>
/// <param name="Sequence">The last row's number; 0 for an empty log.</param>
/// <param name="Hash">That row's hash, 64 lower-case hexadecimal digits; empty for an empty log.</param>
public readonly record struct AuditHead(long Sequence, string Hash)
{
    public static readonly AuditHead Empty = new(0, "");
}

/// <summary>What checking the whole audit chain found.</summary>
/// <param name="Rows">The number of sound rows, from the first.</param>
/// <param name="Head">The last sound row.</param>
/// <param name="Problem">What is wrong with the first row that is not, or with the hash asked for; null where nothing is.</param>
public sealed record AuditVerification(long Rows, AuditHead Head, string? Problem)
{
    public bool IsSound => Problem is null;
}
