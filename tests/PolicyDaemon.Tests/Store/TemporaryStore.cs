using System.Data.Common;
using System.Globalization;
using Microsoft.Data.Sqlite;
using PolicyDaemon.Core.Audit;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Store;
using PolicyDaemon.Store.Changes;
using PolicyDaemon.Store.Engines;
using PolicyDaemon.Store.Engines.Choice;
using PolicyDaemon.Tests.Support;

namespace PolicyDaemon.Tests.Store;

/// <summary>A store that goes with the test: in a directory of its own or, where <c>POLICYDAEMON_STORE=postgresql</c>, in a database of its own.</summary>
internal sealed class TemporaryStore : IDisposable
{
    /// <summary>Whether the tests' stores are on a server.</summary>
    internal static readonly bool IsOnServer = Environment.GetEnvironmentVariable("POLICYDAEMON_STORE") == "postgresql";

    internal static readonly Actor Alice = new("root", "alice", "alice");
    internal const string PinA = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
    internal const string PinB = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

    private bool isCopy;

    internal TemporaryStore(bool create = true)
    {
        Directory = System.IO.Directory.CreateTempSubdirectory("policydaemon-").FullName;
        Path = IsOnServer ? PostgreSqlServer.Instance.CreateDatabase() : System.IO.Path.Combine(Directory, "policy.db");
        if (create)
            PolicyStore.Create(Path, Alice, Time).Dispose();
    }

    internal SettableClock Time { get; } = new(new DateTimeOffset(2026, 11, 23, 12, 0, 0, TimeSpan.Zero));

    internal string Directory { get; }

    /// <summary>The store, as the configuration names it.</summary>
    internal string Path { get; }

    /// <summary>A file beside the store.</summary>
    internal string Beside(string suffix) => System.IO.Path.Combine(Directory, "policy.db" + suffix);

    internal static Destination Secure(string key, string? note = null) =>
        new() { Key = NextHop.Parse(key), Policy = new TlsPolicy { Level = TlsLevel.Secure }, Note = note };

    internal static Destination Pinned(string key, params Pin[] pins) =>
        new() { Key = NextHop.Parse(key), Policy = new TlsPolicy { Level = TlsLevel.Fingerprint }, Pins = [.. pins] };

    internal static Pin Pin(string hex, PinState state = PinState.Active) =>
        Fingerprint.TryParse(hex, out var fingerprint, out var reason)
            ? new Pin(fingerprint, PinSubject.Unknown, state, PinStrength.Person, DateTimeOffset.UnixEpoch.AddDays(20000))
            : throw new FormatException(reason);

    internal StoreSession OpenSession(StoreAccess access = StoreAccess.Write) => EngineChoice.For(Path).Open(access);

    internal PolicyStore Open(StoreAccess access = StoreAccess.Write) => PolicyStore.Open(Path, access, Time);

    internal ChangeReceipt Put(params Destination[] destinations) => WriteUnjudged(Path, Time, changes =>
    {
        foreach (var destination in destinations)
            changes.WriteUnjudged(destination.Key, changes.Find(destination.Key)?.Get(Path), destination, null, "answer", null);
    });

    internal ChangeReceipt Remove(string key) => WriteUnjudged(Path, Time, changes =>
    {
        var removed = NextHop.Parse(key);
        changes.WriteUnjudged(removed, changes.Find(removed)?.Get(Path), null, "answer", null, null);
    });

    /// <summary>Writes whatever it is told, as somebody who comes past the store's door would.</summary>
    internal static ChangeReceipt WriteUnjudged(string path, TimeProvider time, Action<DestinationChanges> work)
    {
        using var session = EngineChoice.For(path).Open(StoreAccess.Write);
        session.BeginWrite();
        var changes = new DestinationChanges(session, session.StoreId, new ChangeOrigin(Alice, "test"), PostfixSettings.Default, time.GetUtcNow(), onRecord: null);
        work(changes);
        changes.Audit.Complete();
        session.Commit();
        return new ChangeReceipt(changes.Audit.ChangeId, changes.Audit.Rows, changes.Audit.Head);
    }

    internal ChangeReceipt Change(Action<StoreChange> work, string command = "test", string? reason = null)
    {
        using var store = Open();
        using var change = store.BeginChange(new ChangeOrigin(Alice, command, reason), PostfixSettings.Default);
        work(change);
        return change.Commit();
    }

    internal Destination? Find(string key)
    {
        using var store = Open(StoreAccess.Read);
        return store.Find(NextHop.Parse(key));
    }

    /// <summary>What a person with a shell of the engine could do; where the engines have other words for it, in those of SQLite.</summary>
    internal void Sql(string sql)
    {
        using var connection = Connect();
        using var command = connection.CreateCommand();
#pragma warning disable CA2100 // the tests' own text
        command.CommandText = IsOnServer ? PostgreSqlServer.WordsOf(sql) : sql;
#pragma warning restore CA2100
        command.ExecuteNonQuery();
    }

    /// <summary>The first value that a query returns.</summary>
    internal object? Scalar(string sql)
    {
        using var connection = Connect();
        using var command = connection.CreateCommand();
#pragma warning disable CA2100 // the tests' own text
        command.CommandText = sql;
#pragma warning restore CA2100
        return command.ExecuteScalar();
    }

    /// <summary>Takes the store away, under whoever has it open.</summary>
    internal void TakeAway()
    {
        if (IsOnServer)
            PostgreSqlServer.Instance.RenameDatabase(Path, Path + "_away");
        else
            File.Move(Path, Path + ".away");
    }

    /// <summary>Puts back what <see cref="TakeAway"/> took.</summary>
    internal void PutBack()
    {
        if (IsOnServer)
            PostgreSqlServer.Instance.RenameDatabase(Path + "_away", Path);
        else
            File.Move(Path + ".away", Path);
    }

    /// <summary>Puts another store in the place of this one, under whoever has it open.</summary>
    internal void Replace(TemporaryStore by)
    {
        if (IsOnServer)
        {
            PostgreSqlServer.Instance.DropDatabase(Path);
            PostgreSqlServer.Instance.RenameDatabase(by.Path, Path);
            return;
        }

        // A copy comes without a log.
        if (by.isCopy)
        {
            File.Delete(Path + "-wal");
            File.Delete(Path + "-shm");
        }

        File.Move(by.Path, Path, overwrite: true);
    }

    /// <summary>A copy of the store as it is now, in a place of its own.</summary>
    internal TemporaryStore Copy()
    {
        var copy = new TemporaryStore(create: false) { isCopy = true };
        using var store = Open(StoreAccess.Read);
        if (!IsOnServer)
        {
            store.Backup(copy.Path);
            return copy;
        }

        using var session = OpenSession(StoreAccess.Read);
        StoreCopy.Into(session, copy.Path, Time.GetUtcNow());
        return copy;
    }

    public void Dispose()
    {
        if (IsOnServer)
            PostgreSqlServer.Instance.DropDatabase(Path);
        System.IO.Directory.Delete(Directory, recursive: true);
    }

    private DbConnection Connect()
    {
        if (IsOnServer)
            return PostgreSqlServer.Instance.Connect(Path);
        var connection = new SqliteConnection(string.Create(CultureInfo.InvariantCulture, $"Data Source={Path};Pooling=False"));
        connection.Open();
        return connection;
    }
}
