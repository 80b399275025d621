using System.Globalization;
using Dapper;
using Microsoft.Data.Sqlite;

namespace PolicyDaemon.Store.Migrations;

/// <summary>A numbered step of the schema, forward only: the file <c>NNNN.sql</c> brings version NNNN-1 to NNNN.</summary>
/// <param name="Version">The version it leads to, kept in <c>PRAGMA user_version</c>.</param>
/// <param name="Sql">What it does.</param>
[DapperAot]
internal sealed record Migration(long Version, string Sql)
{
    private const string Folder = "Migrations/";

    /// <summary>All of them, in order.</summary>
    internal static IReadOnlyList<Migration> All { get; } = Load();

    /// <summary>The version that this program reads and writes.</summary>
    internal static long Newest => All[^1].Version;

    internal static long VersionOf(SqliteConnection connection) => connection.ExecuteScalar<long>("PRAGMA user_version");

    /// <summary>Brings a store to <paramref name="target"/>, the newest version by default. The caller holds a transaction.</summary>
    internal static void Apply(SqliteConnection connection, long? target = null)
    {
        var version = VersionOf(connection);
        foreach (var migration in All.Where(step => step.Version > version && step.Version <= (target ?? Newest)))
        {
            connection.Execute(migration.Sql);
            connection.Execute(string.Create(CultureInfo.InvariantCulture, $"PRAGMA user_version = {migration.Version}"));
        }
    }

    private static List<Migration> Load()
    {
        var assembly = typeof(Migration).Assembly;
        return [.. assembly.GetManifestResourceNames()
            .Where(name => name.StartsWith(Folder, StringComparison.Ordinal))
            .Order(StringComparer.Ordinal)
            .Select(name => new Migration(
                long.Parse(Path.GetFileNameWithoutExtension(name), CultureInfo.InvariantCulture), Read(assembly.GetManifestResourceStream(name)!)))];
    }

    private static string Read(Stream stream)
    {
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }
}
