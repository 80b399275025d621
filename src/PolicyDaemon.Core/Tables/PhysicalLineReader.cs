using System.Buffers;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Unicode;

namespace PolicyDaemon.Core.Tables;

/// <summary>Reads the lines of a file, whatever its bytes are, within bounds.</summary>
/// <remarks>
/// Two kindnesses beyond postmap: a byte order mark, and no-break spaces, which come with tables copied from web pages, count
/// as nothing and as blanks. A no-break space is U+00A0 in UTF-8, and the octet A0 of Latin-1 in a line that is no UTF-8;
/// any other such line is a fault, since postmap ignores it.
/// </remarks>
internal sealed class PhysicalLineReader(Stream stream)
{
    private readonly byte[] buffer = new byte[64 * 1024];
    private readonly ArrayBufferWriter<byte> line = new();
    private int start;
    private int end;

    /// <summary>The first line with a NUL character; 0 for none.</summary>
    internal int NulLine { get; private set; }

    internal IEnumerable<PhysicalLine> ReadAll()
    {
        for (var number = 1; TryRead(out var tooLong); number++)
        {
            if (number > LogicalLineReader.MaxLines)
            {
                yield return new(number, "", new Problem($"the table has more than {LogicalLineReader.MaxLines} lines", "split it"), false, false);
                yield break;
            }

            yield return Decode(number, tooLong);
        }
    }

    /// <summary>Reads up to and without the next line feed into <see cref="line"/>; what exceeds the limit is dropped.</summary>
    private bool TryRead(out bool tooLong)
    {
        line.ResetWrittenCount();
        tooLong = false;
        for (var any = false; ; any = true)
        {
            if (start == end)
            {
                start = 0;
                end = stream.Read(buffer);
                if (end == 0)
                    return any;
            }

            var rest = buffer.AsSpan(start, end - start);
            var feed = rest.IndexOf((byte)'\n');
            var piece = feed < 0 ? rest : rest[..feed];
            start += piece.Length + (feed < 0 ? 0 : 1);
            if (line.WrittenCount + piece.Length > LogicalLineReader.MaxLine)
                tooLong = true;
            else
                line.Write(piece);
            if (feed >= 0)
                return true;
        }
    }

    private PhysicalLine Decode(int number, bool tooLong)
    {
        var octets = MemoryMarshal.AsMemory(line.WrittenMemory).Span;
        var hadMark = number == 1 && octets.StartsWith("\uFEFF"u8);
        if (hadMark)
            octets = octets[3..];

        var fault = tooLong ? new Problem($"the line is longer than {LogicalLineReader.MaxLine} octets") : null;
        if (NulLine == 0 && octets.Contains((byte)0))
            NulLine = number;
        var hadLatinBlank = !Utf8.IsValid(octets) && octets.Contains((byte)0xa0);
        if (hadLatinBlank)
            octets.Replace((byte)0xa0, (byte)' ');
        if (!Utf8.IsValid(octets))
            fault ??= new Problem("it is not UTF-8, and postmap would ignore it", "convert the file, or write the name as xn--...");

        var text = Encoding.UTF8.GetString(octets);
        var hadBlank = text.Contains('\u00a0', StringComparison.Ordinal);
        return new(number, hadBlank ? text.Replace('\u00a0', ' ') : text, fault, hadBlank || hadLatinBlank, hadMark);
    }
}

/// <summary>One line of a file as it stands there, decoded.</summary>
/// <param name="Number">The line's number, from 1.</param>
/// <param name="Text">The line without its line feed; no-break spaces are blanks here.</param>
/// <param name="Fault">Why the line cannot be read; null where it can.</param>
/// <param name="HadNoBreakSpace">Whether a no-break space was read as a blank.</param>
/// <param name="HadByteOrderMark">Whether a byte order mark was dropped.</param>
internal readonly record struct PhysicalLine(int Number, string Text, Problem? Fault, bool HadNoBreakSpace, bool HadByteOrderMark);
