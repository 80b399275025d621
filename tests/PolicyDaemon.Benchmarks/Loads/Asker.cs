using System.Net.Sockets;
using System.Text;

namespace PolicyDaemon.Benchmarks.Loads;

/// <summary>Single questions over a connection of its own.</summary>
internal static class Asker
{
    internal static async Task<bool> AnswersAsync(Endpoint endpoint, string key)
    {
        try
        {
            return await AskAsync(endpoint, key) is not null;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    /// <returns>The whole reply; null where the server closed the connection.</returns>
    internal static async Task<string?> AskAsync(Endpoint endpoint, string key)
    {
        using var socket = endpoint.NewSocket();
        await socket.ConnectAsync(endpoint.Address);
        return await AskAsync(socket, endpoint, key);
    }

    internal static async Task<string?> AskAsync(Socket socket, Endpoint endpoint, string key)
    {
        await socket.SendAsync(endpoint.Request(key));
        var reply = new byte[128 * 1024];
        var held = 0;
        do
        {
            var count = await socket.ReceiveAsync(reply.AsMemory(held));
            if (count == 0)
                return null;
            held += count;
        }
        while (reply[held - 1] != (endpoint.Protocol == "socketmap" ? ',' : '\n'));

        return Encoding.ASCII.GetString(reply, 0, held);
    }
}
