using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace PolicyDaemon.Core.Runtime;

/// <summary>The file of a unix socket: renamed into place when it listens, and removed only where no other server answers on it.</summary>
public static class UnixSocketFile
{
    /// <summary>Octets that the path of a unix socket may have: sun_path holds 108 with its NUL (unix(7)).</summary>
    public const int MaxPath = 107;

    /// <summary>False where the path, or that of the temporary name beside it, is too long for a unix socket.</summary>
    public static bool Fits(string path)
    {
        ArgumentNullException.ThrowIfNull(path);
        return Encoding.UTF8.GetByteCount(path) <= MaxPath && Encoding.UTF8.GetByteCount(TemporaryPath(path)) <= MaxPath;
    }

    /// <summary>Binds and listens under a temporary name, sets the mode, then renames: nobody meets a socket with the wrong rights.</summary>
    /// <exception cref="IOException">The path is taken by a living server or by something that is no socket, or cannot be written.</exception>
    public static Socket Listen(string path, UnixFileMode mode, int backlog)
    {
        ArgumentNullException.ThrowIfNull(path);
        var directory = Path.GetDirectoryName(path);
        if (!Directory.Exists(directory))
            throw new IOException($"cannot listen on unix:{path}: there is no directory {directory}; create it");
        EnsureFree(path);
        var temporary = TemporaryPath(path);
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            socket.Bind(new UnixDomainSocketEndPoint(temporary));
            File.SetUnixFileMode(temporary, mode);
            socket.Listen(backlog);
            File.Move(temporary, path, overwrite: true);
            return socket;
        }
        catch (Exception exception) when (exception is SocketException or IOException or UnauthorizedAccessException)
        {
            socket.Dispose();
            DeleteQuietly(temporary);
            throw new IOException($"cannot listen on unix:{path}: {exception.Message}", exception);
        }
    }

    /// <summary>Removes the file unless another server answers there by now. Call it after the listener was closed.</summary>
    public static void Remove(string path)
    {
        if (!Answers(path))
            File.Delete(path);
    }

    /// <summary>When the file was made; a date long past where there is no file.</summary>
    public static DateTime MadeAt(string path) => File.GetLastWriteTimeUtc(path);

    /// <summary>False where the file was removed, or replaced by something that does not answer.</summary>
    /// <param name="madeAt">When this process made its file; only a new file, or <c>touch</c>, has another time.</param>
    public static bool IsInPlace(string path, DateTime madeAt) => MadeAt(path) == madeAt || Answers(path);

    /// <summary>True where a server accepts connections on the socket, or its queue of waiting connections is full.</summary>
    public static bool Answers(string path)
    {
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        socket.Blocking = false; // a full backlog must not hold us
        try
        {
            socket.Connect(new UnixDomainSocketEndPoint(path));
            return true;
        }
        catch (SocketException exception)
        {
            return exception.SocketErrorCode is SocketError.WouldBlock or SocketError.InProgress or SocketError.TryAgain;
        }
    }

    /// <summary>A name beside the socket to bind to, before the finished socket is renamed into place; 10 octets and the directory.</summary>
    private static string TemporaryPath(string path) =>
        string.Create(CultureInfo.InvariantCulture, $"{path[..(path.LastIndexOf('/') + 1)]}.{Random.Shared.Next():x8}~");

    // What went wrong before is what must be reported.
    private static void DeleteQuietly(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
        }
    }

    private static void EnsureFree(string path)
    {
        var file = new FileInfo(path);
        if (Directory.Exists(path))
            throw new IOException($"cannot listen on unix:{path}: there is a directory of that name");
        if (!file.Exists && file.LinkTarget is null)
            return;
        // There is no way to ask for the file's type; a socket has no length and is no link.
        if (file.LinkTarget is not null || file.Length > 0)
            throw new IOException($"cannot listen on unix:{path}: a file of that name exists and is no socket; move it away");
        if (Answers(path))
            throw new IOException($"cannot listen on unix:{path}: another process answers there; is policyd running already?");
    }
}
