using System.Text;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Runtime;

namespace PolicyDaemon.Lookup.Protocols;

/// <summary>The checks that Postfix makes of a reply's text in either protocol.</summary>
internal static class ReplyData
{
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    public static LookupAnswer? Found(ReadOnlySpan<byte> data, out string problem)
    {
        problem = "";
        if (data.Trim(" \t\r\n"u8).IsEmpty)
            problem = "found, but with an empty policy"; // maps_find: "returns an empty string result"
        else if (data.Contains((byte)0))
            problem = "a NUL in the policy, at which Postfix cuts it";
        else if (!IsUtf8(data))
            problem = $"the policy is not UTF-8: {PeerText.Escape(data)}"; // util/dict_utf8.c
        return problem.Length == 0 ? LookupAnswer.Found(Strict.GetString(data)) : null;
    }

    /// <summary>The reason of an error reply, escaped so that it may be shown.</summary>
    public static string Reason(ReadOnlySpan<byte> text) => IsUtf8(text) && !text.ContainsAnyInRange((byte)0, (byte)31)
        ? Strict.GetString(text)
        : PeerText.Escape(text);

    private static bool IsUtf8(ReadOnlySpan<byte> text) => System.Text.Unicode.Utf8.IsValid(text);
}
