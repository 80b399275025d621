using System.Globalization;
using Dapper;
using PolicyDaemon.Core.Audit;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Runtime;
using PolicyDaemon.Store.Migrations;

namespace PolicyDaemon.Store;

/// <summary>Makes a new store: whole under its name, or not at all.</summary>
[DapperAot]
internal static class StoreCreation
{
    /// <summary>Owner and group read and write: root, the service user and the group's members all administer.</summary>
    internal const UnixFileMode FileMode =
        UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.GroupWrite;

    /// <summary>2770: set-gid, so that every file made here belongs to the group, whoever makes it.</summary>
    internal const UnixFileMode DirectoryMode = UnixFileMode.SetGroup
        | UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute
        | UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.GroupExecute;

    internal static void Create(string path, Actor actor, DateTimeOffset now)
    {
        var full = Path.GetFullPath(path);
        var directory = Path.GetDirectoryName(full)!;
        if (Path.Exists(full))
            throw new StoreException(StoreFault.Exists, $"{path}: already there, nothing was touched; 'policyctl status' shows what it holds");
        if (!Directory.Exists(directory))
        {
            Directory.CreateDirectory(directory);
            File.SetUnixFileMode(directory, DirectoryMode);
        }

        // A log left by a database that is gone would be played into the new one.
        foreach (var leftover in (string[])[full + "-wal", full + "-shm"])
        {
            if (File.Exists(leftover))
                File.Move(leftover, $"{leftover}.orphan-{now.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture)}", overwrite: true);
        }

        FileDraft.Sweep(directory);
        try
        {
            // SQLite gives its log files the mode of the database, so the umask must not have the last word.
            using var draft = FileDraft.Create(full, FileMode);
            Fill(draft.Path, actor, now);
            draft.Publish();
        }
        catch (IOException) when (File.Exists(full))
        {
            throw new StoreException(StoreFault.Exists, $"{path}: already there, nothing was touched; 'policyctl status' shows what it holds");
        }
    }

    private static void Fill(string draft, Actor actor, DateTimeOffset now)
    {
        using var connection = StoreConnection.OpenFile(draft, StoreAccess.Write, StoreConnection.Patience);
        connection.Execute("PRAGMA journal_mode = WAL");
        connection.Execute("BEGIN IMMEDIATE");
        connection.Execute(string.Create(CultureInfo.InvariantCulture, $"PRAGMA application_id = {StoreConnection.ApplicationId}"));
        Migration.Apply(connection);
        var storeId = Guid.NewGuid().ToString("N");
        connection.Execute(
            "INSERT INTO store (id, store_id, created) VALUES (1, @storeId, @created)", new { storeId, created = now.ToUnixTimeSeconds() });
        using var change = new StoreChange(connection, draft, storeId, new ChangeOrigin(actor, "init"), PostfixSettings.Default, now);
        change.AppendInit();
        change.Commit();
    }
}
