namespace PolicyDaemon.Cli.Setup;

/// <summary>A line of master.cf(5).</summary>
/// <param name="Name">Such as <c>smtp</c> or <c>relay</c>.</param>
/// <param name="Type">Such as <c>unix</c> or <c>inet</c>.</param>
/// <param name="Chroot">True where it runs inside the queue directory.</param>
/// <param name="Program">The program without its options, such as <c>smtp</c>.</param>
/// <param name="Overrides">Its <c>-o name=value</c>.</param>
internal sealed record PostfixService(
    string Name, string Type, bool Chroot, string Program, IReadOnlyDictionary<string, string> Overrides)
{
    /// <summary>True for a transport that asks smtp_tls_policy_maps.</summary>
    public bool IsSmtpClient => Program == "smtp" && Type == "unix";

    /// <summary>How postconf(1) names it: <c>smtp/unix</c>.</summary>
    public string FullName => $"{Name}/{Type}";
}
