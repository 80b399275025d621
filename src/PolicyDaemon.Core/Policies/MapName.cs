namespace PolicyDaemon.Core.Policies;

/// <summary>The maps served: the same entries in two dialects, chosen by the socketmap's NAME. tcp_table has no names and is <see cref="TlsPolicy"/>.</summary>
public enum MapName
{
    /// <summary><c>tlspolicy</c>: the syntax that every Postfix since <c>postfix.version</c> understands.</summary>
    TlsPolicy,

    /// <summary><c>tlspolicy-tlsrpt</c>: with the attributes of Postfix 3.10 and later.</summary>
    TlsPolicyTlsRpt,
}

/// <summary>The maps' names as main.cf writes them.</summary>
public static class MapNames
{
    private static readonly StoredNames<MapName> Stored = new((MapName.TlsPolicy, "tlspolicy"), (MapName.TlsPolicyTlsRpt, "tlspolicy-tlsrpt"));

    public static IReadOnlyList<string> All => Stored.All;

    public static string Name(this MapName map) => Stored.Of(map);

    /// <summary>Reads a name in a request, exact octets: map names are ours, so another letter case is another name.</summary>
    public static bool TryParse(ReadOnlySpan<byte> name, out MapName map)
    {
        map = name.SequenceEqual("tlspolicy-tlsrpt"u8) ? MapName.TlsPolicyTlsRpt : MapName.TlsPolicy;
        return map == MapName.TlsPolicyTlsRpt || name.SequenceEqual("tlspolicy"u8);
    }
}
