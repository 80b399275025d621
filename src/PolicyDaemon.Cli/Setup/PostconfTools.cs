using System.ComponentModel;
using System.Diagnostics;

namespace PolicyDaemon.Cli.Setup;

/// <summary>postconf(1) of the machine's Postfix.</summary>
internal sealed class PostconfTools : IPostfixTools
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(20);
    private static readonly string[] Places = ["/usr/sbin/postconf", "/usr/local/sbin/postconf"];

    public string Postconf(IReadOnlyList<string> arguments)
    {
        // Debian's ordinary users have no sbin in their path.
        var start = new ProcessStartInfo(Places.FirstOrDefault(File.Exists) ?? "postconf", arguments)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        try
        {
            using var process = Process.Start(start) ?? throw new Win32Exception("no process");
            var error = process.StandardError.ReadToEndAsync();
            var output = process.StandardOutput.ReadToEndAsync();
            if (!process.WaitForExit(Deadline))
            {
                process.Kill();
                throw new CommandException(ExitCode.Inconclusive, $"postconf did not finish within {Deadline.TotalSeconds} s");
            }

            if (process.ExitCode != 0)
                throw new CommandException(ExitCode.Invalid, $"postconf {string.Join(' ', arguments)}: {error.GetAwaiter().GetResult().Trim()}");
            return output.GetAwaiter().GetResult();
        }
        catch (Win32Exception)
        {
            throw new CommandException(
                ExitCode.Invalid, "there is no postconf here; run setup on the machine where Postfix is, or install Postfix");
        }
    }
}
