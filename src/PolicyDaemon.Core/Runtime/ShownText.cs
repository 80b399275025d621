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
        var marks = default(MarkRun);
        foreach (var rune in text.EnumerateRunes())
        {
            if (!marks.IsTooLongWith(rune) && !IsUnsafe(rune))
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
        var marks = default(MarkRun);
        foreach (var rune in text.EnumerateRunes())
        {
            if (marks.IsTooLongWith(rune) || IsUnsafe(rune))
                return true;
        }

        return false;
    }

    /// <summary>True of a character that moves, turns or hides what stands around it, or that nobody can read.</summary>
    /// <remarks>A lone surrogate arrives as U+FFFD from EnumerateRunes and needs nothing.</remarks>
    public static bool IsUnsafe(Rune rune) => Rune.GetUnicodeCategory(rune)
        is UnicodeCategory.Control or UnicodeCategory.Format or UnicodeCategory.LineSeparator
        or UnicodeCategory.ParagraphSeparator or UnicodeCategory.PrivateUse or UnicodeCategory.OtherNotAssigned || IsBlank(rune.Value);

    // Letters, marks and a symbol that are drawn as nothing (Unicode, Default_Ignorable_Code_Point, and the empty Braille pattern). The two
    // selectors that people write with a sign such as U+26A0 are not among them.
    private static bool IsBlank(int value) => value
        is 0x034f or 0x115f or 0x1160 or 0x17b4 or 0x17b5 or (>= 0x180b and <= 0x180f) or 0x2800 or 0x3164 or (>= 0xfe00 and <= 0xfe0d) or 0xffa0
        or (>= 0xe0100 and <= 0xe01ef);
}

/// <summary>Counts marks that are drawn over or under the character before them: hundreds of them would reach into other lines, and never break.</summary>
public struct MarkRun
{
    // More than any language writes.
    private const int Most = 4;

    private int count;

    /// <summary>Takes the next character of a text.</summary>
    /// <returns>True where it is one mark too many to be shown as it is.</returns>
    public bool IsTooLongWith(Rune rune)
    {
        count = Rune.GetUnicodeCategory(rune) is UnicodeCategory.NonSpacingMark or UnicodeCategory.EnclosingMark or UnicodeCategory.SpacingCombiningMark ? count + 1 : 0;
        return count > Most;
    }
}
