using System.Diagnostics;

namespace PolicyDaemon.Lookup.Protocols;

/// <summary>The two table protocols Postfix can ask a server in.</summary>
public enum MapProtocol
{
    /// <summary>socketmap_table(5), the one to prefer.</summary>
    Socketmap,

    /// <summary>tcp_table(5), for compatibility.</summary>
    TcpTable,
}

/// <summary>The protocols' names, as the configuration and Postfix's manuals have them.</summary>
public static class MapProtocols
{
    public static string Name(this MapProtocol protocol) => protocol switch
    {
        MapProtocol.Socketmap => "socketmap",
        MapProtocol.TcpTable => "tcp_table",
        _ => throw new UnreachableException($"map protocol {(int)protocol}"),
    };
}
