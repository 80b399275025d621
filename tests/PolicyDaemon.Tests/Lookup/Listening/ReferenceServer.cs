using System.Globalization;
using System.Numerics;
using System.Text;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Lookup.Protocols;

namespace PolicyDaemon.Tests.Lookup.Listening;

/// <summary>The slow, obvious server that the real one is compared with: it has all octets at once and no buffers to get wrong.</summary>
internal static class ReferenceServer
{
    /// <summary>Everything a server says to a peer that sends these octets and then closes its side.</summary>
    /// <param name="ask">Answers map name and key.</param>
    public static byte[] Socketmap(byte[] octets, Func<byte[], byte[], LookupAnswer> ask)
    {
        var text = Encoding.Latin1.GetString(octets);
        var output = new StringBuilder();
        while (true)
        {
            var colon = text.IndexOf(':', StringComparison.Ordinal);
            var digits = colon < 0 ? text : text[..colon];
            if (colon < 1 || digits.Length > 16 || !digits.All(char.IsAsciiDigit))
                break;
            var declared = BigInteger.Parse(digits, CultureInfo.InvariantCulture);
            if (declared > SocketmapProtocol.MaxRequestBytes)
                break;
            var length = (int)declared;
            var rest = text[(colon + 1)..];
            if (rest.Length <= length || rest[length] != ',')
                break;
            output.Append(SocketmapReply(rest[..length], ask));
            text = rest[(length + 1)..];
        }

        return Encoding.Latin1.GetBytes(output.ToString());
    }

    public static byte[] TcpTable(byte[] octets, Func<byte[], LookupAnswer> ask)
    {
        var output = new StringBuilder();
        var lines = Encoding.Latin1.GetString(octets).Split('\n');
        foreach (var line in lines[..^1])
        {
            if (line.Length + 1 > TcpTableProtocol.MaxRequestLine)
                break;
            var key = line.StartsWith("get ", StringComparison.Ordinal) ? Decode(line[4..]) : null;
            var answer = key is null ? LookupAnswer.Temporary(TcpRefusal) : ask(key);
            output.Append(TcpReply(answer));
        }

        return Encoding.Latin1.GetBytes(output.ToString());
    }

    private const string TcpRefusal = "a request is: get KEY, with %XX for what is not printable (tcp_table(5))";

    private static string SocketmapReply(string request, Func<byte[], byte[], LookupAnswer> ask)
    {
        var space = request.IndexOf(' ', StringComparison.Ordinal);
        var answer = space < 0
            ? LookupAnswer.Permanent("a request is a map name, a space and a key (socketmap_table(5))")
            : ask(Encoding.Latin1.GetBytes(request[..space]), Encoding.Latin1.GetBytes(request[(space + 1)..]));
        var payload = answer.Kind switch
        {
            LookupAnswerKind.Found => "OK " + answer.Text,
            LookupAnswerKind.NotFound => "NOTFOUND ",
            LookupAnswerKind.Permanent => "PERM " + answer.Text,
            _ => "TEMP " + answer.Text,
        };
        return $"{payload.Length}:{payload},";
    }

    private static string TcpReply(LookupAnswer answer)
    {
        var reply = answer.Kind switch
        {
            LookupAnswerKind.Found => "200 " + Encode(answer.Text) + "\n",
            LookupAnswerKind.NotFound => "500 not%20found\n",
            _ => "400 " + Encode(answer.Text) + "\n",
        };
        return reply.Length <= 4096 ? reply : "400 " + Encode("the policy is too long for tcp_table: use socketmap") + "\n";
    }

    private static string Encode(string text) => string.Concat(text.Select(
        character => character is <= ' ' or '%' or > '~' ? $"%{(int)character:X2}" : character.ToString()));

    private static byte[]? Decode(string text)
    {
        if (text.EndsWith('\r'))
            text = text[..^1];
        var key = new List<byte>();
        for (var at = 0; at < text.Length; at++)
        {
            if (text[at] != '%')
            {
                key.Add((byte)text[at]);
                continue;
            }

            // The digits are checked one by one: byte.TryParse overlooks a NUL behind the first.
            if (at + 2 >= text.Length || !char.IsAsciiHexDigit(text[at + 1]) || !char.IsAsciiHexDigit(text[at + 2]))
                return null;
            key.Add(byte.Parse(text.AsSpan(at + 1, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture));
            at += 2;
        }

        return [.. key];
    }
}
