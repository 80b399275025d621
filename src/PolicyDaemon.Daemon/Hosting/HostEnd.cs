using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace PolicyDaemon.Daemon.Hosting;

/// <summary>The end of the host: its parts are stopped in turn and disposed of, and none is waited for longer than a server that stalls is worth.</summary>
/// <remarks>A statement that a server does not answer holds its thread for seconds. What it would write is tried again after the next start, and
/// every snapshot that was served is on the disk already.</remarks>
internal sealed class HostEnd : IAsyncDisposable
{
    /// <summary>How long the parts of a daemon whose store is on a server have in all, from the signal on.</summary>
    internal static readonly TimeSpan WithServer = TimeSpan.FromMilliseconds(2500);

    private readonly IHost host;
    private readonly TimeSpan limit;
    private readonly IHostApplicationLifetime lifetime;
    private readonly TaskCompletionSource asked = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly CancellationTokenRegistration registration;
    private Task? over;
    private bool isLeft;

    internal HostEnd(IHost host, TimeSpan limit)
    {
        (this.host, this.limit) = (host, limit);
        lifetime = host.Services.GetRequiredService<IHostApplicationLifetime>();
        registration = lifetime.ApplicationStopping.Register(() =>
        {
            over = Task.Delay(limit, host.Services.GetRequiredService<TimeProvider>());
            asked.TrySetResult();
        });
    }

    /// <summary>True once the host was told to stop.</summary>
    internal bool IsAsked => lifetime.ApplicationStopping.IsCancellationRequested;

    /// <summary>Waits until the host was told to stop, and has.</summary>
    /// <returns>False where the parts took too long.</returns>
    internal async Task<bool> WaitAsync()
    {
        var stopped = host.WaitForShutdownAsync();
        await Task.WhenAny(stopped, asked.Task);
        isLeft = !await EndsAsync(stopped);
        return !isLeft;
    }

    public async ValueTask DisposeAsync()
    {
        // Parts close what they have at the server, too; what is still at work keeps what it works with until the process ends.
        if (!isLeft)
            await EndsAsync(Task.Factory.StartNew(
                host.Dispose, CancellationToken.None, TaskCreationOptions.LongRunning | TaskCreationOptions.DenyChildAttach, TaskScheduler.Default));
        await registration.DisposeAsync();
    }

    private async Task<bool> EndsAsync(Task work)
    {
        if (await Task.WhenAny(work, over ?? Task.Delay(limit)) != work)
            return false;
        await work;
        return true;
    }
}
