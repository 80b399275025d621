namespace PolicyDaemon.Core.Policies;

/// <summary>Splits the text of a policy into its level and attributes, as Postfix does (util/mystrtok.c).</summary>
internal ref struct PolicyTokens
{
    private const string Separators = ", \t\r\n"; // CHARS_COMMA_SP

    private readonly ReadOnlySpan<char> text;
    private readonly bool withBraces;
    private int next;

    /// <param name="text">The policy text.</param>
    /// <param name="withBraces">Whether braces keep blanks and commas together: from Postfix 3.10.</param>
    internal PolicyTokens(ReadOnlySpan<char> text, bool withBraces)
    {
        this.text = text;
        this.withBraces = withBraces;
    }

    /// <summary>Where the current token begins.</summary>
    internal int Offset { get; private set; }

    internal bool TryNext(out ReadOnlySpan<char> token)
    {
        while (next < text.Length && Separators.Contains(text[next]))
            next++;
        Offset = next;
        var depth = 0;
        for (; next < text.Length; next++)
        {
            if (depth == 0 && Separators.Contains(text[next]))
                break;
            if (withBraces)
                depth += text[next] == '{' ? 1 : text[next] == '}' && depth > 0 ? -1 : 0;
        }

        token = text[Offset..next];
        return !token.IsEmpty;
    }
}
