using System.Globalization;
using System.Text;

namespace PolicyDaemon.Probe.Smtp;

/// <summary>Text that a peer chose, made safe for a terminal, a log and a store.</summary>
internal static class PeerText
{
    private const int MaxLength = 300;

    public static string Escape(ReadOnlySpan<byte> octets)
    {
        var text = new StringBuilder(Math.Min(octets.Length, MaxLength) + 3);
        foreach (var octet in octets)
        {
            if (text.Length >= MaxLength)
                return text.Append("...").ToString();
            if (octet is >= 0x20 and < 0x7f and not (byte)'\\')
                text.Append((char)octet);
            else
                text.Append(CultureInfo.InvariantCulture, $"\\x{octet:x2}");
        }

        return text.ToString();
    }

    public static string Escape(string text) => Escape(Encoding.UTF8.GetBytes(text));
}
