namespace PolicyDaemon.Tests.Support;

/// <summary>Files of the source tree that tests hold against the code.</summary>
internal static class Repository
{
    private static readonly string Root = Find();

    public static string Path(params string[] parts) => System.IO.Path.Combine([Root, .. parts]);

    private static string Find()
    {
        for (var directory = AppContext.BaseDirectory; directory is not null; directory = System.IO.Path.GetDirectoryName(directory))
        {
            if (File.Exists(System.IO.Path.Combine(directory, "PolicyDaemon.sln")))
                return directory;
        }

        throw new InvalidOperationException("the tests do not lie inside the source tree");
    }
}
