namespace PolicyDaemon.Packages.Machines;

/// <summary>The packages that <c>tests/run packages</c> has built: the version at hand and, from the same programs, the next one.</summary>
internal static class BuiltPackages
{
    private static readonly string Folder = Path.Combine(Repository.Root, "artifacts", "packages");

    public static string Deb => One("current", "policydaemon_*_amd64.deb");

    public static string NextDeb => One("next", "policydaemon_*_amd64.deb");

    public static string Rpm => One("current", "policydaemon-*.x86_64.rpm");

    public static string NextRpm => One("next", "policydaemon-*.x86_64.rpm");

    private static string One(string folder, string pattern) =>
        Directory.Exists(Path.Combine(Folder, folder)) && Directory.GetFiles(Path.Combine(Folder, folder), pattern) is [var file]
            ? file
            : throw new InvalidOperationException($"not exactly one {pattern} in {Path.Combine(Folder, folder)}: run tests/run packages");
}
