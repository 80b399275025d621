using System.ComponentModel;
using System.Diagnostics;
using PolicyDaemon.Administration.Queue;
using PolicyDaemon.Core.Deliveries;

namespace PolicyDaemon.Cli.Hosting;

/// <summary>Runs Postfix's own tools.</summary>
internal interface IPostfixTools
{
    /// <summary>Runs <c>postconf</c> with these arguments and returns what it prints.</summary>
    /// <exception cref="CommandException">There is no postconf, or it failed.</exception>
    string Postconf(IReadOnlyList<string> arguments);

    /// <summary>Makes a running Postfix read its configuration again; one that does not run needs nothing.</summary>
    /// <param name="directory">The configuration directory of that Postfix; null for the default one.</param>
    void Reload(string? directory);

    /// <summary>Runs <c>postqueue -j</c>.</summary>
    /// <param name="patience">How long its output is read.</param>
    /// <returns>The lines of its output, and whether those are all; null where there is no Postfix, or the user may not see its queue.</returns>
    (IReadOnlyList<string> Lines, bool IsWhole)? Queue(TimeSpan patience);
}

/// <summary>postconf(1) and postfix(1) of the machine's Postfix.</summary>
internal sealed class PostconfTools : IPostfixTools
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(20);
    private static readonly string[] Places = ["/usr/sbin", "/usr/local/sbin"];

    public string Postconf(IReadOnlyList<string> arguments)
    {
        var (code, output, error) = Run("postconf", arguments);
        if (code != 0 && error.Contains("/main.cf: No such file", StringComparison.Ordinal))
            throw new CommandException(ExitCode.Invalid, $"{Missing(error)}: there is no such file; name the directory of Postfix's configuration with --postfix, such as /etc/postfix");
        return code == 0 ? output : throw new CommandException(
            error.Contains("Permission denied", StringComparison.Ordinal) ? ExitCode.Permission : ExitCode.Invalid,
            $"postconf {string.Join(' ', arguments)}: {error.Trim()}");
    }

    public void Reload(string? directory)
    {
        string[] at = directory is null ? [] : ["-c", directory];
        if (Run("postfix", [.. at, "status"]).Code != 0)
            return;
        var (code, _, error) = Run("postfix", [.. at, "reload"]);
        if (code != 0)
            throw new CommandException(ExitCode.Invalid, $"postfix reload: {error.Trim()}");
    }

    public (IReadOnlyList<string> Lines, bool IsWhole)? Queue(TimeSpan patience) => Postqueue.Read(patience, WaitingMail.MaxMessages);

    /// <summary>The file in <c>postconf: fatal: open /etc/postfix/main.cf: No such file or directory</c>.</summary>
    private static string Missing(string error) => error.Split("open ", 2)[^1].Split(": No such file", 2)[0];

    // Debian's ordinary users have no sbin in their path.
    private static string PlaceOf(string program) => Places.Select(folder => Path.Combine(folder, program)).FirstOrDefault(File.Exists) ?? program;

    private static (int Code, string Output, string Error) Run(string program, IReadOnlyList<string> arguments)
    {
        var start = new ProcessStartInfo(PlaceOf(program), arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
        try
        {
            using var process = Process.Start(start) ?? throw new Win32Exception("no process");
            var error = process.StandardError.ReadToEndAsync();
            var output = process.StandardOutput.ReadToEndAsync();
            if (!process.WaitForExit(Deadline))
            {
                process.Kill();
                throw new CommandException(ExitCode.Inconclusive, $"{program} did not finish within {Deadline.TotalSeconds} s");
            }

            return (process.ExitCode, output.GetAwaiter().GetResult(), error.GetAwaiter().GetResult());
        }
        catch (Win32Exception)
        {
            throw new CommandException(
                ExitCode.Invalid, $"there is no {program} here; run setup on the machine where Postfix is, or install Postfix");
        }
    }
}
