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

    /// <summary>Asks for the mail that waits, with maximal_queue_lifetime.</summary>
    /// <param name="patience">How long what the tools print is read.</param>
    /// <returns>Null where there is no Postfix, or the user may not see its queue.</returns>
    WaitingMail? Waiting(TimeSpan patience);
}

/// <summary>postconf(1) and postfix(1) of the machine's Postfix.</summary>
internal sealed class PostconfTools : IPostfixTools
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(20);

    public string Postconf(IReadOnlyList<string> arguments)
    {
        var (code, output, error) = Run("postconf", arguments);
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

    public WaitingMail? Waiting(TimeSpan patience) => Postqueue.Waiting(patience);

    private static (int Code, string Output, string Error) Run(string program, IReadOnlyList<string> arguments)
    {
        var start = new ProcessStartInfo(PostfixPrograms.PlaceOf(program), arguments) { RedirectStandardOutput = true, RedirectStandardError = true };
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
