using System.Runtime.InteropServices;

namespace PolicyDaemon.Core.Runtime;

/// <summary>Memory of this process that a large piece of work left behind.</summary>
public static partial class ProcessMemory
{
    // Of what was made since memory was given back last.
    private const long Much = 8 * 1024 * 1024;

    private static long given;

    /// <summary>Gives back what is not used any more where that may be much, by what was made since the last time.</summary>
    public static void GiveBackMuch()
    {
        if (GC.GetTotalAllocatedBytes() - Volatile.Read(ref given) >= Much)
            GiveBack();
    }

    /// <summary>Gives back what is not used any more: the heap's, and what the C library keeps of what SQLite freed.</summary>
    /// <remarks>Stops all threads for some milliseconds; for a program that mostly waits, after work that is seldom.</remarks>
    public static void GiveBack()
    {
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive);
        _ = Trim(0);
        Volatile.Write(ref given, GC.GetTotalAllocatedBytes());
    }

    // malloc_trim(3)
    [LibraryImport("libc", EntryPoint = "malloc_trim")]
    private static partial int Trim(nuint keep);
}
