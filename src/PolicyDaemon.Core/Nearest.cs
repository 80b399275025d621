namespace PolicyDaemon.Core;

/// <summary>Which known word was perhaps meant by an unknown one.</summary>
public static class Nearest
{
    private const int MostSlips = 3;

    // Longer words are no slips of the keyboard, and the distance is quadratic.
    private const int LongestWord = 60;

    /// <summary>The nearest of the known words, or one that begins with what was written.</summary>
    /// <returns>Null where none is near.</returns>
    public static string? Of(string word, IEnumerable<string> known)
    {
        ArgumentNullException.ThrowIfNull(word);
        ArgumentNullException.ThrowIfNull(known);
        if (word.Length > LongestWord)
            return null;
        var names = known.ToList();
        var slips = names.Select(name => (Name: name, Distance: Distance(name, word.ToLowerInvariant())))
            .Where(near => near.Distance <= Math.Min(MostSlips, near.Name.TrimStart('-').Length / 2))
            .OrderBy(near => near.Distance).Select(near => near.Name).FirstOrDefault();
        return slips ?? (word.Length > 2 ? names.Find(name => name.StartsWith(word, StringComparison.OrdinalIgnoreCase)) : null);
    }

    /// <summary><c>; did you mean 'x'?</c>, or nothing.</summary>
    public static string Suggestion(string word, IEnumerable<string> known) => Of(word, known) is { } near ? $"; did you mean '{near}'?" : "";

    /// <summary>The same with all that is known behind it.</summary>
    /// <param name="listed">How the list begins, such as "the levels are".</param>
    public static string Suggestion(string word, IReadOnlyCollection<string> known, string listed) =>
        new Problem(Suggestion(word, known) is { Length: > 0 } near ? near : "", $"{listed} {string.Join(", ", known)}").ToString();

    /// <summary>Insertions, deletions, substitutions and swaps of neighbours that lead from one word to the other.</summary>
    private static int Distance(string left, string right)
    {
        var rows = new int[left.Length + 1, right.Length + 1];
        for (var i = 0; i <= left.Length; i++)
            rows[i, 0] = i;
        for (var j = 0; j <= right.Length; j++)
            rows[0, j] = j;
        for (var i = 1; i <= left.Length; i++)
        {
            for (var j = 1; j <= right.Length; j++)
            {
                var cost = left[i - 1] == right[j - 1] ? 0 : 1;
                var best = Math.Min(Math.Min(rows[i - 1, j] + 1, rows[i, j - 1] + 1), rows[i - 1, j - 1] + cost);
                if (i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1])
                    best = Math.Min(best, rows[i - 2, j - 2] + 1);
                rows[i, j] = best;
            }
        }

        return rows[left.Length, right.Length];
    }
}
