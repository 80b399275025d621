using System.Diagnostics;
using System.Runtime.CompilerServices;
using Xunit;

namespace PolicyDaemon.Tests.Support;

/// <summary>Awaits conditions that another thread makes true. The one way to wait in these tests: bounded, and a wait in vain says for what.</summary>
internal static class Until
{
    /// <summary>The longest wait. It is generous, because it only decides how long a failure takes.</summary>
    internal static readonly TimeSpan Deadline = TimeSpan.FromSeconds(60);

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(2);

    /// <summary>Asks until the condition holds.</summary>
    /// <param name="condition">The condition, asked again and again.</param>
    /// <param name="pass">What lets the world go on before each further question, such as a poll or a step of a clock by hand.</param>
    /// <param name="what">The condition's text, for the message.</param>
    /// <exception cref="TimeoutException">It did not hold within <see cref="Deadline"/>.</exception>
    internal static async Task TrueAsync(Func<bool> condition, Action? pass = null, [CallerArgumentExpression(nameof(condition))] string what = "")
    {
        var watch = Stopwatch.StartNew();
        while (!condition())
        {
            if (watch.Elapsed > Deadline)
                throw new TimeoutException($"waited {Deadline.TotalSeconds:F0} s in vain until {what}");
            pass?.Invoke();
            await Task.Delay(Pause, TestContext.Current.CancellationToken);
        }
    }
}
