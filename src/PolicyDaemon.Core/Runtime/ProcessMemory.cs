using System.Runtime.InteropServices;

namespace PolicyDaemon.Core.Runtime;

/// <summary>Memory of this process that a large piece of work left behind.</summary>
public static partial class ProcessMemory
{
    /// <summary>Gives back what is not used any more: the heap's, and what the C library keeps of what SQLite freed.</summary>
    /// <remarks>Stops all threads for some milliseconds; for a program that mostly waits, after work that is seldom.</remarks>
    public static void GiveBack()
    {
        GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive);
        _ = Trim(0);
    }

    // malloc_trim(3)
    [LibraryImport("libc", EntryPoint = "malloc_trim")]
    private static partial int Trim(nuint keep);
}
