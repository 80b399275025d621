using System.Text;

namespace PolicyDaemon.Lookup.Answering;

/// <summary>What a peer sent, as it may stand in a log line.</summary>
internal static class PeerText
{
    private const int MaxOctets = 100;

    /// <summary>Printable ASCII as it is, the rest as \xNN, cut after 100 octets.</summary>
    public static string Escape(ReadOnlySpan<byte> octets)
    {
        var text = new StringBuilder();
        foreach (var octet in octets[..Math.Min(octets.Length, MaxOctets)])
        {
            if (octet is >= (byte)' ' and <= (byte)'~' and not (byte)'\\')
                text.Append((char)octet);
            else
                text.Append("\\x").Append(Convert.ToHexString([octet]));
        }

        if (octets.Length > MaxOctets)
            text.Append("...");
        return text.ToString();
    }
}
