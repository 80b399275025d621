using System.Text.Json;

namespace PolicyDaemon.Core.Runtime;

/// <summary>The file <c>store.status_file</c>.</summary>
public static class DaemonStatusFile
{
    // A status with every finding of a broken store stays far below; anything larger is not ours.
    private const int MaxBytes = 4 * 1024 * 1024;

    // Those who administer read it; others need not know which destinations have findings.
    private const UnixFileMode Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead;

    /// <summary>Replaces the file in one step: a reader sees the old status or the new one.</summary>
    /// <exception cref="IOException">The disk is full, read-only, or the directory is missing.</exception>
    /// <exception cref="UnauthorizedAccessException">The directory may not be written.</exception>
    public static void Write(string path, DaemonStatus status)
    {
        using var draft = FileDraft.Create(path, Mode);
        JsonSerializer.Serialize(draft.Stream, status, DaemonStatusJson.Default.DaemonStatus);
        draft.Replace(durable: false);
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
