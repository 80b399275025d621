namespace PolicyDaemon.Core.Destinations;

/// <summary>Quotes arguments of command lines that a person will paste into a shell: to a shell a key in brackets is a pattern.</summary>
public static class Shell
{
    /// <summary>Returns the argument as it is where no shell would change it, otherwise in single quotes.</summary>
    public static string Quote(string word)
    {
        ArgumentNullException.ThrowIfNull(word);
        // A leading = names a program to zsh.
        return word.Length > 0 && word[0] != '=' && word.All(character => char.IsAsciiLetterOrDigit(character) || character is '-' or '_' or '.' or '/' or ':' or '@' or '=' or '+')
            ? word
            : "'" + word.Replace("'", "'\\''", StringComparison.Ordinal) + "'";
    }
}
