using System.Net;
using System.Net.Sockets;

namespace PolicyDaemon.Benchmarks.Machine;

/// <summary>A way to a server's port that can be shut: connections stay then, new ones are accepted, and nothing comes through, as behind a network that was cut.</summary>
internal sealed class Gate : IDisposable
{
    private readonly Socket listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly int target;
    private volatile TaskCompletionSource opened = new(TaskCreationOptions.RunContinuationsAsynchronously);

    internal Gate(int target)
    {
        this.target = target;
        opened.SetResult();
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen(64);
        Port = ((IPEndPoint)listener.LocalEndPoint!).Port;
        _ = AcceptAsync();
    }

    internal int Port { get; }

    internal void Shut() => opened = new(TaskCreationOptions.RunContinuationsAsynchronously);

    internal void Open() => opened.TrySetResult();

    public void Dispose()
    {
        listener.Dispose();
        Open();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
                _ = ServeAsync(await listener.AcceptAsync());
        }
        catch (Exception end) when (end is SocketException or ObjectDisposedException)
        {
            // Disposed of.
        }
    }

    private async Task ServeAsync(Socket client)
    {
        using var server = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        using (client)
        {
            try
            {
                client.NoDelay = true;
                await opened.Task;
                await server.ConnectAsync(IPAddress.Loopback, target);
                await Task.WhenAny(PassAsync(client, server), PassAsync(server, client));
            }
            catch (SocketException)
            {
                // The server is away: the client finds out.
            }
        }
    }

    private async Task PassAsync(Socket from, Socket to)
    {
        var buffer = new byte[16 * 1024];
        try
        {
            while (true)
            {
                var count = await from.ReceiveAsync(buffer);
                await opened.Task;
                if (count == 0)
                    return;
                await to.SendAsync(buffer.AsMemory(0, count));
            }
        }
        catch (Exception end) when (end is SocketException or ObjectDisposedException)
        {
            await opened.Task;
        }
    }
}
