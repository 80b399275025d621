using System.Globalization;
using System.Text;
using System.Text.Json;

namespace PolicyDaemon.Core;

/// <summary>Where a text is no valid JSON, in words: the parser's own speak of .NET.</summary>
public static class JsonFault
{
    /// <param name="fault">What the parser threw.</param>
    /// <param name="json">The text.</param>
    /// <returns>The line and the character in it, from 1, and what stands there.</returns>
    public static string Of(JsonException fault, ReadOnlySpan<byte> json)
    {
        ArgumentNullException.ThrowIfNull(fault);
        if (fault.LineNumber is not { } line)
            return "it cannot be read";
        var rest = json;
        for (var skipped = 0L; skipped < line && rest.IndexOf((byte)'\n') is >= 0 and var end; skipped++)
            rest = rest[(end + 1)..];
        var at = (int)Math.Min(fault.BytePositionInLine ?? 0, rest.Length);
        var place = string.Create(CultureInfo.InvariantCulture, $"in line {line + 1}, character {Encoding.UTF8.GetCharCount(rest[..at]) + 1}");
        if (rest[at..].TrimStart(" \t\r\n"u8).IsEmpty)
            return $"{place}, it ends too early; a bracket, a brace or a quotation mark is not closed, or something is missing";
        return Rune.DecodeFromUtf8(rest[at..], out var rune, out _) == System.Buffers.OperationStatus.Done && !Rune.IsControl(rune)
            ? $"{place}, '{rune}' cannot stand"
            : $"{place}, a character cannot stand as it is";
    }
}
