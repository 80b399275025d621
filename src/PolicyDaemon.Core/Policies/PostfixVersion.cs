using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace PolicyDaemon.Core.Policies;

/// <summary>A Postfix release, as far as the syntax of a policy depends on it.</summary>
/// <remarks>An unknown attribute defers mail, so a policy is written for the oldest Postfix that asks.</remarks>
public readonly record struct PostfixVersion(int Major, int Minor) : IComparable<PostfixVersion>
{
    /// <summary>The oldest release served: the first with <c>servername</c>.</summary>
    public static readonly PostfixVersion Oldest = new(3, 4);

    /// <summary>The newest release whose attributes are known here.</summary>
    public static readonly PostfixVersion Newest = new(3, 12);

    /// <summary>Reads <c>3.7</c>, <c>3.7.11</c> or <c>3.12-20260821</c>; the patch level is not kept.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out PostfixVersion version)
    {
        version = default;
        var parts = (text ?? "").Split('.', 3);
        if (parts.Length < 2)
            return false;
        var minor = parts[1].Split('-', 2)[0];
        if (!int.TryParse(parts[0], NumberStyles.None, CultureInfo.InvariantCulture, out var major)
            || !int.TryParse(minor, NumberStyles.None, CultureInfo.InvariantCulture, out var minorNumber)
            || major > 99 || minorNumber > 99)
            return false;
        version = new PostfixVersion(major, minorNumber);
        return true;
    }

    public int CompareTo(PostfixVersion other) => (Major, Minor).CompareTo((other.Major, other.Minor));

    public static bool operator <(PostfixVersion left, PostfixVersion right) => left.CompareTo(right) < 0;

    public static bool operator >(PostfixVersion left, PostfixVersion right) => left.CompareTo(right) > 0;

    public static bool operator <=(PostfixVersion left, PostfixVersion right) => left.CompareTo(right) <= 0;

    public static bool operator >=(PostfixVersion left, PostfixVersion right) => left.CompareTo(right) >= 0;

    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Major}.{Minor}");
}
