namespace PolicyDaemon.Cli.Setup;

/// <summary>Writes words for a command line that a person will paste.</summary>
internal static class Shell
{
    /// <summary>The word as it is where no shell would touch it, else in single quotes.</summary>
    internal static string Quote(string word) =>
        word.Length > 0 && word.All(character => char.IsAsciiLetterOrDigit(character) || character is '-' or '_' or '.' or '/' or ':' or '@' or '=' or '+')
            ? word
            : "'" + word.Replace("'", "'\\''", StringComparison.Ordinal) + "'";
}
