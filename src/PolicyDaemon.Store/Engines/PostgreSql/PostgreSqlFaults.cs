using System.Data.Common;
using Npgsql;
using PolicyDaemon.Store.Faults;

namespace PolicyDaemon.Store.Engines.PostgreSql;

/// <summary>Makes a <see cref="StoreException"/> of an error of the server or on the way to it, with a message that says what to do next.</summary>
/// <remarks>The codes: PostgreSQL, Appendix A, "PostgreSQL Error Codes".</remarks>
internal static class PostgreSqlFaults
{
    internal static StoreException From(DbException error, string path) => error is PostgresException server ? From(server, path) : Unavailable(path, error);

    internal static StoreException Missing(string path, Exception? cause = null) =>
        new(StoreFault.Missing, $"{path}: no store in this database; make one with 'policyctl init', or restore a backup into it", cause);

    internal static StoreException ReadOnly(string path, Exception? cause = null) => new(
        StoreFault.ReadOnly, $"{path}: this server takes no writes (a standby, or default_transaction_read_only); name all hosts of the cluster, so that the primary is found", cause);

    internal static StoreException Unavailable(string path, Exception error) =>
        new(StoreFault.Unavailable, $"{path}: {Innermost(error).Message}; is the server up, and may this machine reach it?", error);

    private static StoreException From(PostgresException error, string path) => error.SqlState switch
    {
        PostgresErrorCodes.LockNotAvailable or PostgresErrorCodes.DeadlockDetected or PostgresErrorCodes.SerializationFailure =>
            new(StoreFault.Locked, $"{path}: another program holds the store; try again in a moment", error),
        PostgresErrorCodes.InvalidCatalogName =>
            new(StoreFault.Missing, $"{path}: {error.MessageText}; make the database (createdb), then the store in it with 'policyctl init'", error),
        PostgresErrorCodes.UndefinedTable => Missing(path, error),
        PostgresErrorCodes.InsufficientPrivilege or PostgresErrorCodes.InvalidPassword or PostgresErrorCodes.InvalidAuthorizationSpecification =>
            new(StoreFault.Permission, $"{path}: {error.MessageText}; see pg_hba.conf and the privileges of the user that the words name", error),
        PostgresErrorCodes.ReadOnlySqlTransaction => ReadOnly(path, error),
        PostgresErrorCodes.DiskFull => new(StoreFault.Full, $"{path}: {error.MessageText}; nothing was changed, free some space on the server and try again", error),
        PostgresErrorCodes.DataCorrupted or PostgresErrorCodes.IndexCorrupted => StoreException.Damaged(path, error.MessageText, error),
        PostgresErrorCodes.UndefinedColumn => StoreException.Damaged(path, error.MessageText, error),
        _ => new(StoreFault.Unavailable, $"{path}: {error.MessageText} ({error.SqlState}); the server's log has more", error),
    };

    /// <summary>"Exception while reading from stream" says nothing of why.</summary>
    private static Exception Innermost(Exception error) => error.InnerException is null ? error : Innermost(error.InnerException);
}
