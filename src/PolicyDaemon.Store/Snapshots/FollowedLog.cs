using System.Data.Common;
using System.Globalization;
using Dapper;
using Microsoft.Extensions.Logging;
using PolicyDaemon.Core.Audit;
using PolicyDaemon.Core.Runtime;
using PolicyDaemon.Core.Serving;
using PolicyDaemon.Store.Documents;

namespace PolicyDaemon.Store.Snapshots;

/// <summary>The last rows of the audit log that were followed. After a failover that lost some, they tell where the log forks, and who had changed what.</summary>
/// <remarks>
/// In memory are the hashes, 32 octets a row. Who, what and when stand in a file beside the snapshot file, which is read only where a log does not
/// continue; a disk that does not take it costs these words and nothing else, so it is not flushed.
/// <code>
/// policydaemon-followed-1 TAB store id
/// sequence TAB hash TAB seconds since 1970 TAB actor TAB action TAB key      a line for each row; a later one takes the place of all from its number on
/// </code>
/// </remarks>
internal sealed class FollowedLog(string snapshotFile, ILogger log)
{
    /// <summary>How many rows are kept.</summary>
    internal const int Kept = 10_000;

    private const int HashOctets = 32;
    private const string Header = "policydaemon-followed-1\t";

    private readonly string path = PathOf(snapshotFile);
    private byte[] hashes = [];
    private string? storeId;
    private long last;
    private int count;
    private int lines;

    /// <summary>Where the words are kept.</summary>
    internal static string PathOf(string snapshotFile) => snapshotFile + ".followed";

    /// <summary>Reads what an earlier run kept, where it leads to the snapshot that is in force.</summary>
    internal void Resume(SnapshotIdentity identity)
    {
        Clear(identity.StoreId);
        var read = ReadFile(identity.StoreId, 0);
        foreach (var row in read.Where(row => row.Sequence <= identity.Sequence))
            Add(row.Sequence, row.Hash);
        lines = read.Count;
        if (!EndsWith(identity))
            Clear(null);
    }

    /// <summary>True where the last row is that of a snapshot.</summary>
    internal bool EndsWith(SnapshotIdentity identity) => storeId == identity.StoreId && last == identity.Sequence && (last == 0 || Is(last, identity.Hash));

    /// <summary>Adds the rows that lead from one snapshot to the next.</summary>
    internal void Follow(string store, IReadOnlyCollection<FollowedRow> rows)
    {
        // A hole is filled from the store.
        if (rows.Count == 0 || store != storeId || rows.First().Sequence > last + 1)
            return;
        foreach (var row in rows)
            Add(row.Sequence, row.Hash);
        Write(rows, anew: lines + rows.Count > 2 * Kept);
    }

    /// <summary>Begins with the last rows that the store has, within the caller's transaction.</summary>
    internal void Begin(DbConnection connection, SnapshotIdentity identity)
    {
        Clear(identity.StoreId);
        var rows = connection.Query<Row>(
            """
            SELECT a.sequence, a.hash, c.time, c.actor, c.login_user, c.sudo_user, a.action, a.key
            FROM audit a JOIN change c ON c.id = a.change_id
            WHERE a.sequence > @after ORDER BY a.sequence
            """,
            new { after = identity.Sequence - Kept }).Select(row => row.ToFollowed()).ToList();
        foreach (var row in rows)
            Add(row.Sequence, row.Hash);
        lines = 0;
        Write(rows, anew: true);
    }

    /// <summary>Compares a log with what was followed, within the caller's transaction.</summary>
    /// <returns>Where it forks; null where nothing that is in both is known.</returns>
    internal LogFork? Compare(DbConnection connection, SnapshotIdentity loaded)
    {
        if (!EndsWith(loaded))
            return null;
        foreach (var row in connection.Query<HashRow>(
            "SELECT sequence, hash FROM audit WHERE sequence > @before AND sequence <= @last ORDER BY sequence DESC", new { before = last - count, last }, buffered: false))
        {
            if (Is(row.Sequence, row.Hash))
                return new LogFork(new AuditHead(row.Sequence, row.Hash), last - row.Sequence, ReadFile(loaded.StoreId, row.Sequence));
        }

        return null;
    }

    private void Clear(string? store)
    {
        (storeId, last, count) = (store, 0, 0);
        if (hashes.Length == 0)
            hashes = new byte[Kept * HashOctets];
    }

    private void Add(long sequence, string hash)
    {
        // A row that was read again takes the place of what followed it, too.
        count = sequence == last + 1 ? Math.Min(count + 1, Kept) : sequence <= last ? (int)Math.Max(1, count - (last - sequence)) : 1;
        last = sequence;
        if (!TryDecode(hash, Place(sequence)))
            Place(sequence).Clear();
    }

