using System.Runtime.CompilerServices;
using System.Text;

namespace PolicyDaemon.Pages.Markup;

/// <summary>A piece of HTML. Whatever is put into one and is none itself is escaped; see <see cref="HtmlHandler"/>.</summary>
/// <remarks>
/// <code>
/// Html.Of($"&lt;td title=\"{name}\"&gt;{name}&lt;/td&gt;")     name is text: escaped, for the element and for the quoted attribute alike
/// Html.Of($"&lt;tr&gt;{cells}&lt;/tr&gt;")                  cells is HTML, or several: put in as it is
/// </code>
/// There is no way to make one of a string that was put together at run time, so that the text of a peer cannot become markup by mistake.
/// </remarks>
public readonly struct Html : IEquatable<Html>
{
    private readonly string? markup;

    private Html(string markup) => this.markup = markup;

    /// <summary>Nothing.</summary>
    public static Html Empty => default;

    /// <summary>True where there is nothing.</summary>
    public bool IsEmpty => string.IsNullOrEmpty(markup);

    /// <summary>Markup from an interpolated string whose holes are escaped.</summary>
    public static Html Of(HtmlHandler markup) => new(markup.Take());

    /// <summary>Text that is shown whole, however long; text in a hole is cut after <see cref="ShownCharacters.Longest"/> characters.</summary>
    public static Html Whole(string text)
    {
        var escaped = new StringBuilder(text.Length + 16);
        ShownCharacters.Append(escaped, text, int.MaxValue);
        return new Html(escaped.ToString());
    }

    /// <summary>Several pieces, one after the other.</summary>
    public static Html Join(IEnumerable<Html> parts, string between = "")
    {
        ArgumentNullException.ThrowIfNull(parts);
        var whole = new StringBuilder();
        foreach (var part in parts)
        {
            if (whole.Length > 0 && between.Length > 0)
                ShownCharacters.Append(whole, between, between.Length);
            whole.Append(part.markup);
        }

        return new Html(whole.ToString());
    }

    /// <summary>The markup.</summary>
    public override string ToString() => markup ?? "";

    public bool Equals(Html other) => ToString() == other.ToString();

    public override bool Equals(object? obj) => obj is Html other && Equals(other);

    public override int GetHashCode() => ToString().GetHashCode(StringComparison.Ordinal);

    public static bool operator ==(Html left, Html right) => left.Equals(right);

    public static bool operator !=(Html left, Html right) => !left.Equals(right);
}

/// <summary>Builds <see cref="Html"/> from an interpolated string: literals as they are, holes escaped.</summary>
/// <remarks>
/// Escaped        &amp; &lt; &gt; " ' as character references, right in the text of an element and in a quoted attribute. A hole belongs
///                nowhere else: not in the name of a tag, an unquoted attribute, a comment, a script or a style
/// Shown          characters that move, turn or hide text are shown as pictures, long text is cut; see <see cref="ShownCharacters"/>
/// Numbers        as the invariant culture writes them
/// </remarks>
[InterpolatedStringHandler]
public readonly ref struct HtmlHandler(int literalLength, int formattedCount)
{
    private const int LengthOfHole = 32;

    private readonly StringBuilder built = new(literalLength + (formattedCount * LengthOfHole));

    public void AppendLiteral(string value) => built.Append(value);

    public void AppendFormatted(Html value) => built.Append(value.ToString());

    public void AppendFormatted(IEnumerable<Html> values)
    {
        foreach (var value in values)
            built.Append(value.ToString());
    }

    public void AppendFormatted(string? value) => ShownCharacters.Append(built, value ?? "", ShownCharacters.Longest);

    public void AppendFormatted<T>(T value, string? format = null)
        where T : struct, IFormattable =>
        ShownCharacters.Append(built, value.ToString(format, System.Globalization.CultureInfo.InvariantCulture), ShownCharacters.Longest);

    internal string Take() => built.ToString();
}
