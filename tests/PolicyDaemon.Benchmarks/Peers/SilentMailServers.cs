using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;

namespace PolicyDaemon.Benchmarks.Peers;

/// <summary>Mail servers on some ports of every address in 127.0.0.0/8 that say nothing, so that a probe stays as long as it waits for a greeting.
/// Count the connections to an address at which another one was open.</summary>
/// <remarks>A client that is silent for <see cref="Patience"/> is disconnected, as any server does: what a halted process leaves open ends so.</remarks>
internal sealed class SilentMailServers : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan Grace = TimeSpan.FromMilliseconds(200);

    private readonly List<Socket> listeners = [];
    private readonly ConcurrentDictionary<IPAddress, Address> addresses = new();
    private readonly ConcurrentQueue<string> overlaps = new();

    internal SilentMailServers(IEnumerable<int> ports)
    {
        foreach (var port in ports)
        {
            var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
            listener.Bind(new IPEndPoint(IPAddress.Any, port));
            listener.Listen(64);
            listeners.Add(listener);
            _ = AcceptAsync(listener);
        }
    }

    /// <summary>Each time that two were connected to an address.</summary>
    internal IReadOnlyCollection<string> Overlaps => overlaps;

    /// <summary>Connections to all of them so far.</summary>
    internal int Connections => addresses.Values.Sum(one => one.Connections);

    /// <summary>Connections to an address so far.</summary>
    internal int ConnectionsTo(IPAddress address) => addresses.TryGetValue(address, out var known) ? known.Connections : 0;

    public void Dispose() => listeners.ForEach(listener => listener.Dispose());

    private async Task AcceptAsync(Socket listener)
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
        var address = addresses.GetOrAdd(((IPEndPoint)client.LocalEndPoint!).Address, _ => new Address());
        List<Socket> others;
        lock (address)
        {
            others = [.. address.Open];
            address.Open.Add(client);
            address.Connections++;
        }

        foreach (var other in others)
        {
            if (!await HasLeftAsync(address, other))
                overlaps.Enqueue($"{client.LocalEndPoint}");
        }

        try
        {
            using var late = new CancellationTokenSource(Patience, TimeProvider.System);
            var buffer = new byte[1024];
            while (await client.ReceiveAsync(buffer, late.Token) > 0)
            {
            }
        }
        catch (Exception end) when (end is SocketException or OperationCanceledException)
        {
            // It has left, or was silent for too long.
        }
        finally
        {
            lock (address)
                address.Open.Remove(client);
            client.Dispose();
        }
    }

    // The end of a connection was here before the beginning of the next, though perhaps nobody has read it yet.
    private static async Task<bool> HasLeftAsync(Address address, Socket other)
    {
        var until = TimeProvider.System.GetTimestamp();
        while (true)
        {
            lock (address)
            {
                if (!address.Open.Contains(other))
                    return true;
                if (!other.Poll(0, SelectMode.SelectRead) || TimeProvider.System.GetElapsedTime(until) > Grace)
                    return false;
            }

            await Task.Delay(1);
        }
    }

    private sealed class Address
    {
        internal HashSet<Socket> Open { get; } = [];

        internal int Connections { get; set; }
    }
}
