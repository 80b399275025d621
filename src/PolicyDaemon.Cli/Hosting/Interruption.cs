using System.Runtime.InteropServices;

namespace PolicyDaemon.Cli.Hosting;

/// <summary>Ctrl-C or SIGTERM while a command works: the results so far are kept and reported. A second one ends the program at once.</summary>
internal sealed class Interruption : IDisposable
{
    private readonly CancellationTokenSource source = new();
    private readonly List<PosixSignalRegistration> registrations = [];

    public CancellationToken Token => source.Token;

    /// <summary>An interruption by SIGINT or SIGTERM.</summary>
    internal static Interruption OfSignals()
    {
        var interruption = new Interruption();
        foreach (var signal in (PosixSignal[])[PosixSignal.SIGINT, PosixSignal.SIGTERM])
            interruption.registrations.Add(PosixSignalRegistration.Create(signal, interruption.Take));
        return interruption;
    }

    public void Interrupt() => source.Cancel();

    public void Dispose()
    {
        registrations.ForEach(registration => registration.Dispose());
        source.Dispose();
    }

    private void Take(PosixSignalContext context)
    {
        if (source.IsCancellationRequested)
            return;
        context.Cancel = true;
        source.Cancel();
    }
}
