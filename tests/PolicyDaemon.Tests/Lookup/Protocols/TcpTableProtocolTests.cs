using System.Buffers;
using System.Text;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Serving;
using PolicyDaemon.Lookup.Protocols;
using Xunit;

namespace PolicyDaemon.Tests.Lookup.Protocols;

public sealed class TcpTableProtocolTests
{
    [Theory]
    [InlineData("get example.com\n", "get example.com")]
    [InlineData("\n", "")]
    [InlineData("get a b\r\n", "get a b\r")]
    public void A_line_is_read_whole_cut_anywhere_and_pipelined(string text, string expected)
    {
        var octets = Octets(text);
        for (var cut = 0; cut <= octets.Length; cut++)
        {
            var buffer = LookupTestData.Cut(octets, cut);
            Assert.Equal(FrameStatus.Complete, TcpTableProtocol.TryReadRequest(ref buffer, out var line));
            Assert.Equal(expected, Text(line));
            Assert.True(buffer.IsEmpty);
        }

        for (var length = 0; length < octets.Length; length++)
        {
            var buffer = new ReadOnlySequence<byte>(octets, 0, length);
            Assert.Equal(FrameStatus.Incomplete, TcpTableProtocol.TryReadRequest(ref buffer, out _));
            Assert.Equal(length, buffer.Length);
        }

        var three = LookupTestData.Cut(Octets(text + text + text), octets.Length + 1, octets.Length * 2);
        for (var i = 0; i < 3; i++)
        {
            Assert.Equal(FrameStatus.Complete, TcpTableProtocol.TryReadRequest(ref three, out var line));
            Assert.Equal(expected, Text(line));
        }

        Assert.True(three.IsEmpty);
    }

    [Fact]
    public void A_line_without_an_end_ends_the_connection()
    {
        var octets = Octets(new string('x', TcpTableProtocol.MaxRequestLine));
        var buffer = LookupTestData.Cut(octets, 100, 5000);
        Assert.Equal(FrameStatus.Malformed, TcpTableProtocol.TryReadRequest(ref buffer, out _));
        buffer = new ReadOnlySequence<byte>(octets, 0, octets.Length - 1);
        Assert.Equal(FrameStatus.Incomplete, TcpTableProtocol.TryReadRequest(ref buffer, out _));
    }

    [Fact]
    public void The_longest_line_is_read_and_a_longer_one_ends_the_connection()
    {
        var longest = Octets("get " + new string('x', TcpTableProtocol.MaxRequestLine - 5) + "\n");
        var buffer = LookupTestData.Cut(longest, 1000);
        Assert.Equal(FrameStatus.Complete, TcpTableProtocol.TryReadRequest(ref buffer, out _));
        buffer = LookupTestData.Cut(Octets("x" + Text(new(longest))), 1000);
        Assert.Equal(FrameStatus.Malformed, TcpTableProtocol.TryReadRequest(ref buffer, out _));
    }

    [Theory]
    [InlineData("get example.com", "example.com")]
    [InlineData("get ", "")]
    [InlineData("get example.com\r", "example.com")]
    [InlineData("get %65xample%2ecom", "example.com")]
    [InlineData("get %65xample%2Ecom", "example.com")]
    [InlineData("get M%C3%9CNCHEN.example", "M\u00c3\u009cNCHEN.example")]
    [InlineData("get a%20b%25%0A%00", "a b%\n\0")]
    [InlineData("get a b", "a b")]
    public void Keys_are_decoded(string line, string expected)
    {
        var scratch = new byte[line.Length];
        Assert.True(TcpTableProtocol.TryDecodeKey(Octets(line), scratch, out var key));
        Assert.Equal(expected, Encoding.Latin1.GetString(key));
    }

    [Theory]
    [InlineData("")]
    [InlineData("get")]
    [InlineData("GET example.com")]
    [InlineData(" get example.com")]
    [InlineData("get\texample.com")]
    [InlineData("put example.com secure")]
    [InlineData("get a%")]
    [InlineData("get a%2")]
    [InlineData("get a%zz")]
    [InlineData("get a%2g")]
    [InlineData("get a%+2")]
    [InlineData("21:tlspolicy example.com,")]
    public void Anything_else_is_no_lookup(string line) => Assert.False(TcpTableProtocol.TryDecodeKey(Octets(line), new byte[line.Length], out _));

