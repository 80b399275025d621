using System.Data.Common;
using System.Net.Sockets;
using System.Security.Authentication;
using Npgsql;
using PolicyDaemon.Core.Configuration;
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
        StoreFault.ReadOnly,
        // One of several is named without the words of the store.
        !path.StartsWith(PostgreSqlWords.Prefix, StringComparison.Ordinal) || PostgreSqlServers.Of(path).AreSeveral
            ? $"{path}: no server takes writes: each that answers is a standby, or has default_transaction_read_only; bring the primary back, or promote one"
            : $"{path}: this server takes no writes (a standby, or default_transaction_read_only); name all hosts of the cluster, so that the primary is found",
        cause);

    /// <summary>A server that answers, and is none of those that are wanted.</summary>
    internal static StoreException WrongServer(string name, bool isStandby) =>
        new(StoreFault.ReadOnly, $"{name}: {(isStandby ? "a standby, which takes no writes" : "not of the kind that target_session_attrs names")}");

    /// <summary>What is said where none of several servers can be used: of each why.</summary>
    internal static StoreException OfAll(string path, IReadOnlyList<StoreException> refusals) => refusals.Count == 1
        ? refusals[0]
        : new StoreException(
            refusals.Select(refusal => refusal.Kind).Distinct().ToList() is [var only] ? only : StoreFault.Unavailable,
            $"{path}: none of {refusals.Count} servers can be used: {string.Join("; ", refusals.Select(refusal => refusal.Message))}", refusals[0]);

    /// <summary>A statement that took too long at a server that answers otherwise.</summary>
    internal static StoreException Waited(string path, Exception error) =>
        new(StoreFault.Locked, $"{path}: a statement took too long, or waited for somebody's lock; try again in a moment", error);

    internal static StoreException Unavailable(string path, Exception error) => Cause(error) switch
    {
        PasswordFileException password => new(StoreFault.Permission, $"{path}: {password.Message}", error),
        AuthenticationException tls => new(StoreFault.Unavailable, $"{path}: TLS: {tls.Message}", error),
        System.Security.Cryptography.CryptographicException alert when alert.Message.Contains(" alert ", StringComparison.Ordinal) => new(
            StoreFault.Permission, $"{path}: TLS: the server refuses our certificate ({alert.Message}); name one with sslcert and sslkey that a CA of the server's ssl_ca_file issued", error),
        System.Security.Cryptography.CryptographicException of => new(
            StoreFault.Unavailable, $"{path}: sslrootcert, sslcert or sslkey cannot be used: {of.Message}; each is a file in PEM", error),
        ArgumentException mismatch => new(
            StoreFault.Unavailable, $"{path}: the words cannot be used: {mismatch.Message}; where it is about a key, sslkey is not that of the certificate of sslcert", error),
        SocketException { SocketErrorCode: SocketError.HostNotFound or SocketError.TryAgain or SocketError.NoData or SocketError.NoRecovery } =>
            new(StoreFault.Unavailable, $"{path}: host names a machine that is not found by its name; is the name right, and does this machine's DNS or /etc/hosts know it?", error),
        FileNotFoundException or DirectoryNotFoundException or UnauthorizedAccessException =>
            new(StoreFault.Permission, $"{path}: {Cause(error).Message}; see sslrootcert, sslcert and sslkey", error),
        SocketException { SocketErrorCode: SocketError.ConnectionRefused } or SocketException { SocketErrorCode: SocketError.AddressNotAvailable } =>
            new(StoreFault.Unavailable, $"{path}: nothing listens there; is the server up, and are host and port the right ones?", error),
        TimeoutException or OperationCanceledException =>
            new(StoreFault.Unavailable, $"{path}: it does not answer in time; is the server up, and may this machine reach it?", error),
        // In TLS 1.3 a server judges our certificate when the handshake is over for us, and its alert may be lost with the connection.
        EndOfStreamException or SocketException { SocketErrorCode: SocketError.ConnectionReset or SocketError.Shutdown or SocketError.ConnectionAborted }
            when path.Contains("sslcert=", StringComparison.Ordinal) => new(
            StoreFault.Unavailable, $"{path}: the server ended the connection; it may have refused our certificate, and its log says so then: see sslcert, sslkey and the server's ssl_ca_file. It is tried again", error),
        EndOfStreamException => new(StoreFault.Unavailable, $"{path}: the server ended the connection; it is tried again", error),
        var cause => new(StoreFault.Unavailable, $"{path}: {cause.Message}; is the server up, and may this machine reach it?", error),
    };

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
        PostgresErrorCodes.InvalidPassword => new(
            StoreFault.Permission, $"{path}: {error.MessageText}; the password that was changed at the server belongs into the file of passfile, too: it is read with every connection", error),
        PostgresErrorCodes.InvalidAuthorizationSpecification when error.MessageText.Contains("client certificate", StringComparison.Ordinal) =>
            new(StoreFault.Permission, $"{path}: {error.MessageText}; name one with sslcert and sslkey that a CA of the server's ssl_ca_file issued", error),
        PostgresErrorCodes.InvalidAuthorizationSpecification when error.MessageText.StartsWith("Peer ", StringComparison.Ordinal) =>
            new(StoreFault.Permission, $"{path}: {error.MessageText}; the socket takes the user of the system for that of the database: name it with user=, or map it in pg_ident.conf", error),
        PostgresErrorCodes.InsufficientPrivilege when user is not null => user.Refused(path, error),
        PostgresErrorCodes.InsufficientPrivilege or PostgresErrorCodes.InvalidAuthorizationSpecification =>
            new(StoreFault.Permission, $"{path}: {error.MessageText}; see pg_hba.conf and the privileges of the user that the words name", error),
        PostgresErrorCodes.ReadOnlySqlTransaction => ReadOnly(path, error),
        PostgresErrorCodes.DiskFull => new(StoreFault.Full, $"{path}: {error.MessageText}; nothing was changed, free some space on the server and try again", error),
        PostgresErrorCodes.TooManyConnections => new(
            StoreFault.Unavailable, $"{path}: {error.MessageText}; raise max_connections (each policyd takes three), or put PgBouncer between", error),
        PostgresErrorCodes.CannotConnectNow or PostgresErrorCodes.AdminShutdown or PostgresErrorCodes.CrashShutdown =>
            new(StoreFault.Unavailable, $"{path}: {error.MessageText}; wait until the server has started", error),
        PostgresErrorCodes.QueryCanceled => Waited(path, error),
        PostgresErrorCodes.DataCorrupted or PostgresErrorCodes.IndexCorrupted => StoreException.Damaged(path, error.MessageText, error),
        PostgresErrorCodes.UndefinedColumn => StoreException.Damaged(path, error.MessageText, error),
        _ => new(StoreFault.Unavailable, $"{path}: {error.MessageText} ({error.SqlState}); the server's log has more", error),
    };

    /// <summary>"Exception while reading from stream" says nothing of why.</summary>
    private static Exception Cause(Exception error) =>
        error.InnerException is null || error is PasswordFileException or AuthenticationException ? error : Cause(error.InnerException);
}

