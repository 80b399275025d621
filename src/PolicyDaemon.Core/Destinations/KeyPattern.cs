using System.Text;

namespace PolicyDaemon.Core.Destinations;

/// <summary>A pattern over keys: <c>*</c> is any characters, <c>?</c> is one. Without either it is a key, in any spelling of it.</summary>
/// <remarks>An asterisk alone is the key of an entry where keys are meant, and <c>**</c> is all of them. Keys are kept in lower case and A-labels, and people write neither: <c>MÜN*</c> means those whose U-labels begin so.</remarks>
public sealed class KeyPattern
{
    private readonly string text;
    private readonly bool isShown;

    /// <param name="pattern">What a person wrote.</param>
    public KeyPattern(string pattern)
    {
        ArgumentNullException.ThrowIfNull(pattern);
        Given = pattern;
        if (!IsPattern(pattern) && NextHop.TryParse(pattern, out var key, out _))
        {
            text = key.Text;
            return;
        }

        // One final dot of a name is the root's; a pattern that ends in several means something else.
        text = pattern.Trim().ToLowerInvariant();
        if (text.EndsWith('.') && !text.EndsWith("..", StringComparison.Ordinal) && text.Length > 1)
            text = text[..^1];
        isShown = !Ascii.IsValid(text);
    }

    /// <summary>The pattern as it was written.</summary>
    public string Given { get; }

    /// <summary>The pattern over canonical keys; null where it speaks of U-labels, and <see cref="Matches"/> alone can tell.</summary>
    public string? Canonical => isShown ? null : text;

    /// <summary>True where a word is a pattern and no key.</summary>
    public static bool IsPattern(string word)
    {
        ArgumentNullException.ThrowIfNull(word);
        return word.AsSpan().ContainsAny('*', '?');
    }

    public bool Matches(NextHop key) => IsMatch(text, isShown ? key.ToDisplayString() : key.Text);

    /// <summary>Matches greedily and backtracks to the last asterisk only, so that no pattern takes longer than the lengths' product.</summary>
    private static bool IsMatch(ReadOnlySpan<char> pattern, ReadOnlySpan<char> word)
    {
        int at = 0, star = -1, mark = 0, i = 0;
        while (i < word.Length)
        {
            if (at < pattern.Length && pattern[at] == '*')
            {
                (star, mark) = (at++, i);
            }
            else if (at < pattern.Length && (pattern[at] == '?' || pattern[at] == word[i]))
            {
                at++;
                i++;
            }
            else if (star >= 0)
            {
                at = star + 1;
                i = ++mark;
            }
            else
            {
                return false;
            }
        }

        return pattern[at..].TrimStart('*').IsEmpty;
    }
}
