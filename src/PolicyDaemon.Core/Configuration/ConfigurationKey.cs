namespace PolicyDaemon.Core.Configuration;

/// <summary>A key of policydaemon.conf(5).</summary>
/// <param name="Section">Its section.</param>
/// <param name="Name">Its name.</param>
/// <param name="Default">The value that is used where no file gives one.</param>
/// <param name="Meaning">One line for messages; the manual page has the rest.</param>
public sealed record ConfigurationKey(string Section, string Name, string Default, string Meaning)
{
    public string FullName => $"{Section}.{Name}";
}
