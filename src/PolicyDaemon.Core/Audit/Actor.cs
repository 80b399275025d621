namespace PolicyDaemon.Core.Audit;

/// <summary>Who made a change: the login user and <c>SUDO_USER</c>, not only the effective user.</summary>
/// <param name="Effective">The user the program ran as, such as <c>root</c>.</param>
/// <param name="Login">The user who logged in (the kernel's login uid), where the system knows one.</param>
/// <param name="SudoUser">The user who called sudo, where one did.</param>
public sealed record Actor(string Effective, string? Login, string? SudoUser)
{
    /// <summary>The daemon itself, for what its rules decide.</summary>
    public static readonly Actor Daemon = new("policyd", null, null);

    /// <summary>The prober's rules, whichever program runs them.</summary>
    public static readonly Actor Prober = new("prober", null, null);

    /// <summary>For people: <c>alice (sudo, root)</c>.</summary>
    public override string ToString()
    {
        var person = SudoUser ?? Login;
        return person is null || person == Effective ? Effective : $"{person} ({(SudoUser is null ? "" : "sudo, ")}{Effective})";
    }
}
