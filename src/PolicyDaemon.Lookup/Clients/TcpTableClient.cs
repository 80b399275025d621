using System.Text;
using PolicyDaemon.Lookup.Listening;
using PolicyDaemon.Lookup.Protocols;

namespace PolicyDaemon.Lookup.Clients;

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
