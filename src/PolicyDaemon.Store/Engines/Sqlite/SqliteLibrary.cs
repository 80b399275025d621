using System.Reflection;
using System.Runtime.InteropServices;
using SQLitePCL;

namespace PolicyDaemon.Store.Engines.Sqlite;

/// <summary>Decides which SQLite library is loaded: a private copy beside the program, else the distribution's.</summary>
/// <remarks>
/// A package for a distribution leaves the private copy out, so that security updates of SQLite reach us. Machines without
/// -dev packages have only <c>libsqlite3.so.0</c>, not <c>libsqlite3.so</c>.
/// </remarks>
internal static class SqliteLibrary
{
    internal const string PrivateCopy = "e_sqlite3";
    internal const string Distribution = "libsqlite3.so.0";

    private static readonly Lazy<bool> Registered = new(Register);

    /// <summary>Takes effect once, before the first connection.</summary>
    internal static void Use() => _ = Registered.Value;

    private static bool Register()
    {
        NativeLibrary.SetDllImportResolver(typeof(SQLite3Provider_e_sqlite3).Assembly, Resolve);
        return true;
    }

    private static nint Resolve(string name, Assembly assembly, DllImportSearchPath? searchPath)
    {
        if (name != PrivateCopy)
            return 0;
        return NativeLibrary.TryLoad(PrivateCopy, assembly, searchPath, out var library) ? library : NativeLibrary.Load(Distribution);
    }
}
