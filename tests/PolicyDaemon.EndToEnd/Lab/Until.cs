using System.Diagnostics;

namespace PolicyDaemon.EndToEnd.Lab;

/// <summary>Awaits conditions. The deadline is generous, because it only decides how long a failure takes.</summary>
public static class Until
{
    public static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(25);

    /// <summary>Asks until the answer is not null.</summary>
    /// <param name="what">Completes the sentence "waited in vain until ...".</param>
    /// <param name="ask">The question, asked again and again.</param>
    /// <param name="evidence">What helps to see why, added to the failure.</param>
    /// <param name="deadline">How long to keep asking, if not <see cref="Deadline"/>.</param>
    public static async Task<T> ResultAsync<T>(
        string what, Func<Task<T?>> ask, Func<string>? evidence = null, TimeSpan? deadline = null)
        where T : class
    {
        var watch = Stopwatch.StartNew();
        while (true)
        {
            if (await ask() is { } answer) return answer;
            if (watch.Elapsed > (deadline ?? Deadline))
            {
                throw new TimeoutException($"waited {watch.Elapsed.TotalSeconds:F0} s in vain until {what}\n{evidence?.Invoke()}");
            }

            await Task.Delay(Pause, TestContext.Current.CancellationToken);
        }
    }

    /// <summary>Asks until the answer is true.</summary>
    public static Task TrueAsync(string what, Func<Task<bool>> ask, Func<string>? evidence = null, TimeSpan? deadline = null) =>
        ResultAsync(what, async () => await ask() ? "yes" : null, evidence, deadline);
}
