namespace PolicyDaemon.Cli.Setup;

/// <summary>Runs Postfix's own tools.</summary>
internal interface IPostfixTools
{
    /// <summary>What <c>postconf</c> prints with these arguments.</summary>
    /// <exception cref="CommandException">There is no postconf, or it failed.</exception>
    string Postconf(IReadOnlyList<string> arguments);

    /// <summary>Makes a running Postfix read its configuration again; one that does not run needs nothing.</summary>
    /// <param name="directory">Its configuration directory; null for its own.</param>
    void Reload(string? directory);
}
