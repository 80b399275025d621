using System.Net.Sockets;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using PolicyDaemon.Core.Runtime;
using PolicyDaemon.Daemon.Hosting;

namespace PolicyDaemon.Daemon;

/// <summary>The status socket: whoever connects reads one JSON document (<see cref="StatusDocument"/>), and the connection is closed.</summary>
/// <remarks>
/// It tells and takes nothing: what a peer sends is not read. The document is made once a second at most, of what <see cref="StatusWriter"/> has made
/// anyway; so it reads no store, and takes no lock that a lookup takes. It works on the pool; lookups have a thread of their own. A peer that does not
/// read is cut off after some seconds, and where there are too many the one that came first makes way. Nothing that goes wrong here ends the daemon.
/// </remarks>
internal sealed class StatusSocket(
    RunningConfiguration configuration, Func<DaemonStatus?> status, LookupHistory history, ILogger<StatusSocket> logger, TimeProvider time)
    : BackgroundService
{
    /// <summary>How many peers are served at a time.</summary>
    internal const int MaxPeers = 16;

    // Peers that come together wait here; whoever finds it full is turned away by the kernel.
    private const int Backlog = 8 * MaxPeers;

    // A reader on this machine takes milliseconds.
    internal static readonly TimeSpan PeerTimeout = TimeSpan.FromSeconds(5);

    internal static readonly TimeSpan Upkeep = TimeSpan.FromSeconds(5);

    // The group administers; what has findings is nobody else's business.
    private const UnixFileMode Mode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead | UnixFileMode.GroupWrite;

    private readonly Lock sync = new();
    private readonly LinkedList<Socket> peers = [];
    private byte[] document = [];
    private DaemonStatus? documented;
    private string? lastFailure;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // The listeners do not wait for it.
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await ListenAsync(stoppingToken);
                continue;
            }
#pragma warning disable CA1031 // what goes wrong here costs people the status, and must cost no mail
            catch (Exception exception) when (!stoppingToken.IsCancellationRequested)
            {
                // Said once, not every few seconds.
                if (lastFailure != exception.Message)
                    logger.StatusSocketFailed(exception.Message);
                lastFailure = exception.Message;
            }
#pragma warning restore CA1031
            catch (OperationCanceledException)
            {
                return;
            }

            await Task.Delay(Upkeep, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Serves until the file of the socket was removed, or until it is cancelled.</summary>
    private async Task ListenAsync(CancellationToken stop)
    {
        var path = configuration.Settings.StatusSocket;
        if (!UnixSocketFile.Fits(path))
            throw new IOException($"{path} is too long for a unix socket; set status_socket in [store] to a path of {UnixSocketFile.MaxPath} octets at most");
        var socket = UnixSocketFile.Listen(path, Mode, Backlog);
        var madeAt = UnixSocketFile.MadeAt(path);
        try
        {
            using var ended = CancellationTokenSource.CreateLinkedTokenSource(stop);
            await using var upkeep = time.CreateTimer(
                _ =>
                {
                    if (!UnixSocketFile.IsInPlace(path, madeAt))
                        ended.Cancel();
                },
                null, Upkeep, Upkeep);
            logger.StatusSocketOpened(path);
            lastFailure = null;
            while (true)
                _ = TellAsync(await socket.AcceptAsync(ended.Token), stop);
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            // The directory was emptied or made anew: the socket is made again.
        }
        finally
        {
            socket.Dispose();
            Remove(path);
        }
    }

    private void Remove(string path)
    {
        try
        {
            UnixSocketFile.Remove(path);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            logger.StatusSocketFailed(exception.Message);
        }
    }

    /// <summary>Sends the document to a peer and closes. Only the end of the process ends it otherwise.</summary>
    private async Task TellAsync(Socket peer, CancellationToken stop)
    {
        var place = Admit(peer);
        try
        {
            using var deadline = new CancellationTokenSource(PeerTimeout, time);
            using var both = CancellationTokenSource.CreateLinkedTokenSource(deadline.Token, stop);
            var rest = Document();
            while (!rest.IsEmpty)
                rest = rest[await peer.SendAsync(rest, both.Token)..];
        }
        catch (Exception exception) when (exception is SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // Gone, too slow, or made way.
        }
        finally
        {
            lock (sync)
            {
                // Who made way is not among them any more.
                if (place.List is not null)
                    peers.Remove(place);
            }

            peer.Dispose();
        }
    }

    /// <summary>Gives a peer its place, where need be that of the one that came first.</summary>
    private LinkedListNode<Socket> Admit(Socket peer)
    {
        var place = new LinkedListNode<Socket>(peer);
        Socket? first = null;
        lock (sync)
        {
            if (peers.Count >= MaxPeers)
            {
                first = peers.First!.Value;
                peers.RemoveFirst();
            }

            peers.AddLast(place);
        }

        first?.Dispose();
        return place;
    }

    private ReadOnlyMemory<byte> Document()
    {
        lock (sync)
        {
            if (status() is { } latest && !ReferenceEquals(latest, documented))
            {
                document = new StatusDocument(latest, history.Seconds, history.Minutes).ToBytes();
                documented = latest;
            }

            return document;
        }
    }
}