/// <summary>Whom the server knows a program as.</summary>
/// <param name="Name">The user.</param>
/// <param name="Roles">The roles of the store that the user has, with commas between them; null where it has none, or nobody asked.</param>
internal sealed record PostgreSqlUser(string Name, string? Roles)
{
    /// <summary>Says what the user may not do (42501), and how it may.</summary>
    internal StoreException Refused(string path, PostgresException error) => Refused(
        path, PostgreSqlRoles.PurposeIn(error.MessageText) is { } purpose ? $"{purpose} ({error.MessageText})" : error.MessageText, error);

    /// <summary>Says what the user may not write, and how it may.</summary>
    internal StoreException Refused(string path, string what, Exception? error = null) =>
        new(
            StoreFault.Permission,
            Roles is null
                ? $"{path}: the user {Name} has not the privileges for {what}; the administrator of the server gives them: GRANT {PostgreSqlRoles.Admin} TO {Quoted}, or {PostgreSqlRoles.Prober} or {PostgreSqlRoles.Node} for policyd, roles that 'policyctl store schema' makes"
                : $"{path}: the user {Name} ({Roles}) may not write {what}; nothing was changed. Entries and pins are changed as a user of the role {PostgreSqlRoles.Admin}, named in [store] or with --database, and probes are written as one of {PostgreSqlRoles.Prober}; the administrator of the server makes {Name} one with GRANT {PostgreSqlRoles.Admin} TO {Quoted}",
            error);

    /// <summary>Says that the lease of the prober is not for the user, and how it may be.</summary>
    internal string MayNotProbe() =>
        $"may not probe: the user {Name} has {(Roles is null ? "no role of the store" : $"the role {Roles}")}; where this machine is to take its turn, the administrator of the server says GRANT {PostgreSqlRoles.Prober} TO {Quoted}, which is taken up within a minute";

    private string Quoted => Name.All(letter => char.IsAsciiLetterLower(letter) || char.IsAsciiDigit(letter) || letter == '_') ? Name : $"\"{Name}\"";
}
