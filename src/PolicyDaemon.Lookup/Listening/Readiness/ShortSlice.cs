using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace PolicyDaemon.Lookup.Listening.Readiness;

/// <summary>Asks the kernel's scheduler for a short time slice, so that the calling thread runs as soon as it wakes, even where others are at work.</summary>
/// <remarks>
/// An answer takes microseconds, a probe up to a millisecond. From Linux 6.12 a thread that wakes waits for the running
/// one's slice to end, which takes milliseconds, unless it asks for a shorter one itself: then it goes first, and gets no larger share of the
/// processor for it. That needs no privilege. Older kernels take no notice; a sandbox may refuse. Either costs milliseconds, not answers.
/// <para>See sched_setattr(2); Linux, Documentation/scheduler/sched-eevdf.rst.</para>
/// </remarks>
internal static class ShortSlice
{
    /// <summary>The slice in nanoseconds: the least that the kernel grants, enough for a hundred answers.</summary>
    internal const ulong Nanoseconds = 100_000;

    private const uint OtherPolicy = 0; // SCHED_OTHER
    private const ulong ResetOnFork = 1; // SCHED_FLAG_RESET_ON_FORK: threads that this one starts are ordinary ones

    private static readonly int AttributesSize = Unsafe.SizeOf<SchedulingAttributes>();

    // asm/unistd.h
    private static readonly (nint Set, nint Get) Numbers = RuntimeInformation.ProcessArchitecture switch
    {
        Architecture.X64 => (314, 315),
        Architecture.Arm64 => (274, 275),
        _ => (-1, -1),
    };

    /// <summary>Asks for the short slice for the calling thread. Its niceness stays as the administrator set it, and so does a scheduling policy other than the usual.</summary>
    /// <returns>False where the kernel or a sandbox refuses.</returns>
    internal static bool TryAsk()
    {
        if (!TryRead(out var attributes) || attributes.Policy != OtherPolicy)
            return false;
        attributes.Flags |= ResetOnFork;
        attributes.Runtime = Nanoseconds;
        return NativeMethods.SetScheduling(Numbers.Set, 0, attributes, 0) == 0;
    }

    /// <summary>Reads what the calling thread asks for or is given.</summary>
    /// <returns>False where the kernel does not tell.</returns>
    internal static bool TryRead(out SchedulingAttributes attributes)
    {
        attributes = default;
        return Numbers.Get > 0 && NativeMethods.GetScheduling(Numbers.Get, 0, out attributes, AttributesSize, 0) == 0;
    }
}

/// <summary>struct sched_attr of linux/sched/types.h in its first version, 48 octets.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct SchedulingAttributes
{
    public uint Size;
    public uint Policy;
    public ulong Flags;
    public int Nice;
    public uint Priority;

    /// <summary>Nanoseconds; of an ordinary thread, the slice that it asks for (Linux 6.12).</summary>
    public ulong Runtime;

    public ulong Deadline;
    public ulong Period;
}
