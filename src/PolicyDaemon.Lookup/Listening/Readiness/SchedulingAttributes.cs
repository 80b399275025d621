using System.Runtime.InteropServices;

namespace PolicyDaemon.Lookup.Listening.Readiness;

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
