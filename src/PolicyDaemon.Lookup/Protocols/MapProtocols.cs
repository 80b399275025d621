using System.Diagnostics;

namespace PolicyDaemon.Lookup.Protocols;

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
