using System.Data.Common;
using PolicyDaemon.Store.Engines;
using PolicyDaemon.Store.Engines.Choice;
using PolicyDaemon.Store.Faults;

namespace PolicyDaemon.Store;

/// <summary>Copies a store row by row, from whichever engine into whichever other: the same identity, numbers and audit log.</summary>
internal static class StoreCopy
{
    /// <summary>The tables, each behind those that it refers to; <c>schema_version</c> is the copy's own.</summary>
    internal static readonly IReadOnlyList<string> Tables =
    [
        "store", "destination", "key_material", "pin", "change", "audit", "audit_head", "finding", "alert_delivery", "probe_target", "certificate_run",
        "observation", "probe_state", "mx_target", "new_key", "prober", "discovered", "verdict_change", "discovery_notice",
    ];

    // Of a new store's own making: the end of its log, the prober's row.
    internal static readonly IReadOnlyList<string> OwnRows = ["audit_head", "prober"];

    /// <summary>What is not copied: which daemons are there, and what they do now, holds of the place and not of the store.</summary>
    internal static readonly IReadOnlyList<string> OfPlace = ["node", "probe_lease", "probe_claim", "probe_request"];

    /// <summary>Copies into a new file, as a backup: the moment at which it began, while others write.</summary>
    internal static void ToFile(StoreSession from, string file, DateTimeOffset now)
    {
        var full = Path.GetFullPath(file);
        if (Path.Exists(full))
            throw new StoreException(StoreFault.Exists, $"{file}: already there; name a new file, a backup overwrites none");
        if (!Directory.Exists(Path.GetDirectoryName(full)))
            throw new StoreException(StoreFault.Unavailable, $"{file}: there is no such directory");
        Into(from, file, now);
        // A copy of the policy is for whoever made it and the group to read.
        File.SetUnixFileMode(full, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead);
    }

    /// <summary>Copies into a place where no store is yet.</summary>
    internal static void Into(StoreSession from, string database, DateTimeOffset now) => EngineChoice.For(database).Create(now, into => from.InOneMoment(() =>
    {
        Rows(from, into);
        into.Commit();
        return true;
    }));

    /// <summary>Copies all rows. Both are in a transaction: the one that is read in one of one moment.</summary>
    internal static void Rows(StoreSession from, StoreSession into)
    {
        foreach (var table in Tables)
            Copy(from, into, table);
    }

    /// <summary>How many rows a table has.</summary>
    internal static long Count(StoreSession session, string table)
    {
        using var command = session.Connection.CreateCommand();
#pragma warning disable CA2100 // the names of tables are this library's own
        command.CommandText = $"SELECT count(*) FROM {table}";
#pragma warning restore CA2100
        return (long)command.ExecuteScalar()!;
    }

    private static void Copy(StoreSession from, StoreSession into, string table)
    {
        if (OwnRows.Contains(table))
            Execute(into.Connection, $"DELETE FROM {table}");
        using var command = from.Connection.CreateCommand();
#pragma warning disable CA2100 // the names of tables and columns are this library's own
        command.CommandText = $"SELECT * FROM {table} ORDER BY 1";
#pragma warning restore CA2100
        using var reader = command.ExecuteReader();
        into.WriteRows(table, [.. Enumerable.Range(0, reader.FieldCount).Select(reader.GetName)], Rows(reader));
    }

    private static IEnumerable<object[]> Rows(DbDataReader reader)
    {
        var row = new object[reader.FieldCount];
        while (reader.Read())
        {
            reader.GetValues(row);
            yield return row;
        }
    }

    private static void Execute(DbConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
#pragma warning disable CA2100 // as above
        command.CommandText = sql;
#pragma warning restore CA2100
        command.ExecuteNonQuery();
    }
}
