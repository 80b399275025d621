using System.Text;

namespace PolicyDaemon.Lookup.Answering;

/// <summary>Compares canonical keys as strings and as the octets they came in, so that a known key is found without a string.</summary>
internal sealed class AsciiKeyComparer : IEqualityComparer<string>, IAlternateEqualityComparer<ReadOnlySpan<byte>, string>
{
    public static readonly AsciiKeyComparer Instance = new();

    private AsciiKeyComparer()
    {
    }

    public bool Equals(string? x, string? y) => string.Equals(x, y, StringComparison.Ordinal);

    public bool Equals(ReadOnlySpan<byte> alternate, string other) => Ascii.Equals(alternate, other);

    // HashCode is seeded per process, which matters: the keys are a stranger's choice.
    public int GetHashCode(string obj)
    {
        var hash = default(HashCode);
        foreach (var character in obj)
            hash.Add((byte)character);
        return hash.ToHashCode();
    }

    public int GetHashCode(ReadOnlySpan<byte> alternate)
    {
        var hash = default(HashCode);
        foreach (var octet in alternate)
            hash.Add(octet);
        return hash.ToHashCode();
    }

    public string Create(ReadOnlySpan<byte> alternate) => Encoding.ASCII.GetString(alternate);
}
