using Microsoft.Win32.SafeHandles;

namespace PolicyDaemon.Store;

/// <summary>Makes files and their names survive a power cut.</summary>
internal static class DurableFile
{
    internal static void Flush(string path)
    {
        using var handle = File.OpenHandle(path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
        RandomAccess.FlushToDisk(handle);
    }

    /// <summary>A rename is durable once the directory is (fsync(2), NOTES).</summary>
    internal static void FlushDirectory(string directory)
    {
        var descriptor = NativeMethods.Open(directory, NativeMethods.ReadOnly | NativeMethods.CloseOnExec);
        if (descriptor < 0)
            return; // a directory that may be written but not read: nothing more can be done, and nothing is wrong yet
        using var handle = new SafeFileHandle(descriptor, ownsHandle: true);
        _ = NativeMethods.Fsync(descriptor);
    }
}
