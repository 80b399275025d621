using System.ComponentModel;
using System.Runtime.InteropServices;

namespace PolicyDaemon.Daemon.Logging;

/// <summary>Standard output that reports errors: .NET's own stream ignores a broken pipe.</summary>
internal static partial class StandardOutput
{
    private const int Descriptor = 1;
    private const int Interrupted = 4; // EINTR
    private const int WouldBlock = 11; // EAGAIN: whoever shares the terminal or pipe made it non-blocking

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(50);

    /// <summary>Writes all octets, and waits for the reader where the pipe is full.</summary>
    /// <exception cref="IOException">Standard output is closed, full or broken.</exception>
    public static void Write(ReadOnlySpan<byte> octets)
    {
        using var never = new ManualResetEventSlim();
        while (!octets.IsEmpty)
        {
            var count = Write(Descriptor, in MemoryMarshal.GetReference(octets), octets.Length);
            if (count >= 0)
            {
                octets = octets[(int)count..];
                continue;
            }

            var error = Marshal.GetLastPInvokeError();
            if (error == WouldBlock)
                never.Wait(Pause);
            else if (error != Interrupted)
                throw new IOException($"standard output: {new Win32Exception(error).Message}");
        }
    }

    [LibraryImport("libc", EntryPoint = "write", SetLastError = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial nint Write(int descriptor, in byte octets, nint count);
}