    private bool Is(long sequence, string hash)
    {
        Span<byte> octets = stackalloc byte[HashOctets];
        return sequence <= last && sequence > last - count && TryDecode(hash, octets) && octets.SequenceEqual(Place(sequence));
    }

    private Span<byte> Place(long sequence) => hashes.AsSpan((int)(sequence % Kept) * HashOctets, HashOctets);

    private static bool TryDecode(string hash, Span<byte> octets) =>
        Convert.FromHexString(hash, octets, out var read, out var written) == System.Buffers.OperationStatus.Done && read == hash.Length && written == HashOctets;

    private void Write(IReadOnlyCollection<FollowedRow> rows, bool anew)
    {
        try
        {
            if (!anew)
            {
                File.AppendAllLines(path, rows.Select(row => row.ToLine()));
                lines += rows.Count;
                return;
            }

            var known = ReadFile(storeId!, last - Kept).Concat(rows).Where(row => row.Sequence > last - Kept).ToList();
            using var draft = FileDraft.Create(path, SnapshotFile.Mode);
            using (var text = new StreamWriter(draft.Stream, leaveOpen: true))
            {
                text.Write($"{Header}{storeId}\n");
                foreach (var row in known)
                    text.Write(row.ToLine() + "\n");
            }

            draft.Replace(durable: false);
            lines = known.Count;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            StoreLog.FollowedNotKept(log, path, error.Message);
        }
    }

    /// <summary>The rows behind a row, as far as the file has them, each once.</summary>
    private List<FollowedRow> ReadFile(string store, long after)
    {
        var rows = new List<FollowedRow>();
        try
        {
            if (!File.Exists(path))
                return rows;
            foreach (var (line, i) in File.ReadLines(path).Select((line, i) => (line, i)))
            {
                if (i == 0 && line != Header + store)
                    return [];
                if (i == 0 || !FollowedRow.TryRead(line, out var row))
                    continue;
                while (rows.Count > 0 && rows[^1].Sequence >= row.Sequence)
                    rows.RemoveAt(rows.Count - 1);
                if (row.Sequence > after)
                    rows.Add(row);
            }
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            StoreLog.FollowedNotKept(log, path, error.Message);
        }

        return rows;
    }

    internal sealed record HashRow(long Sequence, string Hash);

    internal sealed record Row(long Sequence, string Hash, long Time, string Actor, string? LoginUser, string? SudoUser, string Action, string? Key)
    {
        internal FollowedRow ToFollowed() => new(Sequence, Hash, Time.Time(), new Actor(Actor, LoginUser, SudoUser).ToString(), Action, Key);
    }
}

/// <summary>A row of the audit log that was followed: who changed what, and when.</summary>
internal sealed record FollowedRow(long Sequence, string Hash, DateTimeOffset Time, string Actor, string Action, string? Key)
{
    internal static FollowedRow Of(AuditRow row) => new(row.Sequence, row.Hash, row.Time, row.Actor.ToString(), row.Action, row.Key);

    /// <summary>The row for people.</summary>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture, $"row {Sequence}: {Time.UtcDateTime:yyyy-MM-ddTHH:mm:ssZ} {Actor} {Action}{(Key is null ? "" : " " + Key)}");

    internal string ToLine() => string.Create(
        CultureInfo.InvariantCulture, $"{Sequence}\t{Hash}\t{Time.ToUnixTimeSeconds()}\t{Clean(Actor)}\t{Clean(Action)}\t{Clean(Key ?? "")}");

    internal static bool TryRead(string line, [System.Diagnostics.CodeAnalysis.NotNullWhen(true)] out FollowedRow? row)
    {
        row = null;
        if (line.Split('\t') is not [var sequence, var hash, var time, var actor, var action, var key]
            || !long.TryParse(sequence, NumberStyles.None, CultureInfo.InvariantCulture, out var number)
            || !long.TryParse(time, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds))
            return false;
        row = new FollowedRow(number, hash, seconds.Time(), actor, action, key.Length == 0 ? null : key);
        return true;
    }

    private static string Clean(string text) => string.Concat(text.Select(character => char.IsControl(character) ? ' ' : character));
}

/// <summary>A log that does not continue the one that was followed.</summary>
/// <param name="Point">The last row that both have.</param>
/// <param name="Count">How many rows were followed behind it, which the log lacks.</param>
/// <param name="Lost">Those of them of which is known who, what and when.</param>
internal sealed record LogFork(AuditHead Point, long Count, IReadOnlyList<FollowedRow> Lost);
