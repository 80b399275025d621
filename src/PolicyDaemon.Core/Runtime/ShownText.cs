using System.Globalization;
using System.Text;

namespace PolicyDaemon.Core.Runtime;

/// <summary>Text that people, tables and peers wrote, made safe to show.</summary>
public static class ShownText
{
    /// <summary>
    /// Control characters and the invisible ones that turn or hide text become <c>\t</c>, <c>\n</c> or <c>\u{200B}</c>, so that
    /// nothing shown can move the cursor, colour the screen or pass for something else.
    /// </summary>
    public static string Escape(string text)
    {
        if (!NeedsEscape(text))
            return text;
        var builder = new StringBuilder(text.Length + 16);
        foreach (var rune in text.EnumerateRunes())
        {
            if (!IsUnsafe(rune))
                builder.Append(rune);
            else if (rune.Value is '\t' or '\n' or '\r')
                builder.Append(rune.Value == '\t' ? "\\t" : rune.Value == '\n' ? "\\n" : "\\r");
            else
                builder.Append(CultureInfo.InvariantCulture, $"\\u{{{rune.Value:X4}}}");
        }

        return builder.ToString();
    }

    private static bool NeedsEscape(string text)
    {
        if (!text.AsSpan().ContainsAnyExceptInRange(' ', '~'))
            return false;
        foreach (var rune in text.EnumerateRunes())
        {
            if (IsUnsafe(rune))
                return true;
        }

        return false;
    }

    /// <summary>True of a character that moves, turns or hides what stands around it, or that nobody can read.</summary>
    /// <remarks>A lone surrogate arrives as U+FFFD from EnumerateRunes and needs nothing.</remarks>
    public static bool IsUnsafe(Rune rune) => Rune.GetUnicodeCategory(rune)
        is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator
        or UnicodeCategory.ParagraphSeparator or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned;
}
