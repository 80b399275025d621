using System.Buffers;
using System.Text;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Serving;
using PolicyDaemon.Lookup.Protocols;
using Xunit;

namespace PolicyDaemon.Tests.Lookup.Protocols;

public sealed class SocketmapProtocolTests
{
    [Theory]
    [InlineData("21:tlspolicy example.com,", "tlspolicy example.com")]
    [InlineData("0:,", "")]
    [InlineData("00000000000021:tlspolicy example.com,", "tlspolicy example.com")]
    [InlineData("5:a b c,", "a b c")]
    [InlineData("3:a,:,", "a,:")]
    public void A_request_is_read_whole_cut_anywhere_and_pipelined(string text, string expected)
    {
        var octets = Octets(text);
        for (var cut = 0; cut <= octets.Length; cut++)
        {
            var buffer = LookupTestData.Cut(octets, cut);
            Assert.Equal(FrameStatus.Complete, SocketmapProtocol.TryReadRequest(ref buffer, out var request));
            Assert.Equal(expected, Text(request));
            Assert.True(buffer.IsEmpty);
        }

        for (var length = 0; length < octets.Length; length++)
        {
            var buffer = new ReadOnlySequence<byte>(octets, 0, length);
            Assert.Equal(FrameStatus.Incomplete, SocketmapProtocol.TryReadRequest(ref buffer, out _));
            Assert.Equal(length, buffer.Length);
        }

        var three = LookupTestData.Cut(Octets(text + text + text), octets.Length + 1, octets.Length * 2);
        for (var i = 0; i < 3; i++)
        {
            Assert.Equal(FrameStatus.Complete, SocketmapProtocol.TryReadRequest(ref three, out var request));
            Assert.Equal(expected, Text(request));
        }

        Assert.True(three.IsEmpty);
    }

    [Fact]
    public void Every_octet_in_a_segment_of_its_own_makes_no_difference()
    {
        var octets = Octets("21:tlspolicy example.com,");
        var buffer = LookupTestData.Cut(octets, [.. Enumerable.Range(1, octets.Length - 1)]);
        Assert.Equal(FrameStatus.Complete, SocketmapProtocol.TryReadRequest(ref buffer, out var request));
        Assert.Equal("tlspolicy example.com", Text(request));
    }

    [Theory]
    [InlineData(" 3:abc,")] // a leading blank
    [InlineData(":abc,")] // no digits
    [InlineData("-1:abc,")]
    [InlineData("+3:abc,")]
    [InlineData("3;abc,")]
    [InlineData("3 :abc,")]
    [InlineData("0x3:abc,")]
    [InlineData("3:abcd,")] // no comma where it belongs
    [InlineData("3:abc\n")]
    [InlineData("get example.com\n")]
    [InlineData("GET / HTTP/1.1\r\n")]
    [InlineData("\0\0\0\0")]
    [InlineData("99999999999999999999:")]
    [InlineData("00000000000000000001:a,")] // more digits than anybody sends
    public void Bad_framing_ends_the_connection(string text)
    {
        var octets = Octets(text);
        for (var cut = 0; cut <= octets.Length; cut++)
        {
            var buffer = LookupTestData.Cut(octets, cut);
            Assert.Equal(FrameStatus.Malformed, SocketmapProtocol.TryReadRequest(ref buffer, out _));
        }
    }

    [Fact]
    public void Length_beyond_the_limit_ends_the_connection_before_the_octets_arrive()
    {
        var buffer = new ReadOnlySequence<byte>(Octets($"{SocketmapProtocol.MaxRequestBytes + 1}"));
        Assert.Equal(FrameStatus.Malformed, SocketmapProtocol.TryReadRequest(ref buffer, out _));
        buffer = new ReadOnlySequence<byte>(Octets($"{SocketmapProtocol.MaxRequestBytes}:"));
        Assert.Equal(FrameStatus.Incomplete, SocketmapProtocol.TryReadRequest(ref buffer, out _));
    }

    [Fact]
    public void A_key_as_long_as_Postfix_sends_is_read()
    {
        var payload = "tlspolicy " + new string('a', SocketmapProtocol.MaxKeyBytes);
        var buffer = new ReadOnlySequence<byte>(Octets($"{payload.Length}:{payload},"));
        Assert.Equal(FrameStatus.Complete, SocketmapProtocol.TryReadRequest(ref buffer, out var request));
        Assert.Equal(payload, Text(request));
    }

    [Theory]
    [InlineData("tlspolicy example.com", "tlspolicy", "example.com")]
    [InlineData("tlspolicy a b", "tlspolicy", "a b")]
    [InlineData("tlspolicy ", "tlspolicy", "")]
    [InlineData("tlspolicy  a", "tlspolicy", " a")]
    [InlineData(" a", "", "a")]
    public void A_request_is_split_at_its_first_space(string request, string map, string key)
    {
        Assert.True(SocketmapProtocol.Split(Octets(request), out var mapName, out var keyOctets));
        Assert.Equal(map, Encoding.Latin1.GetString(mapName));
        Assert.Equal(key, Encoding.Latin1.GetString(keyOctets));
    }

    [Fact]
    public void A_request_without_a_space_has_no_key() => Assert.False(SocketmapProtocol.Split("tlspolicy"u8, out _, out _));

