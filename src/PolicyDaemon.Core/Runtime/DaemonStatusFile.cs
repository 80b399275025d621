using System.Text.Json;

namespace PolicyDaemon.Core.Runtime;

/// <summary>The file <c>store.status_file</c>.</summary>
public static class DaemonStatusFile
{
    // A status with every finding of a broken store stays far below; anything larger is not ours.
    private const int MaxBytes = 4 * 1024 * 1024;

    /// <summary>Replaces the file in one step: a reader sees the old status or the new one.</summary>
    /// <exception cref="IOException">The disk is full or the directory is missing.</exception>
    /// <exception cref="UnauthorizedAccessException">The directory may not be written.</exception>
    public static void Write(string path, DaemonStatus status)
    {
        var temporary = path + ".new";
        using (var stream = new FileStream(temporary, new FileStreamOptions
        {
            Mode = FileMode.Create,
            Access = FileAccess.Write,
            UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead,
        }))
        {
            JsonSerializer.Serialize(stream, status, DaemonStatusJson.Default.DaemonStatus);
        }

        File.Move(temporary, path, overwrite: true);
    }

    /// <summary>Reads the last status written.</summary>
    /// <returns>Null where there is none, or none that can be read; it is information, never a decision.</returns>
    public static DaemonStatus? TryRead(string path)
    {
        try
        {
            using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            return stream.Length > MaxBytes ? null : JsonSerializer.Deserialize(stream, DaemonStatusJson.Default.DaemonStatus);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException or JsonException)
        {
            return null;
        }
    }
}
