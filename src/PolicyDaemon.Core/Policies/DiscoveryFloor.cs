using System.Diagnostics.CodeAnalysis;

namespace PolicyDaemon.Core.Policies;

/// <summary>The least that an entry at level <c>discovered</c> takes for an answer (<c>--floor</c>): below it, and while nothing is known, mail waits.</summary>
public enum DiscoveryFloor
{
    /// <summary>Whatever discovery says.</summary>
    None,

    /// <summary>TLS, whoever answers.</summary>
    Encrypt,

    /// <summary>A policy of MTA-STS, or DANE.</summary>
    Secure,

    /// <summary>DANE.</summary>
    DaneOnly,
}

/// <summary>Names, and what is below a floor.</summary>
public static class DiscoveryFloors
{
    private static readonly StoredNames<DiscoveryFloor> Stored = new(
        (DiscoveryFloor.None, "none"), (DiscoveryFloor.Encrypt, "encrypt"), (DiscoveryFloor.Secure, "secure"), (DiscoveryFloor.DaneOnly, "dane-only"))
    {
        Comparison = StringComparison.OrdinalIgnoreCase,
    };

    /// <summary>The names, from the lowest.</summary>
    public static IReadOnlyList<string> Names => Stored.All;

    /// <summary>The stored and shown name.</summary>
    public static string Name(this DiscoveryFloor floor) => Stored.Of(floor);

    /// <summary>Reads a name.</summary>
    public static bool TryParse([NotNullWhen(true)] string? name, out DiscoveryFloor floor) => Stored.TryParse(name, out floor);

    /// <summary>The level that says by itself what the floor asks for; null for <see cref="DiscoveryFloor.None"/>.</summary>
    public static TlsLevel? Level(this DiscoveryFloor floor) => floor switch
    {
        DiscoveryFloor.Encrypt => TlsLevel.Encrypt,
        DiscoveryFloor.Secure => TlsLevel.Secure,
        DiscoveryFloor.DaneOnly => TlsLevel.DaneOnly,
        _ => null,
    };

    /// <summary>True where mail at this level is certain of all that the floor asks for.</summary>
    /// <remarks><c>verify</c> of main.cf is as strict as <c>secure</c> by the ladder, and trusts a name that DNS gives, which is no policy of the destination.</remarks>
    public static bool IsMetBy(this DiscoveryFloor floor, TlsLevel level) => floor switch
    {
        DiscoveryFloor.Secure => level is TlsLevel.Secure or TlsLevel.DaneOnly,
        _ => floor.Level() is not { } least || level.IsAtLeast(least),
    };
}
