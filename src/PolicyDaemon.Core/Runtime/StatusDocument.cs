using System.Net.Sockets;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace PolicyDaemon.Core.Runtime;

/// <summary>What the running daemon says on its status socket: one JSON document to each peer that connects, then the connection is closed.</summary>
/// <param name="Daemon">The status, as the status file has it.</param>
/// <param name="Seconds">Lookups of the last five minutes, second by second.</param>
/// <param name="Minutes">Lookups of the last day, minute by minute.</param>
public sealed record StatusDocument(DaemonStatus Daemon, LookupSeries Seconds, LookupSeries Minutes)
{
    // As much as DaemonStatusFile takes, and the series.
    private const int MaxBytes = 5 * 1024 * 1024;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(2);

    /// <summary>The document as it is sent.</summary>
    public byte[] ToBytes() => JsonSerializer.SerializeToUtf8Bytes(this, StatusDocumentJson.Default.StatusDocument);

    /// <summary>Asks the daemon.</summary>
    /// <param name="path">The status socket.</param>
    /// <param name="time">Bounds how long this may take, some seconds.</param>
    /// <returns>Null where no daemon answers, or its answer cannot be read; it is information, never a decision.</returns>
    public static StatusDocument? TryAsk(string path, TimeProvider time) => TryAsk(path, time, out _);

    /// <inheritdoc cref="TryAsk(string, TimeProvider)"/>
    /// <param name="isDenied">True where the caller may not connect, so that nothing is known of a daemon.</param>
    public static StatusDocument? TryAsk(string path, TimeProvider time, out bool isDenied)
    {
        isDenied = false;
        ArgumentNullException.ThrowIfNull(path);
        ArgumentNullException.ThrowIfNull(time);
        if (!UnixSocketFile.Fits(path))
            return null;
        try
        {
            // A full backlog must not hold the caller.
            using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified) { Blocking = false };
            socket.Connect(new UnixDomainSocketEndPoint(path));
            socket.Blocking = true;
            socket.ReceiveTimeout = (int)Patience.TotalMilliseconds;
            return Read(socket, time) is { } bytes ? JsonSerializer.Deserialize(bytes.AsSpan(), StatusDocumentJson.Default.StatusDocument) : null;
        }
        catch (Exception exception) when (exception is SocketException or JsonException)
        {
            isDenied = exception is SocketException { SocketErrorCode: SocketError.AccessDenied };
            return null;
        }
    }

    private static byte[]? Read(Socket socket, TimeProvider time)
    {
        var began = time.GetTimestamp();
        using var read = new MemoryStream();
        var part = new byte[64 * 1024];
        while (read.Length <= MaxBytes && time.GetElapsedTime(began) <= 2 * Patience)
        {
            var count = socket.Receive(part);
            if (count == 0)
                return read.ToArray();
            read.Write(part, 0, count);
        }

        return null;
    }
}

/// <summary>Lookups by answer in intervals of the same length that follow one another, the oldest first; the interval that has not ended is left out.</summary>
/// <param name="Start">When the first interval began.</param>
/// <param name="Step">The length of an interval, in seconds.</param>
/// <param name="Found">Lookups answered with a policy, of each interval.</param>
/// <param name="NotFound">Lookups answered with not found, of each interval.</param>
/// <param name="Temporary">Lookups answered with a temporary error, of each interval.</param>
/// <param name="Permanent">Lookups answered with a permanent error, of each interval.</param>
public sealed record LookupSeries(
    DateTimeOffset Start, int Step, IReadOnlyList<long> Found, IReadOnlyList<long> NotFound, IReadOnlyList<long> Temporary, IReadOnlyList<long> Permanent);

/// <summary>Reads and writes <see cref="StatusDocument"/> without reflection; on one line, for it has thousands of figures.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower, Converters = [typeof(UtcTimeConverter)], RespectNullableAnnotations = true,
    RespectRequiredConstructorParameters = true)]
[JsonSerializable(typeof(StatusDocument))]
public sealed partial class StatusDocumentJson : JsonSerializerContext;
