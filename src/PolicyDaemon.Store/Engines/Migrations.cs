using System.Globalization;
using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Store.Faults;

namespace PolicyDaemon.Store.Engines;

/// <summary>A step of the schema, forward only: the file <c>NNNN.sql</c> of an engine brings the version before it to NNNN.</summary>
/// <remarks>The numbers are those of all engines: version 9 has the same tables and columns wherever it lies. Each file ends by noting in
/// <c>schema_version</c> which programs can still read and write what it made.</remarks>
internal sealed record Migration(long Version, string Sql)
{
    /// <summary>All steps of an engine, in order.</summary>
    /// <param name="engine">The engine's folder.</param>
    internal static IReadOnlyList<Migration> Of(string engine)
    {
        var (assembly, folder) = (typeof(Migration).Assembly, $"Migrations/{engine}/");
        return [.. assembly.GetManifestResourceNames()
            .Where(name => name.StartsWith(folder, StringComparison.Ordinal))
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

/// <summary>What a store says of its schema.</summary>
/// <param name="Version">Which one it is.</param>
/// <param name="ReadableFrom">The oldest version whose programs can read it.</param>
/// <param name="WritableFrom">The oldest version whose programs can change it.</param>
internal sealed record SchemaVersion(long Version, long ReadableFrom, long WritableFrom)
{
    /// <summary>Refuses a store of a newer version that this program cannot use for a purpose.</summary>
    /// <param name="path">Where the store is, for the message.</param>
    /// <param name="newest">The version that this program writes.</param>
    internal void RefuseNewer(string path, StoreAccess access, long newest)
    {
        if (Version <= newest || (access == StoreAccess.Read ? ReadableFrom : WritableFrom) <= newest)
            return;
        throw new StoreException(
            StoreFault.Newer,
            string.Create(CultureInfo.InvariantCulture, $"{path}: written by a newer version of PolicyDaemon (schema {Version}, this one knows {newest})")
            + (ReadableFrom <= newest ? ", which this one can read and not change" : "")
            + (PostgreSqlWords.IsNamedBy(path)
                ? "; install that version on this machine, too: the store was upgraded from another one"
                : "; install that version again, or restore a backup made before the upgrade"));
    }
}
