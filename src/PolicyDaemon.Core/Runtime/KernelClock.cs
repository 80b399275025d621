using System.Runtime.InteropServices;

namespace PolicyDaemon.Core.Runtime;

/// <summary>What the kernel knows of its own clock (adjtimex(2)).</summary>
public static class KernelClock
{
    private const int Unsynchronized = 0x40; // STA_UNSYNC
    private const int Error = 5; // TIME_ERROR

    /// <returns>True where a time service steers the clock and says that it is right; null where that cannot be asked.</returns>
    public static bool? IsSynchronized()
    {
        // With no mode set, nothing is changed and no privilege is needed.
        var state = new Timex();
        return NativeMethods.AdjustTime(ref state) switch
        {
            < 0 => null,
            Error => false,
            _ => (state.Status & Unsynchronized) == 0,
        };
    }

    /// <summary>sys/timex.h, struct timex on 64-bit systems.</summary>
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    internal struct Timex
    {
        [FieldOffset(0)]
        internal uint Modes;

        [FieldOffset(40)]
        internal int Status;
    }
}
