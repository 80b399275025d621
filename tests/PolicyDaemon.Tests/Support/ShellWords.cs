using System.Diagnostics;

namespace PolicyDaemon.Tests.Support;

/// <summary>What a person's shell makes of a command that a program printed.</summary>
internal static class ShellWords
{
    /// <summary>The words that /bin/sh sees, in a directory with a file for each character of the command, so that a bracket that is not quoted matches one.</summary>
    internal static string[] Of(string command)
    {
        var directory = Directory.CreateTempSubdirectory("policydaemon-glob").FullName;
        try
        {
            foreach (var name in command.Where(character => char.IsAsciiLetterOrDigit(character) || character == ':').Distinct())
                File.WriteAllText(Path.Combine(directory, name.ToString()), "");
            var start = new ProcessStartInfo("/bin/sh") { WorkingDirectory = directory, RedirectStandardOutput = true };
            start.ArgumentList.Add("-c");
            start.ArgumentList.Add($"set -- {command}\nfor word; do printf '%s\\n' \"$word\"; done");
            using var shell = Process.Start(start)!;
            var words = shell.StandardOutput.ReadToEnd();
            shell.WaitForExit();
            return words.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }
}
