namespace PolicyDaemon.Core.Destinations;

/// <summary>Words of a command line that a person will paste into a shell: a key in brackets is a pattern to every one of them.</summary>
public static class Shell
{
    /// <summary>The word as it is where no shell would touch it, else in single quotes.</summary>
    public static string Quote(string word)
    {
        ArgumentNullException.ThrowIfNull(word);
        return word.Length > 0 && word.All(character => char.IsAsciiLetterOrDigit(character) || character is '-' or '_' or '.' or '/' or ':' or '@' or '=' or '+')
            ? word
            : "'" + word.Replace("'", "'\\''", StringComparison.Ordinal) + "'";
    }
}
