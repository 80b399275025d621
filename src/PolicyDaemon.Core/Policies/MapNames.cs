using System.Diagnostics;

namespace PolicyDaemon.Core.Policies;

/// <summary>The maps' names as main.cf writes them.</summary>
public static class MapNames
{
    public static IReadOnlyList<string> All { get; } = ["tlspolicy", "tlspolicy-tlsrpt"];

    public static string Text(this MapName map) => map switch
    {
        MapName.TlsPolicy => "tlspolicy",
        MapName.TlsPolicyTlsRpt => "tlspolicy-tlsrpt",
        _ => throw new UnreachableException($"map {(int)map}"),
    };

    /// <summary>Exact bytes: map names are ours, so another letter case is another name.</summary>
    public static bool TryParse(ReadOnlySpan<byte> name, out MapName map)
    {
        map = name.SequenceEqual("tlspolicy-tlsrpt"u8) ? MapName.TlsPolicyTlsRpt : MapName.TlsPolicy;
        return map == MapName.TlsPolicyTlsRpt || name.SequenceEqual("tlspolicy"u8);
    }
}
