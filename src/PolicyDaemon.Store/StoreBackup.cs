using Dapper;
using Microsoft.Data.Sqlite;
using PolicyDaemon.Core.Runtime;

namespace PolicyDaemon.Store;

/// <summary>Copies the store while it is in use.</summary>
[DapperAot]
internal static class StoreBackup
{
    /// <summary>The copy appears under its name only when it is whole and on the disk.</summary>
    internal static void Write(SqliteConnection connection, string path, string file)
    {
        var full = Path.GetFullPath(file);
        if (Path.Exists(full))
            throw new StoreException(StoreFault.Exists, $"{file}: already there; name a new file, a backup overwrites none");
        // What a killed backup left may be as large as the store.
        FileDraft.Sweep(Path.GetDirectoryName(full)!);
        try
        {
            // Before the content: a copy of the policy is nobody else's to read, not even for a moment.
            using var draft = FileDraft.Create(full, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead);
            Copy(connection, draft.Path);
            draft.Publish();
        }
        catch (SqliteException error)
        {
            throw StoreFaults.From(error, error.SqliteErrorCode is 13 or 14 ? file : path);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            throw new StoreException(StoreFault.Unavailable, $"{file}: {error.Message}", error);
        }    }

    private static void Copy(SqliteConnection connection, string draft)
    {
        // query_only forbids writing to the copy too.
        var queryOnly = connection.ExecuteScalar<long>("PRAGMA query_only") != 0;
        if (queryOnly)
            connection.Execute("PRAGMA query_only = OFF");
        try
        {
            // One read transaction: writers go on, the copy shows the moment at which it began.
            connection.Execute("VACUUM INTO @draft", new { draft });
        }
        finally
        {
            if (queryOnly)
                connection.Execute("PRAGMA query_only = ON");
        }
    }
}
