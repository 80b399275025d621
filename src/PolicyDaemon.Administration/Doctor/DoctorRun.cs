namespace PolicyDaemon.Administration.Doctor;

/// <summary>Makes checks beside each other, each for a time of its own: one that hangs or breaks is a finding, and the others are made all the same.</summary>
public sealed class DoctorRun(TimeProvider time)
{
    private readonly List<(string Check, Task<IReadOnlyList<DoctorFinding>> Task)> running = [];

    /// <summary>Begins a check.</summary>
    /// <param name="check">Its word, for the finding that it did not end.</param>
    /// <param name="patience">How long it may take.</param>
    /// <param name="look">Looks and judges, on a thread of the pool.</param>
    /// <param name="cancellation">Ends it without a result.</param>
    public void Begin(string check, TimeSpan patience, Func<CancellationToken, Task<IReadOnlyList<DoctorFinding>>> look, CancellationToken cancellation) =>
        running.Add((check, RunAsync(check, patience, look, cancellation)));

    /// <inheritdoc cref="Begin(string, TimeSpan, Func{CancellationToken, Task{IReadOnlyList{DoctorFinding}}}, CancellationToken)"/>
    public void Begin(string check, TimeSpan patience, Func<IEnumerable<DoctorFinding>> look, CancellationToken cancellation) =>
        Begin(check, patience, _ => Task.FromResult<IReadOnlyList<DoctorFinding>>([.. look()]), cancellation);

    /// <summary>Waits for all that was begun, and returns the findings in the order in which the checks were.</summary>
    public async Task<IReadOnlyList<DoctorFinding>> EndAsync()
    {
        var findings = new List<DoctorFinding>();
        foreach (var (_, task) in running)
            findings.AddRange(await task);
        return findings;
    }

#pragma warning disable CA1031 // a check that breaks an assumption costs its own line of the list and no other
    private async Task<IReadOnlyList<DoctorFinding>> RunAsync(
        string check, TimeSpan patience, Func<CancellationToken, Task<IReadOnlyList<DoctorFinding>>> look, CancellationToken cancellation)
    {
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        try
        {
            return await Task.Run(() => look(ended.Token), ended.Token).WaitAsync(patience, time, cancellation);
        }
        catch (TimeoutException)
        {
            // What still hangs in a system call is left behind; it ends with the program.
            await ended.CancelAsync();
            return [DoctorFinding.Unknown(check, FormattableString.Invariant($"it did not end within {patience.TotalSeconds:0.#} s, so that nothing is known of it"))];
        }
        catch (Exception fault) when (!cancellation.IsCancellationRequested)
        {
            return [DoctorFinding.Unknown(check, $"it could not be looked at: {fault.Message}")];
        }
    }
#pragma warning restore CA1031
}
