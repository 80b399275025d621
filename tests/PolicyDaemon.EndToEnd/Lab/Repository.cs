namespace PolicyDaemon.EndToEnd.Lab;

/// <summary>Where the checkout and the published executables are.</summary>
internal static class Repository
{
    public static string Root { get; } = FindRoot();

    /// <summary>The folder with the published policyd and policyctl.</summary>
    public static string Executables { get; } = Environment.GetEnvironmentVariable("POLICYDAEMON_BIN") is { Length: > 0 } folder
        ? Path.GetFullPath(folder)
        : Path.Combine(Root, "artifacts", "publish");

    public static string Snippets { get; } = Path.Combine(Root, "postfix-snippets");

    private static string FindRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "PolicyDaemon.sln"))) folder = folder.Parent;
        return folder?.FullName ?? throw new InvalidOperationException("the tests run from below the repository's root");
    }
}
