using PolicyDaemon.Core;

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
    private static readonly StoredNames<MapProtocol> Names = new((MapProtocol.Socketmap, "socketmap"), (MapProtocol.TcpTable, "tcp_table"));

    public static string Name(this MapProtocol protocol) => Names.Of(protocol);
}
