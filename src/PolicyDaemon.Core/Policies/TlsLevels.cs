using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;

namespace PolicyDaemon.Core.Policies;

/// <summary>Names and properties of the TLS security levels. See TLS_README, "Client TLS security levels".</summary>
public static class TlsLevels
{
    private static readonly (string Name, TlsLevel Level)[] Table =
    [
        ("none", TlsLevel.None),
        ("may", TlsLevel.May),
        ("encrypt", TlsLevel.Encrypt),
        ("fingerprint", TlsLevel.Fingerprint),
        ("dane", TlsLevel.Dane),
        ("dane-only", TlsLevel.DaneOnly),
        ("verify", TlsLevel.Verify),
        ("secure", TlsLevel.Secure),
    ];

    /// <summary>The names in Postfix's order, for messages and completion.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. Table.Select(row => row.Name)];

    /// <summary>The name Postfix knows the level by.</summary>
    public static string Name(this TlsLevel level) =>
        Table.FirstOrDefault(row => row.Level == level).Name ?? throw new UnreachableException($"TLS level {(int)level}");

    /// <summary>Reads a level's name in any letter case, as Postfix does. <c>halfdane</c> is output-only and no level.</summary>
    public static bool TryParse([NotNullWhen(true)] string? name, out TlsLevel level)
    {
        foreach (var row in Table)
        {
            if (string.Equals(row.Name, name, StringComparison.OrdinalIgnoreCase))
            {
                level = row.Level;
                return true;
            }
        }

        level = default;
        return false;
    }

    /// <summary>True where mail never leaves in plain text and never to a peer that failed authentication.</summary>
    public static bool AuthenticatesPeer(this TlsLevel level) =>
        level is TlsLevel.Fingerprint or TlsLevel.DaneOnly or TlsLevel.Verify or TlsLevel.Secure;

    /// <summary>True where <c>match</c> takes peer names (separated by <c>:</c>).</summary>
    public static bool MatchesNames(this TlsLevel level) => level is TlsLevel.Verify or TlsLevel.Secure;

    /// <summary>True where <c>match</c> takes fingerprints (separated by <c>|</c>): the level that pins serve.</summary>
    public static bool MatchesFingerprints(this TlsLevel level) => level is TlsLevel.Fingerprint;

    /// <summary>True where TLS is used at all, so that attributes have a meaning.</summary>
    public static bool UsesTls(this TlsLevel level) => level is not TlsLevel.None;
}
