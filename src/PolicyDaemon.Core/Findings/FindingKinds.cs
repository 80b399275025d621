using System.Diagnostics;

namespace PolicyDaemon.Core.Findings;

/// <summary>The stored names of the kinds of finding.</summary>
public static class FindingKinds
{
    private static readonly string[] Names =
        ["near-miss", "store-unavailable", "store-damaged", "store-replaced", "entry-not-servable", "snapshot-not-saved", "audit-broken"];

    public static string Name(this FindingKind kind) =>
        (uint)kind < (uint)Names.Length ? Names[(int)kind] : throw new UnreachableException($"finding kind {(int)kind}");

    public static bool TryParse(string? name, out FindingKind kind)
    {
        var index = Array.IndexOf(Names, name);
        kind = (FindingKind)Math.Max(index, 0);
        return index >= 0;
    }
}
