namespace PolicyDaemon.EndToEnd.Lab;

/// <summary>Which Postfix a laboratory runs: the one installed on the host, or one unpacked by tests/install-packages.</summary>
public sealed record PostfixInstallation(string Name, string? UnpackedRoot)
{
    /// <summary>Debian bookworm's 3.7.</summary>
    public static PostfixInstallation OfTheHost { get; } = new("the host's Postfix", null);

    /// <summary>Debian bookworm-backports' 3.10 or newer.</summary>
    public static PostfixInstallation Newer { get; } = new(
        "the newer Postfix", Path.Combine(Repository.Root, "artifacts", "postfix-newer", "root"));
}
