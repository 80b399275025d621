using System.Globalization;
using System.Text;

namespace PolicyDaemon.Core.Runtime;

/// <summary>Octets that a peer chose, made safe for a terminal, a log and a store; text that is Unicode already is the matter of <see cref="ShownText"/>.</summary>
public static class PeerText
{
    private const int MaxLength = 300;

    /// <summary>Printable ASCII as it is, the rest as <c>\xnn</c>, cut after 300 characters.</summary>
    public static string Escape(ReadOnlySpan<byte> octets)
    {
        var text = new StringBuilder(Math.Min(octets.Length, MaxLength) + 3);
        foreach (var octet in octets)
        {
            if (text.Length >= MaxLength)
                return text.Append("...").ToString();
            if (octet is >= (byte)' ' and <= (byte)'~' and not (byte)'\\')
                text.Append((char)octet);
            else
                text.Append(CultureInfo.InvariantCulture, $"\\x{octet:x2}");
        }

        return text.ToString();
    }

    /// <summary>Escapes a text by its octets in UTF-8.</summary>
    public static string Escape(string text) => Escape(Encoding.UTF8.GetBytes(text));
}
