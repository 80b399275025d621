namespace PolicyDaemon.Lookup.Listening.Readiness;

/// <summary>What can be known of a socket, with the numbers of sys/epoll.h.</summary>
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
