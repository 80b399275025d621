namespace PolicyDaemon.EndToEnd.Forecasts;

/// <summary>One of the policies under which mail is sent to every kind of server.</summary>
/// <param name="Name">Also the local part of its recipients and a part of its transport's name.</param>
/// <param name="Level">The TLS security level.</param>
/// <param name="TakesNames">Whether it has the names that <c>check</c> proposes for it.</param>
internal sealed record PolicyLevel(string Name, string Level, bool TakesNames = false)
{
    public static IReadOnlyList<PolicyLevel> All { get; } =
    [
        new("may", "may"), new("encrypt", "encrypt"), new("fingerprint", "fingerprint"), new("secure", "secure"),
        new("secure-names", "secure", TakesNames: true), new("verify", "verify"), new("dane", "dane"), new("dane-only", "dane-only"),
    ];

    /// <summary>The service in master.cf.</summary>
    public string Transport => "smtp-" + Name;

    /// <summary>The recipient whose mail to a kind of server goes by this policy.</summary>
    public string RecipientAt(ServerKind kind) => $"{Name}@{kind.Domain}";
}
