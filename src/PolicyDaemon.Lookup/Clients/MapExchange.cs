using System.Buffers;
using System.IO.Pipelines;
using System.Net;
using System.Net.Sockets;
using Pipelines.Sockets.Unofficial;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Lookup.Listening;
using PolicyDaemon.Lookup.Protocols;

namespace PolicyDaemon.Lookup.Clients;

/// <summary>One request and its reply over a connection of its own, read from the pipes of Pipelines.Sockets.Unofficial.</summary>
internal static class MapExchange
{
    private static readonly PipeOptions Options = new(useSynchronizationContext: false);

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
            using var connection = SocketConnection.Create(await ConnectAsync(endpoint, either.Token), Options);
            await connection.Output.WriteAsync(request, either.Token);
            return await ReceiveAsync(connection.Input, endpoint, read, parse, either.Token);
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            return QueryResult.Failure(QueryStatus.TimedOut, $"no answer from {endpoint} within {timeout.TotalSeconds:0.#} s");
        }
        catch (SocketException exception)
        {
            return Failure(endpoint, exception);
        }
        catch (IOException exception)
        {
            return QueryResult.Failure(QueryStatus.Failed, $"{endpoint}: {exception.Message}");
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
        PipeReader input, MapEndpoint endpoint, ReplyReader read, ReplyParser parse, CancellationToken cancel)
    {
        while (true)
        {
            var received = await input.ReadAsync(cancel);
            var buffer = received.Buffer;
            switch (read(ref buffer, out var reply))
            {
                case FrameStatus.Complete:
                    var answer = parse(reply.ToArray(), out var problem);
                    return answer is { } known
                        ? QueryResult.Answered(known)
                        : QueryResult.Failure(QueryStatus.Malformed, $"{endpoint} sent a malformed reply: {problem}");
                case FrameStatus.Malformed:
                    return QueryResult.Failure(QueryStatus.Malformed, $"{endpoint} sent a malformed reply: wrong framing or too long; is it another service's port?");
            }

            if (received.IsCompleted)
                return QueryResult.Failure(QueryStatus.Failed, $"{endpoint} closed the connection without a whole answer; see the journal of policyd");
            input.AdvanceTo(buffer.Start, buffer.End); // the reader refuses what is too long before much is kept
        }
    }

    private static QueryResult Failure(MapEndpoint endpoint, SocketException exception) => exception.SocketErrorCode switch
    {
        // A missing file of a unix socket has no name among the socket errors.
        SocketError.ConnectionRefused or SocketError.AddressNotAvailable =>
            QueryResult.Failure(QueryStatus.NotRunning, $"nobody answers on {endpoint}; is policyd running, and does it listen there?"),
        // Before the question whether there is a socket: in a directory that may not be entered none can be seen.
        SocketError.AccessDenied =>
            QueryResult.Failure(QueryStatus.NoPermission, $"no permission to connect to {endpoint}; the socket's group may"),
        _ when endpoint.Path is { } path && !File.Exists(path) && Directory.Exists(Path.GetDirectoryName(path)) =>
            QueryResult.Failure(QueryStatus.NotRunning, $"there is no socket {path}; is policyd running, and does it listen there?"),
        _ => QueryResult.Failure(QueryStatus.Failed, $"{endpoint}: {exception.Message}"),
    };
}