    [Theory]
    [InlineData(LookupAnswerKind.Found, "encrypt", "10:OK encrypt,")]
    [InlineData(LookupAnswerKind.NotFound, "", "9:NOTFOUND ,")]
    [InlineData(LookupAnswerKind.NotFound, "ignored", "9:NOTFOUND ,")]
    [InlineData(LookupAnswerKind.Temporary, "why", "8:TEMP why,")]
    [InlineData(LookupAnswerKind.Permanent, "why", "8:PERM why,")]
    public void Replies_are_exact(LookupAnswerKind kind, string text, string expected) => Assert.Equal(expected, Write(kind, text));

    [Theory]
    [InlineData("")]
    [InlineData(" ")]
    [InlineData("secure\nmay")]
    [InlineData("secure\tmatch=a")]
    [InlineData("secure\0")]
    [InlineData("secure\u00e9")]
    public void A_policy_that_may_not_be_sent_becomes_a_temporary_error(string text)
    {
        var reply = Write(LookupAnswerKind.Found, text);
        Assert.Contains(":TEMP ", reply, StringComparison.Ordinal);
        AssertFrame(reply);
    }

    [Fact]
    public void A_reply_of_the_largest_size_is_sent_and_a_larger_one_becomes_a_temporary_error()
    {
        var largest = Write(LookupAnswerKind.Found, new string('x', AnswerLimits.SocketmapText));
        Assert.StartsWith("100000:OK xxx", largest, StringComparison.Ordinal);
        AssertFrame(largest);
        var larger = Write(LookupAnswerKind.Found, new string('x', AnswerLimits.SocketmapText + 1));
        Assert.Contains(":TEMP ", larger, StringComparison.Ordinal);
        AssertFrame(larger);
    }

    [Fact]
    public void Every_length_of_a_reply_is_counted_right()
    {
        for (var length = 1; length < 1200; length++)
            AssertFrame(Write(LookupAnswerKind.Found, new string('x', length)));
    }

    [Fact]
    public void An_error_without_a_reason_gets_one() => Assert.Matches("^[0-9]+:TEMP .+,$", Write(LookupAnswerKind.Temporary, ""));

    [Fact]
    public void A_long_reason_is_cut() => Assert.Equal("205:TEMP " + new string('x', 200) + ",", Write(LookupAnswerKind.Temporary, new string('x', 500)));

    [Theory]
    [InlineData("OK encrypt", LookupAnswerKind.Found, "encrypt")]
    [InlineData("OK  encrypt", LookupAnswerKind.Found, " encrypt")]
    [InlineData("NOTFOUND ", LookupAnswerKind.NotFound, "")]
    [InlineData("NOTFOUND", LookupAnswerKind.NotFound, "")]
    [InlineData("NOTFOUND because", LookupAnswerKind.NotFound, "")]
    [InlineData("TEMP why", LookupAnswerKind.Temporary, "why")]
    [InlineData("TIMEOUT why", LookupAnswerKind.Temporary, "why")]
    [InlineData("PERM why", LookupAnswerKind.Permanent, "why")]
    [InlineData("OK", null, "without a space")]
    [InlineData("OK ", null, "empty")]
    [InlineData("ok encrypt", null, "unknown status")]
    [InlineData("notfound ", null, "unknown status")]
    [InlineData("ERR x", null, "unknown status")]
    [InlineData("", null, "unknown status")]
    [InlineData("OK\tencrypt", null, "unknown status")]
    [InlineData("OK a\0b", null, "NUL")]
    [InlineData("OK a\u00ff", null, "UTF-8")]
    public void A_client_reads_replies_as_strictly_as_Postfix(string reply, LookupAnswerKind? kind, string text)
    {
        var answer = SocketmapProtocol.ParseReply(Encoding.Latin1.GetBytes(reply), out var problem);
        Assert.Equal(kind, answer?.Kind);
        if (answer is { } known)
            Assert.Equal(text, known.Text);
        else
            Assert.Contains(text, problem, StringComparison.Ordinal);
    }

    [Fact]
    public void A_client_takes_the_longest_reply_and_no_longer_one()
    {
        var longest = new ReadOnlySequence<byte>(Octets("100000:" + new string('x', 100_000) + ","));
        Assert.Equal(FrameStatus.Complete, SocketmapProtocol.TryReadReply(ref longest, out _));
        var longer = new ReadOnlySequence<byte>("100001:"u8.ToArray());
        Assert.Equal(FrameStatus.Malformed, SocketmapProtocol.TryReadReply(ref longer, out _));
    }

    private static void AssertFrame(string reply)
    {
        var buffer = new ReadOnlySequence<byte>(Encoding.Latin1.GetBytes(reply));
        Assert.Equal(FrameStatus.Complete, SocketmapProtocol.TryReadReply(ref buffer, out _));
        Assert.True(buffer.IsEmpty);
    }

    private static string Write(LookupAnswerKind kind, string text)
    {
        var writer = new ArrayBufferWriter<byte>();
        SocketmapProtocol.WriteReply(writer, new LookupReply(kind, Encoding.Latin1.GetBytes(text)));
        return Encoding.Latin1.GetString(writer.WrittenSpan);
    }

    private static byte[] Octets(string text) => Encoding.Latin1.GetBytes(text);

    private static string Text(ReadOnlySequence<byte> octets) => Encoding.Latin1.GetString(octets.ToArray());
}
