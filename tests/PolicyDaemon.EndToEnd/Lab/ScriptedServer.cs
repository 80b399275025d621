using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Security.Authentication;

namespace PolicyDaemon.EndToEnd.Lab;

/// <summary>A server at an address of the receiving side that behaves as its script says: what no real mail server can be made to do.</summary>
public sealed class ScriptedServer : IAsyncDisposable
{
    private readonly Socket _listener;
    private readonly CancellationTokenSource _stop = new();
    private readonly ConcurrentDictionary<Task, byte> _conversations = new();
    private readonly Task _loop;
    private int _connections;
    private volatile Func<ScriptedConnection, Task> _script;

    /// <param name="sandbox">Where it runs.</param>
    /// <param name="address">An address of the receiving side that is up.</param>
    /// <param name="script">What it does with each connection; see <see cref="Scripts"/>.</param>
    /// <param name="port">Its port.</param>
    public ScriptedServer(Sandbox sandbox, IPAddress address, Func<ScriptedConnection, Task> script, int port = 25)
    {
        ArgumentNullException.ThrowIfNull(sandbox);
        Address = address;
        _script = script;
        _listener = sandbox.BindOnMx(new IPEndPoint(address, port), ProtocolType.Tcp);
        _loop = AcceptAsync();
    }

    public IPAddress Address { get; }

    /// <summary>How many connections it has accepted.</summary>
    public int Connections => Volatile.Read(ref _connections);

    /// <summary>Every line that clients sent.</summary>
    public ConcurrentQueue<string> Commands { get; } = new();

    /// <summary>Another behaviour, from the next connection on.</summary>
    public void Behave(Func<ScriptedConnection, Task> script) => _script = script;

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Dispose();
        await _loop;
        await Task.WhenAll(_conversations.Keys);
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var socket = await _listener.AcceptAsync(_stop.Token);
                Interlocked.Increment(ref _connections);
                var conversation = ConverseAsync(socket);
                _conversations.TryAdd(conversation, 0);
                _ = conversation.ContinueWith(
                    (ended, all) => ((ConcurrentDictionary<Task, byte>)all!).TryRemove(ended, out _), _conversations,
                    CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
            }
        }
        catch (Exception ended) when (ended is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // Stopped.
        }
    }

    private async Task ConverseAsync(Socket socket)
    {
        await using var connection = new ScriptedConnection(socket, this, _stop.Token);
        try
        {
            await _script(connection);
        }
        catch (Exception ended) when (ended is IOException or OperationCanceledException or SocketException or AuthenticationException)
        {
            // The client went away, or did not like the handshake: part of the story.
        }
    }
}
