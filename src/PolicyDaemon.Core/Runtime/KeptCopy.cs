using System.Globalization;

namespace PolicyDaemon.Core.Runtime;

/// <summary>A file that is about to be replaced, kept beside it under a name with the time.</summary>
public static class KeptCopy
{
    private const int MaxOfOneSecond = 100;

    /// <summary>Keeps a file as it is: under a second name, of which the replacement then takes the first, or as a copy of its octets.</summary>
    /// <returns>The name of what is kept.</returns>
    /// <exception cref="IOException">It cannot be kept; then it should not be replaced.</exception>
    /// <exception cref="UnauthorizedAccessException">The directory may not be written.</exception>
    public static string Keep(string path, TimeProvider time)
    {
        ArgumentNullException.ThrowIfNull(time);
        var stem = $"{path}.{time.GetUtcNow().ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture)}";
        for (var number = 1; number <= MaxOfOneSecond; number++)
        {
            var name = number == 1 ? stem : string.Create(CultureInfo.InvariantCulture, $"{stem}.{number}");
            if (FileFacts.Of(name) is not null)
                continue;
            // Whoever plants a name now finds it refused: neither way follows or replaces anything.
            if (NativeMethods.Link(path, name) != 0)
                Copy(path, name);
            return name;
        }

        throw new IOException($"{path}: {MaxOfOneSecond} copies of this second are there already");
    }

    /// <summary>On a file system without hard links, or of a file that is somebody else's (proc_sys_fs(5), protected_hardlinks).</summary>
    private static void Copy(string path, string name)
    {
        using var source = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        using var draft = FileDraft.Create(name, File.GetUnixFileMode(source.SafeFileHandle));
        source.CopyTo(draft.Stream);
        draft.Publish();
    }
}
