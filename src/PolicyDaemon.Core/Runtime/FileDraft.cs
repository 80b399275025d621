using Microsoft.Win32.SafeHandles;

namespace PolicyDaemon.Core.Runtime;

/// <summary>A file in the making, under a temporary name beside its target; it takes the target's name when it is whole and on the disk.</summary>
/// <remarks>
/// <para>Every file that the programs make begins as one. Its name cannot be foretold and O_EXCL makes it (open(2)), so nobody who
/// may write into the directory can plant a link or a file of his own under it.</para>
/// <para>Its maker holds a shared lock on it (flock(2)). A draft of this user that nobody holds is the leftover of a maker that was
/// killed, and <see cref="Sweep"/> removes it.</para>
/// </remarks>
public sealed class FileDraft : IDisposable
{
    private const string Prefix = ".policydaemon-";
    private const string Suffix = ".draft";
    private const int MaxAttempts = 10;

    private const UnixFileMode DefaultMode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead
        | UnixFileMode.GroupWrite | UnixFileMode.OtherRead | UnixFileMode.OtherWrite;

    // What SQLite may leave beside a database that it was writing.
    private static readonly string[] Companions = ["-journal", "-wal", "-shm"];

    private readonly string target;
    private bool settled;
    private bool kept;

    private FileDraft(string target, FileStream stream)
    {
        this.target = target;
        Stream = stream;
    }

    /// <summary>The temporary path of the draft, in the directory of its target.</summary>
    public string Path => Stream.Name;

    /// <summary>The stream to write the content to. It holds the lock, and stays open where the content is written over another handle.</summary>
    public FileStream Stream { get; }

    /// <summary>Makes an empty draft.</summary>
    /// <param name="target">The file that the draft is to become.</param>
    /// <param name="mode">The mode of the file, whatever the umask; null where the umask decides.</param>
    /// <exception cref="IOException">The directory is missing, read-only or full.</exception>
    /// <exception cref="UnauthorizedAccessException">The directory may not be written.</exception>
    public static FileDraft Create(string target, UnixFileMode? mode)
    {
        var full = System.IO.Path.GetFullPath(target);
        for (var attempt = 1; ; attempt++)
        {
            var path = System.IO.Path.Combine(System.IO.Path.GetDirectoryName(full)!, $"{Prefix}{Guid.NewGuid():N}{Suffix}");
            try
            {
                if (TryCreate(full, path, mode) is { } draft)
                    return draft;
            }
            catch (IOException) when (attempt < MaxAttempts && File.Exists(path))
            {
                // A sweep took it for a leftover before its lock was there.
            }

            if (attempt == MaxAttempts)
                throw new IOException($"{full}: a file in the making is removed again and again by another program");
        }
    }

    /// <summary>Takes the target's place in one step: whoever opens it finds the old file or the new one.</summary>
    /// <param name="durable">True where the file must outlast a power cut.</param>
    public void Replace(bool durable = true) => Settle(overwrite: true, durable);

    /// <summary>Takes the target's place durably, and hands over the stream, which goes on writing to it.</summary>
    public FileStream ReplaceAndKeep()
    {
        Settle(overwrite: true, durable: true);
        kept = true;
        return Stream;
    }

    /// <summary>Takes the target's name, durably, where nothing has it.</summary>
    /// <exception cref="IOException">A file has the target's name already.</exception>
    public void Publish() => Settle(overwrite: false, durable: true);

    /// <summary>Removes the draft, unless it has taken the target's name.</summary>
    public void Dispose()
    {
        if (!settled)
            Remove(Path);
        settled = true;
        if (!kept)
            Stream.Dispose();
    }

    /// <summary>Removes the drafts that killed processes of this user left in a directory. Never throws: it only tidies up.</summary>
    public static void Sweep(string directory)
    {
        try
        {
            foreach (var path in Directory.EnumerateFiles(directory, $"{Prefix}*{Suffix}").Where(IsDraftName).ToList())
                SweepOne(path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // Left for the next one who may.
        }
    }

    /// <summary>Flushes a directory, which makes a rename in it durable (fsync(2), NOTES).</summary>
    internal static void FlushDirectory(string directory)
    {
        // A directory that may be written but not read: nothing more can be done, and nothing is wrong yet.
        using var handle = NativeMethods.Open(directory, NativeMethods.ReadOnly);
        if (handle is not null)
            _ = NativeMethods.Fsync(handle);
    }

    /// <returns>The draft; null where it was removed before its lock was there.</returns>
    private static FileDraft? TryCreate(string target, string path, UnixFileMode? mode)
    {
        var stream = new FileStream(path, new FileStreamOptions
        {
            Mode = FileMode.CreateNew,
            Access = FileAccess.ReadWrite,
            // .NET takes the shared flock for it. Readers take one as well, so that the file can be read as soon as it has its name.
            Share = FileShare.ReadWrite | FileShare.Delete,
            BufferSize = 0,
            UnixCreateMode = mode ?? DefaultMode,
        });
        try
        {
            if (!File.Exists(path))
            {
                stream.Dispose();
                return null;
            }

            if (mode is { } wanted)
                File.SetUnixFileMode(stream.SafeFileHandle, wanted);
            return new FileDraft(target, stream);
        }
        catch
        {
            Remove(path);
            stream.Dispose();
            throw;
        }
    }

    private void Settle(bool overwrite, bool durable)
    {
        Stream.Flush(flushToDisk: durable);
        File.Move(Path, target, overwrite);
        settled = true;
        if (durable)
            FlushDirectory(System.IO.Path.GetDirectoryName(target)!);
    }

    private static bool IsDraftName(string path)
    {
        var name = System.IO.Path.GetFileName(path);
        return name.StartsWith(Prefix, StringComparison.Ordinal) && name.EndsWith(Suffix, StringComparison.Ordinal)
            && Guid.TryParseExact(name[Prefix.Length..^Suffix.Length], "N", out _);
    }

    private static bool IsOurs(SafeFileHandle file) =>
        FileFacts.Of(file) is { Kind: FileKind.Regular, Links: 1 } facts && facts.Owner == NativeMethods.EffectiveUser();

    private static void SweepOne(string path)
    {
        using var file = NativeMethods.Open(path, NativeMethods.ReadOnly | NativeMethods.NoFollow | NativeMethods.NonBlocking);
        // Without a lock that works nothing is proved.
        if (file is null || !IsOurs(file) || NativeMethods.Flock(file, NativeMethods.LockExclusiveAtOnce) != 0)
            return;
        Remove(path);
    }

    private static void Remove(string path)
    {
        try
        {
            foreach (var companion in Companions)
                File.Delete(path + companion);
            File.Delete(path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // It stays until it can be swept.
        }
    }
}
