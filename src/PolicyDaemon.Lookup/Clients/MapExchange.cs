using System.Buffers;
using System.Net;
using System.Net.Sockets;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Lookup.Listening;
using PolicyDaemon.Lookup.Protocols;

namespace PolicyDaemon.Lookup.Clients;

/// <summary>One request and its reply over a connection of its own.</summary>
internal static class MapExchange
{
    /// <summary>Recognises a whole reply at the start of the buffer.</summary>
    internal delegate FrameStatus ReplyReader(ref ReadOnlySequence<byte> buffer, out ReadOnlySequence<byte> reply);

    /// <summary>Makes an answer of a reply; null with the reason where Postfix would call it malformed.</summary>
    internal delegate LookupAnswer? ReplyParser(ReadOnlySpan<byte> reply, out string problem);

    public static async Task<QueryResult> AskAsync(
        MapEndpoint endpoint, ReadOnlyMemory<byte> request, ReplyReader read, ReplyParser parse, TimeSpan timeout, TimeProvider time,
        CancellationToken cancel)
    {
        using var deadline = new CancellationTokenSource(timeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, cancel);
        try
        {
            using var socket = await ConnectAsync(endpoint, either.Token);
            for (var sent = 0; sent < request.Length;)
                sent += await socket.SendAsync(request[sent..], SocketFlags.None, either.Token);
            return await ReceiveAsync(socket, endpoint, read, parse, either.Token);
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            return QueryResult.Failure(QueryStatus.TimedOut, $"no answer from {endpoint} within {timeout.TotalSeconds:0.#} s");
        }
        catch (SocketException exception)
        {
            return Failure(endpoint, exception);
        }
    }

    private static async Task<Socket> ConnectAsync(MapEndpoint endpoint, CancellationToken cancel)
    {
        EndPoint target = endpoint.Path is { } path
            ? new UnixDomainSocketEndPoint(path)
            : endpoint.IsAnyAddress
                ? new IPEndPoint(IPAddress.Loopback, endpoint.Address!.Port)
                : endpoint.Address!;
        var socket = new Socket(
            target.AddressFamily, SocketType.Stream, target is IPEndPoint ? ProtocolType.Tcp : ProtocolType.Unspecified);
        try
        {
            await socket.ConnectAsync(target, cancel);
            return socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static async Task<QueryResult> ReceiveAsync(
        Socket socket, MapEndpoint endpoint, ReplyReader read, ReplyParser parse, CancellationToken cancel)
    {
        var buffer = new byte[4096];
        var count = 0;
        while (true)
        {
            if (count == buffer.Length)
                Array.Resize(ref buffer, buffer.Length * 2); // the reader refuses what is too long before this grows far
            var received = await socket.ReceiveAsync(buffer.AsMemory(count), SocketFlags.None, cancel);
            if (received == 0)
                return QueryResult.Failure(QueryStatus.Failed, $"{endpoint} closed the connection without a whole answer; see the journal of policyd");
            count += received;
            var sequence = new ReadOnlySequence<byte>(buffer, 0, count);
            switch (read(ref sequence, out var reply))
            {
                case FrameStatus.Complete:
                    var answer = parse(reply.FirstSpan, out var problem);
                    return answer is { } known
                        ? QueryResult.Answered(known)
                        : QueryResult.Failure(QueryStatus.Malformed, $"{endpoint} sent a malformed reply: {problem}");
                case FrameStatus.Malformed:
                    return QueryResult.Failure(QueryStatus.Malformed, $"{endpoint} sent a malformed reply: wrong framing or too long; is it another service's port?");
            }
        }
    }

    private static QueryResult Failure(MapEndpoint endpoint, SocketException exception) => exception.SocketErrorCode switch
    {
        // A missing file of a unix socket has no name among the socket errors.
        SocketError.ConnectionRefused or SocketError.AddressNotAvailable =>
            QueryResult.Failure(QueryStatus.NotRunning, $"nobody answers on {endpoint}; is policyd running, and does it listen there?"),
        _ when endpoint.Path is { } path && !File.Exists(path) && Directory.Exists(Path.GetDirectoryName(path)) =>
            QueryResult.Failure(QueryStatus.NotRunning, $"there is no socket {path}; is policyd running, and does it listen there?"),
        SocketError.AccessDenied =>
            QueryResult.Failure(QueryStatus.NoPermission, $"no permission to connect to {endpoint}; the socket's group may"),
        _ => QueryResult.Failure(QueryStatus.Failed, $"{endpoint}: {exception.Message}"),
    };
}
