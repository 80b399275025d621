using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using PolicyDaemon.Core.Observations;

namespace PolicyDaemon.Tests.Support;

/// <summary>A mail server on loopback that behaves as a test's script says.</summary>
internal sealed class FakeSmtpServer : IAsyncDisposable
{
    private readonly TcpListener listener;
    private readonly Func<FakeSmtpConnection, Task> script;
    private readonly CancellationTokenSource stop = new();
    private readonly ConcurrentBag<Task> conversations = [];
    private readonly Task loop;
    private int connections;
    private int open;
    private int mostOpen;

    public FakeSmtpServer(Func<FakeSmtpConnection, Task> script, IPAddress? address = null, int port = 0)
    {
        this.script = script;
        listener = new TcpListener(address ?? IPAddress.Loopback, port);
        listener.Start();
        loop = AcceptAsync();
    }

    public ProbeTarget Target => new(((IPEndPoint)listener.LocalEndpoint).Address, ((IPEndPoint)listener.LocalEndpoint).Port);

    public int Connections => Volatile.Read(ref connections);

    /// <summary>How many connections were open at one time.</summary>
    public int MostOpen => Volatile.Read(ref mostOpen);

    /// <summary>Every command of every connection.</summary>
    public ConcurrentQueue<string> Commands { get; } = new();

    /// <summary>The SNI name of every handshake; empty where none was sent.</summary>
    public ConcurrentQueue<string> ServerNames { get; } = new();

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        listener.Stop();
        await loop;
        await Task.WhenAll(conversations);
        stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
                conversations.Add(ConverseAsync(await listener.AcceptTcpClientAsync(stop.Token)));
        }
        catch (Exception ended) when (ended is OperationCanceledException or SocketException or ObjectDisposedException
            or InvalidOperationException) // stopped between two connections
        {
        }
    }

    private async Task ConverseAsync(TcpClient client)
    {
        Interlocked.Increment(ref connections);
        var now = Interlocked.Increment(ref open);
        for (var most = mostOpen; now > most; most = mostOpen)
            Interlocked.CompareExchange(ref mostOpen, now, most);
        // A client that said QUIT has left, whenever this side comes round to closing.
        var here = 1;
        void left() => Interlocked.Add(ref open, -Interlocked.Exchange(ref here, 0));
        try
        {
            await using var connection = new FakeSmtpConnection(client, this, stop.Token);
            connection.Left = left;
            await script(connection);
        }
        catch (Exception ended) when (ended is IOException or OperationCanceledException or SocketException
            or System.Security.Authentication.AuthenticationException)
        {
            // The prober went away, or refused the handshake: part of the story.
        }
        finally
        {
            left();
        }
    }
}
