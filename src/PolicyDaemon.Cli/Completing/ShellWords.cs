using System.Text;

namespace PolicyDaemon.Cli.Completing;

/// <summary>The words of an unfinished command line, as a shell would hand them over.</summary>
internal static class ShellWords
{
    /// <summary>Splits at blanks; quotes and backslashes keep together, and are taken away. The last word is the one that is being typed.</summary>
    internal static List<string> Split(string line)
    {
        var words = new List<string>();
        var word = new StringBuilder();
        var begun = false;
        var quote = '\0';
        for (var i = 0; i < line.Length; i++)
        {
            var character = line[i];
            if (quote == '\0' && character is ' ' or '\t' or '\n')
            {
                if (begun)
                    words.Add(word.ToString());
                word.Clear();
                begun = false;
                continue;
            }

            begun = true;
            if (quote == '\0' && character is '\'' or '"')
                quote = character;
            else if (character == quote)
                quote = '\0';
            else if (character == '\\' && quote != '\'' && i + 1 < line.Length)
                word.Append(line[++i]);
            else
                word.Append(character);
        }

        words.Add(word.ToString());
        return words;
    }
}
