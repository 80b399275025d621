using System.Globalization;
using System.Text;
using PolicyDaemon.Core.Runtime;

namespace PolicyDaemon.Pages.Markup;

/// <summary>Text that people and peers wrote, made safe for a page.</summary>
/// <remarks>
/// <code>
/// &amp; &lt; &gt; " '                         character references
/// control characters              their pictures, Unicode's U+2400 to U+2421: ␛, ␀, ␍
/// what turns or hides text        \u{202E}, as everywhere (ShownText)
/// a fifth mark on a character     \u{0301}, and each that follows
/// longer than the limit           cut, with an ellipsis
/// </code>
/// </remarks>
internal static class ShownCharacters
{
    /// <summary>The most characters of a text that was not said to be shown whole.</summary>
    internal const int Longest = 600;

    private const int Pictures = 0x2400; // Unicode, block Control Pictures
    private const int Delete = 0x7f;
    private const int PictureOfDelete = 0x2421;

    internal static void Append(StringBuilder markup, string text, int longest)
    {
        if (text.Length <= longest && !NeedsWork(text))
        {
            markup.Append(text);
            return;
        }

        var left = longest;
        var marks = default(MarkRun);
        foreach (var rune in text.EnumerateRunes())
        {
            if (left-- == 0)
            {
                markup.Append('…');
                return;
            }

            Append(markup, rune, marks.IsTooLongWith(rune));
        }
    }

    private static void Append(StringBuilder markup, Rune rune, bool isHidden)
    {
        switch (rune.Value)
        {
            case '&':
                markup.Append("&amp;");
                break;
            case '<':
                markup.Append("&lt;");
                break;
            case '>':
                markup.Append("&gt;");
                break;
            case '"':
                markup.Append("&quot;");
                break;
            case '\'':
                markup.Append("&#39;");
                break;
            case < ' ':
                markup.Append((char)(Pictures + rune.Value));
                break;
            case Delete:
                markup.Append((char)PictureOfDelete);
                break;
            default:
                if (isHidden || ShownText.IsUnsafe(rune))
                    markup.Append(CultureInfo.InvariantCulture, $"\\u{{{rune.Value:X4}}}");
                else
                    markup.Append(rune);
                break;
        }
    }

    private static bool NeedsWork(string text)
    {
        foreach (var character in text)
        {
            if (character is < ' ' or > '~' or '&' or '<' or '>' or '"' or '\'')
                return true;
        }

        return false;
    }
}
