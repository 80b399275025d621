using System.Net.Sockets;

namespace PolicyDaemon.Benchmarks.Loads;

/// <summary>Asks for one entry all the while, over a connection each time, and counts what was no right answer.</summary>
internal sealed class LookupWatch : IAsyncDisposable
{
    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(10);

    // Postfix waits longer (socketmap: 100 s); who waits so long has failed all the same.
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(5);

    private readonly Endpoint endpoint;
    private readonly string key;
    private readonly CancellationTokenSource stop = new();
    private readonly SemaphoreSlim turn = new(1);
    private readonly Task asking;
    private long asked;
    private long failed;

    internal LookupWatch(Endpoint endpoint, string key)
    {
        (this.endpoint, this.key) = (endpoint, key);
        asking = Task.Run(RunAsync);
    }

    internal long Asked => Interlocked.Read(ref asked);

    /// <summary>TEMP, another answer, or none.</summary>
    internal long Failed => Interlocked.Read(ref failed);

    /// <summary>What the first failure was.</summary>
    internal string? First { get; private set; }

    /// <summary>Asks nothing while the program is exchanged.</summary>
    internal Task PauseAsync() => turn.WaitAsync();

    internal void Continue() => turn.Release();

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await asking;
        stop.Dispose();
        turn.Dispose();
    }

    private async Task RunAsync()
    {
        while (!stop.IsCancellationRequested)
        {
            await turn.WaitAsync();
            string? reply;
            try
            {
                reply = await Asker.AskAsync(endpoint, key).WaitAsync(Deadline);
            }
            catch (Exception fault) when (fault is SocketException or TimeoutException)
            {
                reply = fault.Message;
            }
            finally
            {
                turn.Release();
            }

            Interlocked.Increment(ref asked);
            if (reply?.Contains(":OK ", StringComparison.Ordinal) != true)
            {
                Interlocked.Increment(ref failed);
                First ??= reply ?? "the connection was closed";
            }

            await Task.WhenAny(Task.Delay(Pace, stop.Token));
        }
    }
}
