using System.Data.Common;
using Npgsql;
using PolicyDaemon.Store.Faults;

namespace PolicyDaemon.Store.Engines.PostgreSql;

/// <summary>Makes a <see cref="StoreException"/> of an error of the server or on the way to it, with a message that says what to do next.</summary>
/// <remarks>The codes: PostgreSQL, Appendix A, "PostgreSQL Error Codes".</remarks>
internal static class PostgreSqlFaults
{
    /// <param name="user">Whom the server refuses; null where it does not let anybody in.</param>
    internal static StoreException From(DbException error, string path, PostgreSqlUser? user) =>
        error is PostgresException server ? From(server, path, user) : Unavailable(path, error);

    internal static StoreException Missing(string path, Exception? cause = null) =>
        new(StoreFault.Missing, $"{path}: no store in this database; make one with 'policyctl init', or restore a backup into it", cause);

    internal static StoreException ReadOnly(string path, Exception? cause = null) => new(
        StoreFault.ReadOnly, $"{path}: this server takes no writes (a standby, or default_transaction_read_only); name all hosts of the cluster, so that the primary is found", cause);

    internal static StoreException Unavailable(string path, Exception error) =>
        new(StoreFault.Unavailable, $"{path}: {Innermost(error).Message}; is the server up, and may this machine reach it?", error);

    /// <summary>The tables are there, made by <c>policyctl store schema</c>, and nobody made a store in them yet.</summary>
    internal static StoreException Empty(string path) =>
        new(StoreFault.Missing, $"{path}: the tables are there, and no store in them yet; make one with 'policyctl init', or bring one here with 'policyctl store migrate'");

    private static StoreException From(PostgresException error, string path, PostgreSqlUser? user) => error.SqlState switch
    {
        PostgresErrorCodes.LockNotAvailable or PostgresErrorCodes.DeadlockDetected or PostgresErrorCodes.SerializationFailure =>
            new(StoreFault.Locked, $"{path}: another program holds the store; try again in a moment", error),
        PostgresErrorCodes.InvalidCatalogName =>
            new(StoreFault.Missing, $"{path}: {error.MessageText}; make the database (createdb), then the store in it with 'policyctl init'", error),
        PostgresErrorCodes.UndefinedTable => Missing(path, error),
        PostgresErrorCodes.InsufficientPrivilege when user is not null => user.Refused(path, error),
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

/// <summary>Whom the server knows a program as.</summary>
/// <param name="Name">The user.</param>
/// <param name="Roles">The roles of the store that the user has, with commas between them; null where it has none, or nobody asked.</param>
internal sealed record PostgreSqlUser(string Name, string? Roles)
{
    /// <summary>Says what the user may not do (42501), and how it may.</summary>
    internal StoreException Refused(string path, PostgresException error)
    {
        var what = PostgreSqlRoles.PurposeIn(error.MessageText) is { } purpose ? $"{purpose} ({error.MessageText})" : error.MessageText;
        return new StoreException(
            StoreFault.Permission,
            Roles is null
                ? $"{path}: the user {Name} has not the privileges for {what}; the administrator of the server gives them: GRANT {PostgreSqlRoles.Admin} TO {Quoted}, or {PostgreSqlRoles.Prober} or {PostgreSqlRoles.Node} for policyd, roles that 'policyctl store schema' makes"
                : $"{path}: the user {Name} ({Roles}) may not write {what}; nothing was changed. Entries and pins are changed as a user of the role {PostgreSqlRoles.Admin}, named in [store] or with --database, and probes are written as one of {PostgreSqlRoles.Prober}; the administrator of the server makes {Name} one with GRANT {PostgreSqlRoles.Admin} TO {Quoted}",
            error);
    }

    private string Quoted => Name.All(letter => char.IsAsciiLetterLower(letter) || char.IsAsciiDigit(letter) || letter == '_') ? Name : $"\"{Name}\"";
}
