using System.ComponentModel;
using System.Diagnostics;
using System.Text;
using PolicyDaemon.Core.Deliveries;

namespace PolicyDaemon.Administration.Queue;

/// <summary>Runs postqueue(1), which any user may ask for what waits unless authorized_mailq_users says otherwise.</summary>
/// <remarks>Neither it nor postconf(1) can hold up or fill whoever asks: what they print is read for a time and up to a number of octets, and a
/// program that does not end then is ended.</remarks>
public static class Postqueue
{
    // A time value of main.cf is far shorter.
    private const int MaxValue = 4096;

    // After its last octet a program has nothing to do but to end.
    private static readonly TimeSpan ToEnd = TimeSpan.FromSeconds(1);

    /// <summary>The mail that waits, with maximal_queue_lifetime.</summary>
    /// <param name="patience">How long the output of each program is read.</param>
    /// <returns>Null where there is no Postfix, or the user may not see its queue.</returns>
    public static WaitingMail? Waiting(TimeSpan patience) => Waiting(patience, PostfixPrograms.PlaceOf);

    /// <param name="patience">How long the output of each program is read.</param>
    /// <param name="placeOf">Where a program is.</param>
    /// <returns>Null where there is no Postfix, or the user may not see its queue.</returns>
    internal static WaitingMail? Waiting(TimeSpan patience, Func<string, string> placeOf)
    {
        try
        {
            using var process = Start(placeOf("postqueue"), "-j");
            var reader = new WaitingMailReader(Lifetime(patience, placeOf));
            var isWhole = Read(process, octets =>
            {
                reader.Take(octets);
                return reader.TakesMore;
            }, patience);
            return isWhole && !HasSucceeded(process) ? null : reader.End(isWhole);
        }
        catch (Exception fault) when (fault is Win32Exception or IOException)
        {
            return null;
        }
    }

    private static TimeSpan? Lifetime(TimeSpan patience, Func<string, string> placeOf)
    {
        try
        {
            using var process = Start(placeOf("postconf"), "-h", "maximal_queue_lifetime");
            var value = new StringBuilder();
            var isWhole = Read(process, octets =>
            {
                value.Append(Encoding.ASCII.GetString(octets));
                return value.Length < MaxValue;
            }, patience);
            return isWhole && HasSucceeded(process) ? WaitingMail.ReadTime(value.ToString()) : null;
        }
        catch (Exception fault) when (fault is Win32Exception or IOException)
        {
            return null;
        }
    }

    private static Process Start(string program, params string[] arguments)
    {
        var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true })
            ?? throw new Win32Exception("no process");
        process.StandardInput.Close();
        _ = DropAsync(process.StandardError.BaseStream);
        return process;
    }

    /// <returns>True where the program printed everything; otherwise it is ended.</returns>
    private static bool Read(Process process, Taker take, TimeSpan patience)
    {
        using var deadline = new CancellationTokenSource(patience);
        try
        {
            if (ReadAsync(process.StandardOutput.BaseStream, take, deadline.Token).GetAwaiter().GetResult() && process.WaitForExit(ToEnd))
                return true;
        }
        catch (OperationCanceledException)
        {
            // The queue is long, or the disk is slow: what was read counts.
        }

        End(process);
        return false;
    }

    private static async Task<bool> ReadAsync(Stream output, Taker take, CancellationToken deadline)
    {
        var octets = new byte[64 * 1024];
        while (true)
        {
            // A read of a pipe is not always one that can be cancelled; it ends with the program.
            var count = await output.ReadAsync(octets, CancellationToken.None).AsTask().WaitAsync(deadline).ConfigureAwait(false);
            if (count == 0)
                return true;
            if (!take(octets.AsSpan(0, count)))
                return false;
        }
    }

    private static bool HasSucceeded(Process process) => process is { HasExited: true, ExitCode: 0 };

    private static void End(Process process)
    {
        try
        {
            process.Kill();
        }
        catch (Exception fault) when (fault is InvalidOperationException or Win32Exception)
        {
            // It has ended meanwhile; or it may not be ended from here.
        }
    }

    private static async Task DropAsync(Stream errors)
    {
        try
        {
            await errors.CopyToAsync(Stream.Null).ConfigureAwait(false);
        }
        catch (Exception fault) when (fault is IOException or ObjectDisposedException)
        {
            // The program was ended.
        }
    }

    /// <returns>False where no more is taken.</returns>
    private delegate bool Taker(ReadOnlySpan<byte> octets);
}

/// <summary>Where the programs of Postfix are: ordinary users of Debian have no sbin in their path.</summary>
public static class PostfixPrograms
{
    private static readonly string[] Places = ["/usr/sbin", "/usr/local/sbin", "/opt/postfix/sbin"];

    /// <returns>The path of the program, or its name, to be looked for in PATH.</returns>
    public static string PlaceOf(string program) => Places.Select(folder => Path.Combine(folder, program)).FirstOrDefault(File.Exists) ?? program;
}
