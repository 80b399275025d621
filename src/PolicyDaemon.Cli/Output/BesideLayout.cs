namespace PolicyDaemon.Cli.Output;

/// <summary>A fact about two things that are compared.</summary>
/// <param name="Name">The fact.</param>
/// <param name="Left">Of the one.</param>
/// <param name="Right">Of the other.</param>
internal readonly record struct Compared(string Name, Cell Left, Cell Right);

/// <summary>Two things beside each other, fact by fact: each side broken at blanks within its half of the screen.</summary>
/// <remarks>Where a word is longer than half the screen nothing stands beside anything, and the two are shown one below the other.</remarks>
internal static class BesideLayout
{
    private const int Indent = 2;
    private const int Gap = 2;

    /// <param name="rows">The facts, made safe to show.</param>
    /// <param name="screen">Columns; 0 for no terminal.</param>
    /// <returns>The lines, each in three parts; null where the screen is too narrow.</returns>
    internal static IReadOnlyList<(string Name, Cell Left, Cell Right)>? Lines(IReadOnlyList<Compared> rows, int screen)
    {
        var names = Indent + rows.Max(row => row.Name.Length) + Gap;
        var left = rows.Max(row => row.Left.Text.Length) + Gap;
        var right = int.MaxValue;
        if (screen > 0)
        {
            var half = (screen - names) / 2;
            left = Math.Min(left, half);
            right = screen - names - left;
            if (rows.Any(row => !Fits(row.Left.Text, left - Gap) || !Fits(row.Right.Text, right)))
                return null;
        }

        var lines = new List<(string, Cell, Cell)>();
        foreach (var row in rows)
        {
            var one = Wrapping.Break(row.Left.Text, left - Gap);
            var other = Wrapping.Break(row.Right.Text, right);
            for (var i = 0; i < Math.Max(one.Count, other.Count); i++)
            {
                lines.Add((
                    (new string(' ', Indent) + (i == 0 ? row.Name : "")).PadRight(names),
                    row.Left with { Text = (i < one.Count ? one[i] : "").PadRight(left) },
                    row.Right with { Text = i < other.Count ? other[i] : "" }));
            }
        }

        return lines;
    }

    private static bool Fits(string text, int room) => Wrapping.Break(text, room).All(line => line.Length <= room);
}
