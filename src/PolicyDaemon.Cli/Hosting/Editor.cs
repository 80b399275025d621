using System.ComponentModel;
using System.Diagnostics;

namespace PolicyDaemon.Cli.Hosting;

/// <summary>The person's own editor: <c>VISUAL</c>, else <c>EDITOR</c>, else what the system has.</summary>
internal static class Editor
{
    private static readonly string[] Usual = ["/usr/bin/sensible-editor", "/usr/bin/editor", "/usr/bin/vi", "/usr/bin/nano"];

    /// <summary>Edits a file at this terminal and returns when the editor ends.</summary>
    /// <exception cref="CommandException">There is none, or it failed.</exception>
    internal static void Run(Func<string, string?> variable, string file)
    {
        var command = Word(variable("VISUAL")) ?? Word(variable("EDITOR")) ?? Usual.FirstOrDefault(File.Exists)
            ?? throw new CommandException(ExitCode.Usage, "there is no editor here; name one in the environment: VISUAL or EDITOR");
        // As other programs do: the variable may hold arguments, and the file's name is one of its own.
        var start = new ProcessStartInfo("/bin/sh", ["-c", command + " \"$1\"", "sh", file]);
        try
        {
            using var process = Process.Start(start) ?? throw new Win32Exception("no process");
            process.WaitForExit();
            if (process.ExitCode != 0)
                throw new CommandException(ExitCode.Invalid, FormattableString.Invariant($"the editor ({command}) ended with {process.ExitCode}"));
        }
        catch (Win32Exception failed)
        {
            throw new CommandException(ExitCode.Invalid, $"the editor ({command}) cannot be run: {failed.Message}");
        }
    }

    private static string? Word(string? value) => string.IsNullOrWhiteSpace(value) ? null : value;
}
