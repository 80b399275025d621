using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;

namespace PolicyDaemon.Core;

/// <summary>The names of an enumeration's values in databases, audit hashes, JSON and messages.</summary>
/// <remarks>Once released a name never changes: stores, chains and scripts rely on it. The numbers of the values are stored nowhere.</remarks>
/// <param name="rows">Every value of the enumeration with its name, in the order in which people are to read them.</param>
public sealed class StoredNames<T>(params (T Value, string Name)[] rows)
    where T : struct, Enum
{
    /// <summary>How a name is compared when it is read; by default letter for letter.</summary>
    public StringComparison Comparison { get; init; } = StringComparison.Ordinal;

    public IReadOnlyList<string> All { get; } = [.. rows.Select(row => row.Name)];

    public string Of(T value)
    {
        foreach (var row in rows)
        {
            if (EqualityComparer<T>.Default.Equals(row.Value, value))
                return row.Name;
        }

        throw new UnreachableException($"{typeof(T).Name} {value:D}");
    }

    public bool TryParse([NotNullWhen(true)] string? name, out T value)
    {
        foreach (var row in rows)
        {
            if (string.Equals(row.Name, name, Comparison))
            {
                value = row.Value;
                return true;
            }
        }

        value = default;
        return false;
    }
}
