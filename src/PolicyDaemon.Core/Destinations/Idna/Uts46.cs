namespace PolicyDaemon.Core.Destinations.Idna;

/// <summary>UTS #46 ToASCII; being written, refuses everything until then.</summary>
public static class Uts46
{
    public static bool TryToAscii(ReadOnlySpan<byte> utf8, Span<byte> destination, out int written)
    {
        written = 0;
        return false;
    }

    public static string ToUnicode(string asciiHost) => asciiHost;
}
