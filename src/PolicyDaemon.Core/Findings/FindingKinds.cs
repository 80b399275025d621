using System.Diagnostics;

namespace PolicyDaemon.Core.Findings;

/// <summary>The stored names of the kinds of finding.</summary>
public static class FindingKinds
{
    private static readonly string[] Names =
    [
        "near-miss", "store-unavailable", "store-damaged", "store-replaced", "entry-not-servable", "snapshot-not-saved", "audit-broken",
        "new-key", "pin-mismatch", "rejected-key-seen", "starttls-gone", "plaintext-injected", "tlsa-mismatch", "dnssec-lost",
        "mx-set-replaced", "weaker-key", "rotating-too-often", "last-pin-unseen", "pin-held", "too-many-keys", "pin-in-other-digest",
        "destination-unreachable", "brake-on", "dns-trouble", "resolver-not-validating", "nothing-to-probe", "level-not-met",
        "resolver-half-tested", "alert-not-delivered", "clock-jumped",
    ];

    /// <summary>True for what a look at a destination finds: the next look without it settles it.</summary>
    public static bool IsOfProbe(this FindingKind kind) => 
        kind is >= FindingKind.NewKey and <= FindingKind.LevelNotMet and not (FindingKind.BrakeOn or FindingKind.ResolverNotValidating);

    public static string Name(this FindingKind kind) =>
        (uint)kind < (uint)Names.Length ? Names[(int)kind] : throw new UnreachableException($"finding kind {(int)kind}");

    public static bool TryParse(string? name, out FindingKind kind)
    {
        var index = Array.IndexOf(Names, name);
        kind = (FindingKind)Math.Max(index, 0);
        return index >= 0;
    }
}
