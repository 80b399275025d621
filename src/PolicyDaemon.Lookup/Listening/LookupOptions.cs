namespace PolicyDaemon.Lookup.Listening;

/// <summary>The <c>[lookup]</c> section: where lookups are answered, and the bounds of a connection.</summary>
public sealed class LookupOptions
{
    /// <summary>Where to listen. Sockets that systemd hands over come on top of these.</summary>
    public IReadOnlyList<MapEndpoint> Endpoints { get; set; } = [];

    /// <summary>Connections held at the same time. Postfix keeps one per smtp process, 100 by default per host (default_process_limit).</summary>
    /// <remarks>Where there are several listeners, each has a part that no other can take. At the limit connections make way, those that never asked
    /// first. Each takes a descriptor.</remarks>
    public int MaxConnections { get; set; } = 16_384;

    /// <summary>How long a request may take to arrive once its first octet did. Postfix sends each in one write; it gives up after 100 s itself (DICT_SOCKMAP_TIMEOUT, DICT_TCP_TMOUT).</summary>
    public TimeSpan RequestTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>How long a peer may take to accept a reply.</summary>
    public TimeSpan ReplyTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>Octets that peers leave unread or half-sent, all together; beyond it who keeps us waiting longest is ended before its time.</summary>
    /// <remarks>One alone leaves 8 KiB and a reply unread, and a reply of 1,500 pins has 100 kB. More of these than the pool of arrays holds, 64 on two
    /// cores, would be garbage each.</remarks>
    public long MaxPeerMemory { get; set; } = 6 * 1024 * 1024;

    /// <summary>Connections that wait to be accepted; the kernel caps it at net.core.somaxconn (listen(2)).</summary>
    public int Backlog { get; set; } = 4096;

    /// <summary>The mode of a unix socket: its group is the one that may ask, postfix as a rule.</summary>
    public UnixFileMode SocketMode { get; set; } =
        UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.GroupWrite;

    /// <returns>What is wrong and what to write; null where all is well.</returns>
    public string? Validate() => this switch
    {
        { MaxConnections: < 1 or > 1_000_000 } => "max_connections must be between 1 and 1000000",
        { MaxPeerMemory: < 1 } => "the memory for peers must be positive",
        { Backlog: < 1 } => "backlog must be positive",
        _ when RequestTimeout <= TimeSpan.Zero || RequestTimeout > TimeSpan.FromHours(1) => "request_timeout must be between 1 second and 1 hour",
        _ when ReplyTimeout <= TimeSpan.Zero || ReplyTimeout > TimeSpan.FromHours(1) => "reply_timeout must be between 1 second and 1 hour",
        _ => null,
    };
}
