using System.Text;

namespace PolicyDaemon.Probe.Smtp;

/// <summary>A reply of a server in the clear as Postfix's SMTP client reads it (postfix: smtp/smtp_chat.c, smtp/smtp_proto.c).</summary>
/// <remarks>
/// <code>
/// a line          three digits and a blank or nothing: the last one; and a hyphen: more follow; anything else is skipped
/// EHLO            STARTTLS is looked for in the lines behind the first one, in either letter case, whatever stands behind it, and
///                 only until 2048 octets have been kept (line_length_limit)
/// a greeting      of nothing but 2, 0, * and blanks is a PIX firewall's: Postfix says HELO (smtp_pix_workarounds)
/// STARTTLS        any 2xx begins TLS
/// </code>
/// </remarks>
internal sealed class PostfixReply(string command)
{
    private const int Kept = 2048;

    private int kept;
    private int words;
    private bool isPix = true;
    private bool isHidden;

    /// <summary>The command that the reply answers; empty for the greeting.</summary>
    public string Command => command;

    /// <summary>The reply before this one.</summary>
    public PostfixReply? After { get; init; }

    /// <summary>The code of the last line.</summary>
    public int Code { get; private set; }

    public bool IsComplete { get; private set; }

    /// <summary>True where the latest line is no part of a reply.</summary>
    public bool IsNonsense { get; private set; }

    /// <summary>Why Postfix does not see the STARTTLS that the server offers; null where Postfix sees it, or the server offers none.</summary>
    public string? HiddenStartTls => !isHidden ? null : IsAfterPix
        ? "the greeting looks like a PIX firewall's, to which Postfix says HELO (smtp_pix_workarounds)"
        : "STARTTLS stands behind the first 2048 octets of the reply, where Postfix does not look (line_length_limit)";

    private bool IsAfterPix => After is { Command.Length: 0, isPix: true };

    /// <summary>Reads the next line of the reply, its line end included.</summary>
    /// <returns>The line to hand to MailKit instead, so that MailKit understands the reply as Postfix does; empty where the line is to be skipped.</returns>
    public ReadOnlyMemory<byte> Read(byte[] line)
    {
        var text = line.AsSpan().TrimEnd("\r\n"u8);
        IsNonsense = text.Length < 3 || text[..3].ContainsAnyExceptInRange((byte)'0', (byte)'9')
            || (text.Length > 3 && text[3] is not ((byte)' ' or (byte)'-'));
        var isKept = kept < Kept;
        if (isKept)
            kept += text.Length + (kept > 0 ? 1 : 0);
        isPix &= !text.ContainsAnyExcept("20 *\t"u8);
        if (IsNonsense)
            return default;

        Code = ((text[0] - '0') * 100) + ((text[1] - '0') * 10) + (text[2] - '0');
        IsComplete = text.Length == 3 || text[3] == ' ';
        return command switch
        {
            "EHLO" => ReadFeature(line, text, isKept),
            // MailKit knows 220 only.
            "STARTTLS" when IsComplete && Code is >= 200 and < 300 => Line("220 "),
            _ => line,
        };
    }

    private ReadOnlyMemory<byte> ReadFeature(byte[] line, ReadOnlySpan<byte> text, bool isKept)
    {
        var word = FirstWord(text[3..]);
        if (!isKept)
        {
            isHidden |= IsStartTls(word);
            return IsComplete ? Line($"{Code} .") : default;
        }

        // Lines without a word do not count.
        var isFirst = word.IsEmpty || words++ == 0;
        if (isFirst || !IsStartTls(word))
            return line;
        isHidden |= IsAfterPix;
        return Line($"{Code}{(IsComplete ? ' ' : '-')}{(IsAfterPix ? "." : "STARTTLS")}");
    }

    private static bool IsStartTls(ReadOnlySpan<byte> word) => Ascii.EqualsIgnoreCase(word, "STARTTLS"u8);

    private static ReadOnlySpan<byte> FirstWord(ReadOnlySpan<byte> text)
    {
        text = text.TrimStart("- "u8).TrimStart(" \t="u8);
        var end = text.IndexOfAny(" \t="u8);
        return end < 0 ? text : text[..end];
    }

    private static ReadOnlyMemory<byte> Line(string text) => Encoding.ASCII.GetBytes(text + "\r\n");
}
