namespace PolicyDaemon.Cli.Output;

/// <summary>Text in lines that fit.</summary>
internal static class Wrapping
{
    // Narrower than this, breaking makes nothing easier to read.
    private const int Narrowest = 20;

    /// <summary>Broken at blanks; a word that is longer than a line stays whole, so that it can be copied.</summary>
    /// <param name="width">Columns; below 20: all in one line.</param>
    internal static IReadOnlyList<string> Break(string text, int width)
    {
        if (width < Narrowest || text.Length <= width)
            return [text];
        var lines = new List<string>();
        var line = "";
        foreach (var word in text.Split(' '))
        {
            if (line.Length > 0 && line.Length + 1 + word.Length > width)
            {
                lines.Add(line);
                line = word;
            }
            else
            {
                line = line.Length == 0 ? word : line + ' ' + word;
            }
        }

        lines.Add(line);
        return lines;
    }
}
