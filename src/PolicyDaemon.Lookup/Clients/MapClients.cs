using System.Text;
using PolicyDaemon.Lookup.Listening;
using PolicyDaemon.Lookup.Protocols;

namespace PolicyDaemon.Lookup.Clients;

/// <summary>Asks a socketmap server as Postfix does: one request, and the same strictness about the reply.</summary>
public static class SocketmapClient
{
    /// <param name="mapName">The socketmap's name, as at the end of <c>socketmap:inet:127.0.0.1:8461:tlspolicy</c>.</param>
    /// <param name="key">Sent as it is, in UTF-8.</param>
    public static async Task<QueryResult> AskAsync(
        MapEndpoint endpoint, string mapName, string key, TimeSpan timeout, TimeProvider time, CancellationToken cancel)
    {
        var payload = Encoding.UTF8.GetBytes($"{mapName} {key}");
        if (payload.Length > SocketmapProtocol.MaxRequestBytes)
            return QueryResult.Failure(QueryStatus.Failed, $"the key is too long: {SocketmapProtocol.MaxKeyBytes} octets at most");
        var request = new byte[Netstring.Overhead(payload.Length) + payload.Length];
        payload.CopyTo(request, Netstring.WriteHeader(request, payload.Length));
        request[^1] = (byte)',';
        return await MapExchange.AskAsync(
            endpoint, request, SocketmapProtocol.TryReadReply, SocketmapProtocol.ParseReply, timeout, time, cancel);
    }
}

/// <summary>Asks a tcp_table server as Postfix does: one request, and the same strictness about the reply.</summary>
public static class TcpTableClient
{
    /// <param name="key">Sent in UTF-8, encoded as tcp_table(5) wants it.</param>
    public static async Task<QueryResult> AskAsync(
        MapEndpoint endpoint, string key, TimeSpan timeout, TimeProvider time, CancellationToken cancel)
    {
        var request = TcpTableProtocol.EncodeRequest(Encoding.UTF8.GetBytes(key));
        if (request.Length > TcpTableProtocol.MaxRequestLine)
            return QueryResult.Failure(QueryStatus.Failed, $"the key is too long: {SocketmapProtocol.MaxKeyBytes} octets at most");
        return await MapExchange.AskAsync(
            endpoint, request, TcpTableProtocol.TryReadReply, TcpTableProtocol.ParseReply, timeout, time, cancel);
    }
}
