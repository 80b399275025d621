using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace PolicyDaemon.Lookup.Listening.Readiness;

/// <summary>A set of sockets whose readiness the kernel reports, and a bell that other threads can ring. See epoll(7).</summary>
internal sealed class EpollSet : IDisposable
{
    /// <summary>The token under which the bell is reported.</summary>
    public const ulong Bell = ulong.MaxValue;

    private const int AddOperation = 1;
    private const int RemoveOperation = 2;
    private const int ModifyOperation = 3;

    // struct epoll_event is packed on x86-64 and nowhere else (sys/epoll.h, __EPOLL_PACKED).
    private static readonly int TokenOffset = RuntimeInformation.ProcessArchitecture == Architecture.X64 ? 4 : 8;
    private static readonly int EventSize = TokenOffset + sizeof(ulong);

    private readonly SafeFileHandle set;
    private readonly SafeFileHandle bell;
    private readonly byte[] events;

    /// <param name="capacity">How many events one wait can report.</param>
    /// <exception cref="IOException">There are no descriptors left.</exception>
    public EpollSet(int capacity)
    {
        events = new byte[capacity * EventSize];
        set = Own(NativeMethods.EpollCreate(), "epoll_create1");
        try
        {
            bell = Own(NativeMethods.EventFd(), "eventfd");
        }
        catch (IOException)
        {
            set.Dispose();
            throw;
        }

        Add((int)bell.DangerousGetHandle(), Bell, SocketEvents.Readable);
    }

    /// <summary>Begins to report on a socket, which must stay open until this returns. The kernel forgets it when it is closed.</summary>
    /// <param name="socket">Its descriptor.</param>
    /// <param name="token">What names the socket in reports.</param>
    /// <exception cref="IOException">The kernel refuses: too many watches for this user, no memory.</exception>
    public void Add(int socket, ulong token, SocketEvents interest) => Control(AddOperation, socket, token, interest);

    /// <summary>Changes what is reported; what is true already is reported again.</summary>
    public void Modify(int socket, ulong token, SocketEvents interest) => Control(ModifyOperation, socket, token, interest);

    /// <summary>Reports nothing more; an event that was taken by a wait already may still be under way.</summary>
    public void Remove(int socket) => Control(RemoveOperation, socket, 0, SocketEvents.None);

    /// <summary>Waits for events.</summary>
    /// <param name="block">False: returns at once, without waiting.</param>
    /// <returns>How many there are, for <see cref="Event"/>; 0 also where a signal came in between.</returns>
    public int Wait(bool block)
    {
        var count = NativeMethods.EpollWait(set, ref events[0], events.Length / EventSize, block ? -1 : 0);
        if (count >= 0)
            return count;
        return (SystemError)Marshal.GetLastPInvokeError() == SystemError.Interrupted ? 0 : throw NativeMethods.Failed("epoll_wait");
    }

    public (ulong Token, SocketEvents Events) Event(int index)
    {
        var entry = events.AsSpan(index * EventSize, EventSize);
        return (MemoryMarshal.Read<ulong>(entry[TokenOffset..]), (SocketEvents)MemoryMarshal.Read<uint>(entry));
    }

    /// <summary>Makes a wait end, from any thread.</summary>
    public void Ring() => _ = NativeMethods.Write(bell, 1, sizeof(ulong)); // fails only where it rings already

    public void Silence()
    {
        var value = 0UL;
        _ = NativeMethods.Read(bell, ref value, sizeof(ulong));
    }

    public void Dispose()
    {
        bell.Dispose();
        set.Dispose();
    }

    private void Control(int operation, int socket, ulong token, SocketEvents interest)
    {
        Span<byte> entry = stackalloc byte[16];
        entry.Clear();
        MemoryMarshal.Write(entry, (uint)interest);
        MemoryMarshal.Write(entry[TokenOffset..], token);
        if (NativeMethods.EpollControl(set, operation, socket, ref entry[0]) < 0)
            throw NativeMethods.Failed("epoll_ctl");
    }

    private static SafeFileHandle Own(int descriptor, string call) =>
        descriptor >= 0 ? new SafeFileHandle(descriptor, ownsHandle: true) : throw NativeMethods.Failed(call);
}

/// <summary>The kinds of events on a socket, with the numbers of sys/epoll.h.</summary>
[Flags]
internal enum SocketEvents : uint
{
    None = 0,
    Readable = 0x1, // EPOLLIN
    Writable = 0x4, // EPOLLOUT
    Error = 0x8, // EPOLLERR, always reported
    HangUp = 0x10, // EPOLLHUP, always reported
    PeerClosed = 0x2000, // EPOLLRDHUP: no more octets than those already here
    EdgeTriggered = 0x8000_0000, // EPOLLET: reported once per change, not as long as it lasts
}
