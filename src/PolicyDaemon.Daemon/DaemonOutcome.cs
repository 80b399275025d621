using System.Runtime.InteropServices;

namespace PolicyDaemon.Daemon;

/// <summary>When and how the process ends: asked to by a signal, or because a part cannot go on and has said so.</summary>
internal sealed class DaemonOutcome : IDisposable
{
    private readonly TaskCompletionSource ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private IReadOnlyList<PosixSignalRegistration> signals = [];
    private volatile ExitCode code = ExitCode.Done;

    public ExitCode Code => code;

    /// <summary>Completes when the daemon is to stop.</summary>
    public Task Ended => ended.Task;

    public void Fail()
    {
        code = ExitCode.Failed;
        ended.TrySetResult();
    }

    /// <summary>SIGTERM as service managers send it, SIGINT and SIGQUIT as a terminal does.</summary>
    public void ListenToSignals() =>
        signals = [.. new[] { PosixSignal.SIGTERM, PosixSignal.SIGINT, PosixSignal.SIGQUIT }
            .Select(signal => PosixSignalRegistration.Create(signal, context =>
            {
                context.Cancel = true; // the default is to end the process at once
                ended.TrySetResult();
            }))];

    public void Dispose()
    {
        foreach (var signal in signals)
            signal.Dispose();
    }
}
