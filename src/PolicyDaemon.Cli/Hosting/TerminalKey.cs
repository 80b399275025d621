using System.ComponentModel;
using System.Diagnostics;
using Microsoft.Win32.SafeHandles;

namespace PolicyDaemon.Cli.Hosting;

/// <summary>Waits for a key at the terminal, whichever it is.</summary>
/// <remarks>A terminal hands a program whole lines. For a single key stty(1) switches that off, and back on; where there is no stty, Enter is
/// the key. Ctrl-C and Ctrl-Z are keys meanwhile, since a program that is stopped or ended by them would leave the terminal as it is then. Neither goes through .NET's console, which would send the terminal what nothing takes back.</remarks>
internal static class TerminalKey
{
    internal static async Task Pressed(CancellationToken cancellation)
    {
        var before = Stty("-g")?.Trim();
        try
        {
            if (before is not null)
                Stty("-icanon", "-echo", "-isig", "min", "0", "time", "2");
            var reading = Task.Run(() => Read(isRaw: before is not null, cancellation), CancellationToken.None);
            // Whole lines are waited for without an end: whoever wants this to end does not wait for it.
            await (before is null ? reading.WaitAsync(cancellation) : reading);
        }
        finally
        {
            if (before is { Length: > 0 })
                Stty(before);
        }
    }

    // Without a key a read ends after two tenths of a second, so that whoever wants this to end need not press one.
    private static void Read(bool isRaw, CancellationToken cancellation)
    {
        using var input = new FileStream(new SafeFileHandle(0, ownsHandle: false), FileAccess.Read, bufferSize: 0);
        Span<byte> key = stackalloc byte[16];
        while (!cancellation.IsCancellationRequested)
        {
            if (input.Read(key) > 0 || !isRaw)
                return;
        }
    }

    private static string? Stty(params IReadOnlyList<string> arguments)
    {
        try
        {
            using var process = Process.Start(new ProcessStartInfo("stty", arguments) { RedirectStandardOutput = true, RedirectStandardError = true });
            if (process is null)
                return null;
            var output = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            return process.ExitCode == 0 ? output : null;
        }
        catch (Win32Exception)
        {
            return null;
        }
    }
}
