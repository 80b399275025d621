namespace PolicyDaemon.Lookup.Protocols;

/// <summary>The two table protocols Postfix can ask a server in.</summary>
public enum MapProtocol
{
    /// <summary>socketmap_table(5), the one to prefer.</summary>
    Socketmap,

    /// <summary>tcp_table(5), for compatibility.</summary>
    TcpTable,
}
