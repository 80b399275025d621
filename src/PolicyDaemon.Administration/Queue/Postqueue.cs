using System.ComponentModel;
using System.Diagnostics;
using PolicyDaemon.Core.Deliveries;

namespace PolicyDaemon.Administration.Queue;

/// <summary>Runs postqueue(1), which any user may ask for what waits unless authorized_mailq_users says otherwise.</summary>
public static class Postqueue
{
    private static readonly string[] Places = ["/usr/sbin", "/usr/local/sbin", "/opt/postfix/sbin"];

    /// <summary>The mail that waits, with maximal_queue_lifetime.</summary>
    /// <returns>Null as for <see cref="Read"/>.</returns>
    public static WaitingMail? Waiting(TimeSpan patience) =>
        Read(patience, WaitingMail.MaxMessages) is var (lines, isWhole) ? WaitingMail.Read(lines, isWhole, Lifetime()) : null;

    /// <summary>What <c>postqueue -j</c> prints, one message a line.</summary>
    /// <param name="patience">How long its output is read.</param>
    /// <param name="most">Lines at most.</param>
    /// <returns>The lines, and whether those are all; null where there is no Postfix, or the user may not see its queue.</returns>
    public static (IReadOnlyList<string> Lines, bool IsWhole)? Read(TimeSpan patience, int most)
    {
        try
        {
            using var process = Start("postqueue", "-j");
            _ = process.StandardError.ReadToEndAsync();
            var lines = new List<string>();
            using var deadline = new CancellationTokenSource(patience);
            if (ReadAsync(process.StandardOutput, lines, most, deadline.Token).GetAwaiter().GetResult())
            {
                process.WaitForExit();
                return process.ExitCode == 0 ? (lines, true) : null;
            }

            process.Kill();
            return (lines, false);
        }
        catch (Win32Exception)
        {
            return null;
        }
    }

    private static TimeSpan? Lifetime()
    {
        try
        {
            using var process = Start("postconf", "-h", "maximal_queue_lifetime");
            _ = process.StandardError.ReadToEndAsync();
            var value = process.StandardOutput.ReadToEnd();
            process.WaitForExit();
            return process.ExitCode == 0 ? WaitingMail.ReadTime(value) : null;
        }
        catch (Win32Exception)
        {
            return null;
        }
    }

    // Debian's ordinary users have no sbin in their path.
    private static Process Start(string program, params string[] arguments)
    {
        var place = Places.Select(folder => Path.Combine(folder, program)).FirstOrDefault(File.Exists) ?? program;
        return Process.Start(new ProcessStartInfo(place, arguments) { RedirectStandardOutput = true, RedirectStandardError = true })
            ?? throw new Win32Exception("no process");
    }

    private static async Task<bool> ReadAsync(StreamReader output, List<string> lines, int most, CancellationToken deadline)
    {
        try
        {
            while (lines.Count <= most)
            {
                if (await output.ReadLineAsync(CancellationToken.None).AsTask().WaitAsync(deadline) is not { } line)
                    return true;
                lines.Add(line);
            }
        }
        catch (OperationCanceledException)
        {
            // The queue is long, or the disk is slow: what was read counts.
        }

        return false;
    }
}