    [Theory]
    [InlineData(LookupAnswerKind.Found, "encrypt", "200 encrypt\n")]
    [InlineData(LookupAnswerKind.Found, "secure match=a:b 100%", "200 secure%20match=a:b%20100%25\n")]
    [InlineData(LookupAnswerKind.NotFound, "", "500 not%20found\n")]
    [InlineData(LookupAnswerKind.Temporary, "the reason", "400 the%20reason\n")]
    [InlineData(LookupAnswerKind.Permanent, "the reason", "400 the%20reason\n")]
    public void Replies_are_exact(LookupAnswerKind kind, string text, string expected) => Assert.Equal(expected, Write(kind, text));

    [Theory]
    [InlineData(LookupAnswerKind.Found, "")]
    [InlineData(LookupAnswerKind.Found, "  ")]
    [InlineData(LookupAnswerKind.Found, "secure\n200 may")]
    [InlineData(LookupAnswerKind.Found, "secure\0")]
    [InlineData(LookupAnswerKind.Found, "s\u00e9cure")]
    [InlineData(LookupAnswerKind.Temporary, "")]
    public void What_may_not_be_sent_becomes_an_error(LookupAnswerKind kind, string text) =>
        Assert.Matches("^400 [!-~]+\n$", Write(kind, text));

    [Fact]
    public void A_line_of_the_largest_size_is_sent_and_a_larger_one_becomes_an_error()
    {
        var largest = Write(LookupAnswerKind.Found, new string('x', 4091));
        Assert.Equal(4096, largest.Length);
        Assert.StartsWith("200 ", largest, StringComparison.Ordinal);
        Assert.StartsWith("400 ", Write(LookupAnswerKind.Found, new string('x', 4092)), StringComparison.Ordinal);
        // Encoding counts.
        Assert.StartsWith("400 ", Write(LookupAnswerKind.Found, "a " + new string('x', 4088)), StringComparison.Ordinal);
    }

    [Fact]
    public void Sixty_two_pins_fit_and_sixty_three_do_not()
    {
        Assert.StartsWith("200 fingerprint%20match=", Write(LookupAnswerKind.Found, Pins(62)), StringComparison.Ordinal);
        Assert.StartsWith("400 ", Write(LookupAnswerKind.Found, Pins(63)), StringComparison.Ordinal);

        static string Pins(int count) => "fingerprint match=" + string.Join('|', Enumerable.Repeat(new string('a', 64), count));
    }

    [Fact]
    public void A_request_is_encoded_as_Postfix_encodes_it() =>
        Assert.Equal("get a%20b%25%C3%BC%7F%00%0A.example\n", Encoding.ASCII.GetString(TcpTableProtocol.EncodeRequest("a b%\u00fc\u007f\0\n.example"u8)));

    [Fact]
    public void What_is_encoded_is_decoded_to_the_same()
    {
        var all = Enumerable.Range(0, 256).Select(i => (byte)i).ToArray();
        var line = TcpTableProtocol.EncodeRequest(all);
        Assert.True(TcpTableProtocol.TryDecodeKey(line.AsSpan(0, line.Length - 1), new byte[line.Length], out var key));
        Assert.Equal(all, key.ToArray());
    }

    [Theory]
    [InlineData("200 secure%20match=a", LookupAnswerKind.Found, "secure match=a")]
    [InlineData("299 a", LookupAnswerKind.Found, "a")]
    [InlineData("500 not found", LookupAnswerKind.NotFound, "")]
    [InlineData("400 why%0a", LookupAnswerKind.Temporary, "why\\x0a")]
    [InlineData("500", null, "three digits")]
    [InlineData("20 a", null, "three digits")]
    [InlineData("", null, "three digits")]
    [InlineData("200 ", null, "empty")]
    [InlineData("300 a", null, "unknown code")]
    [InlineData("200 a%4", null, "percent")]
    [InlineData("200 a%00", null, "NUL")]
    public void A_client_reads_replies_as_strictly_as_Postfix(string reply, LookupAnswerKind? kind, string text)
    {
        var answer = TcpTableProtocol.ParseReply(Octets(reply), out var problem);
        Assert.Equal(kind, answer?.Kind);
        if (answer is { } known)
            Assert.Equal(text, known.Text);
        else
            Assert.Contains(text, problem, StringComparison.Ordinal);
    }

    private static string Write(LookupAnswerKind kind, string text)
    {
        var writer = new ArrayBufferWriter<byte>();
        TcpTableProtocol.WriteReply(writer, new LookupReply(kind, Encoding.Latin1.GetBytes(text)));
        return Encoding.Latin1.GetString(writer.WrittenSpan);
    }

    private static byte[] Octets(string text) => Encoding.Latin1.GetBytes(text);

    private static string Text(ReadOnlySequence<byte> octets) => Encoding.Latin1.GetString(octets.ToArray());
}
