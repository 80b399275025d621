using System.Text.RegularExpressions;

namespace PolicyDaemon.EndToEnd.Lab;

/// <summary>A person at a terminal of 80 columns, who pastes lines into bash and reads what comes.</summary>
/// <remarks><c>policyctl</c> there works for one daemon, as the one in /usr/bin works for the configuration in /etc.</remarks>
public sealed partial class Terminal
{
    private const string NextLabel = "Next: ";

    private readonly Sandbox _sandbox;
    private readonly string _configuration;
    private readonly string _programs;

    private Terminal(Sandbox sandbox, string configuration, string programs) =>
        (_sandbox, _configuration, _programs) = (sandbox, configuration, programs);

    /// <param name="name">A folder of this name in the sandbox has the program.</param>
    internal static async Task<Terminal> OfAsync(Sandbox sandbox, Policyd policyd, string name)
    {
        var programs = Directory.CreateDirectory(Path.Combine(sandbox.Folder, name)).FullName;
        var program = Path.Combine(programs, "policyctl");
        await File.WriteAllTextAsync(program, $"""
            #!/bin/sh
            case " $* " in
                *" --config "*) exec {sandbox.Folder}/bin/policyctl "$@" ;;
                *) exec {sandbox.Folder}/bin/policyctl --config {policyd.ConfigurationFile} "$@" ;;
            esac

            """);
        File.SetUnixFileMode(program, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        return new Terminal(sandbox, policyd.ConfigurationFile, programs);
    }

    /// <summary>Pastes a line and waits until the prompt is back.</summary>
    /// <returns>What stands on the terminal then, without colour.</returns>
    public async Task<string> PasteAsync(string line)
    {
        // -e: the exit status is the line's; it is read from the result, since a line that fails tells what to do next, too.
        var result = await _sandbox.RunAsync(
            ["env", $"PATH={_programs}:/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm", "script", "-qec", $"stty cols 80 rows 40; {line}", "/dev/null"]);
        return Controls().Replace(result.Output, "");
    }

    /// <summary>The command that a line of the output names as the next one; null where none does.</summary>
    public static string? Next(string said)
    {
        ArgumentNullException.ThrowIfNull(said);
        return said.Split('\n').Where(line => line.StartsWith(NextLabel, StringComparison.Ordinal)).Select(line => line[NextLabel.Length..].Trim()).SingleOrDefault();
    }

    /// <summary>A command as it would be without the laboratory, whose configuration is named in it.</summary>
    public string Plain(string command)
    {
        ArgumentNullException.ThrowIfNull(command);
        return command.Replace($" --config {_configuration}", "", StringComparison.Ordinal);
    }

    [GeneratedRegex(@"\x1b\[[0-9;?]*[A-Za-z]|\r")]
    private static partial Regex Controls();
}
