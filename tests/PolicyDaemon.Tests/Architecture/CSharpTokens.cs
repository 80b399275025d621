namespace PolicyDaemon.Tests.Architecture;

/// <summary>The identifiers and punctuation of a C# source, without comments and without the text of strings.</summary>
/// <remarks>The code in the holes of an interpolated string is code. A number yields nothing, a verbatim identifier its name.</remarks>
internal static class CSharpTokens
{
    public static IEnumerable<string> Of(string source)
    {
        var at = 0;
        var tokens = new List<string>();
        Read(source, ref at, tokens, untilBrace: false);
        return tokens;
    }

    private static void Read(string source, ref int at, List<string> tokens, bool untilBrace)
    {
        var depth = 0;
        while (at < source.Length)
        {
            var character = source[at];
            if (untilBrace && depth == 0 && character is '}')
                return;
            if (IsAt(source, at, "//"))
                at = End(source, source.IndexOf('\n', at), 0);
            else if (IsAt(source, at, "/*"))
                at = End(source, source.IndexOf("*/", at + 2, StringComparison.Ordinal), 2);
            else if (character == '#' && StartsLine(source, at))
                at = End(source, source.IndexOf('\n', at), 0);
            else if (character == '\'')
                SkipCharacter(source, ref at);
            else if (TryString(source, ref at, tokens))
                continue;
            else if (char.IsLetter(character) || character == '_')
                tokens.Add(Take(source, ref at));
            else if (char.IsDigit(character))
                Take(source, ref at);
            else
            {
                depth += character switch { '{' or '(' or '[' => 1, '}' or ')' or ']' => -1, _ => 0 };
                if (!char.IsWhiteSpace(character) && character != '@')
                    tokens.Add(character.ToString());
                at++;
            }
        }
    }

    /// <summary>Skips a string of any form, reading the holes of an interpolated one.</summary>
    private static bool TryString(string source, ref int at, List<string> tokens)
    {
        var start = at;
        var dollars = 0;
        var verbatim = false;
        for (; start < source.Length && source[start] is '$' or '@'; start++)
        {
            dollars += source[start] == '$' ? 1 : 0;
            verbatim |= source[start] == '@';
        }

        if (start == source.Length || source[start] != '"')
            return false;
        var quotes = Count(source, start, '"');
        var isRaw = quotes >= 3;
        at = start + (isRaw ? quotes : 1);
        while (at < source.Length)
        {
            if (source[at] == '"' && (!isRaw || Count(source, at, '"') >= quotes))
            {
                if (!isRaw && verbatim && IsAt(source, at, "\"\""))
                {
                    at += 2;
                    continue;
                }

                at += isRaw ? quotes : 1;
                return true;
            }

            if (source[at] == '\\' && !isRaw && !verbatim)
                at += 2;
            else if (source[at] == '{' && dollars > 0)
                Hole(source, ref at, tokens, isRaw ? dollars : 1, isRaw);
            else
                at++;
        }

        return true;
    }

    private static void Hole(string source, ref int at, List<string> tokens, int braces, bool isRaw)
    {
        var count = Count(source, at, '{');
        // Two braces stand for one; in a raw string fewer than it has dollars are text.
        if (isRaw ? count < braces : count % 2 == 0)
        {
            at += count;
            return;
        }

        at += count;
        Read(source, ref at, tokens, untilBrace: true);
        at += isRaw ? braces : 1;
    }

    private static void SkipCharacter(string source, ref int at)
    {
        at++;
        while (at < source.Length && source[at] != '\'')
            at += source[at] == '\\' ? 2 : 1;
        at++;
    }

    private static string Take(string source, ref int at)
    {
        var start = at;
        while (at < source.Length && (char.IsLetterOrDigit(source[at]) || source[at] == '_'))
            at++;
        return source[start..at];
    }

    private static bool StartsLine(string source, int at) => source[..at].TrimEnd(' ', '\t') is "" or [.., '\n'];

    private static bool IsAt(string source, int at, string text) => string.CompareOrdinal(source, at, text, 0, text.Length) == 0;

    private static int End(string source, int found, int length) => found < 0 ? source.Length : found + length;

    private static int Count(string source, int at, char character)
    {
        var end = at;
        while (end < source.Length && source[end] == character)
            end++;
        return end - at;
    }
}
