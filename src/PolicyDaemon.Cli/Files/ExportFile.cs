using System.Text;
using PolicyDaemon.Cli.Hosting;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Runtime;

namespace PolicyDaemon.Cli.Files;

/// <summary>The file that <c>export</c> or <c>report</c> writes: never half of it, and of a table nothing lost that was there.</summary>
/// <remarks>
/// <code>
/// nothing                   a new file
/// a regular file            replaced in one step; what it held is kept under another name
/// /dev/fd/N, /dev/stdout,   written to as the shell opened it, without opening it again: a pipe, or a file that is appended to
/// /dev/stderr
/// a character device        written to: a terminal, /dev/null; also by a link
/// any other link, a FIFO,   refused: replacing it would put a file in the place of what somebody made on purpose,
/// a directory, a socket     and a link's target need not be where the user believes it to be
/// </code>
/// </remarks>
internal static class ExportFile
{
    /// <summary>True where the file is the program's own standard output under another name.</summary>
    internal static bool IsStandardOutput(string file) =>
        file == "-" || (file.Length > 0 && DescriptorStream.Number(Path.GetFullPath(file)) == StandardStreams.Output);

    /// <summary>Writes a table.</summary>
    /// <param name="file">Its name.</param>
    /// <param name="force">An empty table may replace one with entries.</param>
    /// <param name="write">Writes the table and says whether it has entries.</param>
    /// <returns>What a person should know of the file; null where there is nothing.</returns>
    /// <exception cref="CommandException">It is nothing that a table may be written to, or would lose its entries.</exception>
    internal static string? Write(string file, bool force, TimeProvider time, Func<TextWriter, bool> write)
    {
        var full = Path.GetFullPath(file);
        if (OpenAsItIs(full) is { } stream)
        {
            using var through = new StreamWriter(stream, new UTF8Encoding(false));
            write(through);
            return null;
        }

        CommandContext.RequireDirectory(full);
        var exists = RequireReplaceable(file, full, "export");
        FileDraft.Sweep(Path.GetDirectoryName(full)!);
        using var draft = FileDraft.Create(full, exists ? File.GetUnixFileMode(full) : null);
        bool hasEntries;
        using (var writer = new StreamWriter(draft.Stream, new UTF8Encoding(false), leaveOpen: true))
            hasEntries = write(writer);
        if (!exists)
        {
            draft.Replace();
            return null;
        }

        if (IsSame(full, draft.Path))
            return $"{file} holds this table already and was left as it is.";
        if (!hasEntries && !force && HasEntries(full))
        {
            throw new CommandException(
                ExitCode.Invalid, $"{file} has entries and the store has none to write; nothing was changed. If an empty table is meant: --force");
        }

        var kept = KeptCopy.Keep(full, time);
        try
        {
            draft.Replace();
        }
        catch
        {
            // Two names of one file: whoever edits the one would edit the other.
            File.Delete(kept);
            throw;
        }

        return $"{file} as it was: {kept}";
    }

    /// <summary>Writes a file that can be made again, such as a report: what was there is replaced in one step, and not kept.</summary>
    /// <param name="file">Its name.</param>
    /// <param name="instead">The command that writes the same to standard output, for what cannot be replaced.</param>
    /// <param name="write">Writes it.</param>
    /// <exception cref="CommandException">It is nothing that may be replaced.</exception>
    internal static void Replace(string file, string instead, Action<TextWriter> write)
    {
        var full = Path.GetFullPath(file);
        if (OpenAsItIs(full) is { } stream)
        {
            using var through = new StreamWriter(stream, new UTF8Encoding(false));
            write(through);
            return;
        }

        CommandContext.RequireDirectory(full);
        var exists = RequireReplaceable(file, full, instead);
        FileDraft.Sweep(Path.GetDirectoryName(full)!);
        using var draft = FileDraft.Create(full, exists ? File.GetUnixFileMode(full) : null);
        using (var writer = new StreamWriter(draft.Stream, new UTF8Encoding(false), leaveOpen: true))
            write(writer);
        draft.Replace();
    }

    /// <returns>What is written to without being replaced; null for a file.</returns>
    private static Stream? OpenAsItIs(string full) => DescriptorStream.Number(full) is { } descriptor
        ? DescriptorStream.Inherited(descriptor)
        : FileFacts.Of(full, followLink: true) is { Kind: FileKind.CharacterDevice }
            ? new FileStream(full, FileMode.Open, FileAccess.Write, FileShare.ReadWrite, bufferSize: 0)
            : null;

    /// <returns>False where there is nothing yet.</returns>
    private static bool RequireReplaceable(string file, string full, string command)
    {
        var what = FileFacts.Of(full)?.Kind switch
        {
            null => null,
            FileKind.Regular => "",
            FileKind.SymbolicLink => $"a symbolic link to {new FileInfo(full).LinkTarget}; name that file, or remove the link",
            FileKind.Fifo => $"a named pipe; write to it with: policyctl {command} > {Shell.Quote(file)}",
            FileKind.Directory => "a directory; name a file in it",
            FileKind.Socket => "a socket",
            _ => "a block device",
        };
        if (what is { Length: > 0 })
            throw new CommandException(ExitCode.Invalid, $"{file} is {what}. Nothing was changed: only a regular file is replaced");
        return what is not null;
    }

    private static bool IsSame(string one, string other)
    {
        using var left = Open(one);
        using var right = Open(other);
        if (left.Length != right.Length)
            return false;
        var (first, second) = (new byte[1 << 16], new byte[1 << 16]);
        int count;
        while ((count = left.ReadAtLeast(first, first.Length, throwOnEndOfStream: false)) > 0)
        {
            if (right.ReadAtLeast(second, count, throwOnEndOfStream: false) < count || !first.AsSpan(0, count).SequenceEqual(second.AsSpan(0, count)))
                return false;
        }

        return true;
    }

    private static FileStream Open(string path) =>
        new(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);

    private static bool HasEntries(string path) => File.ReadLines(path).Any(line => line.TrimStart() is { Length: > 0 } text && text[0] != '#');
}
