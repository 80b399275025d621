using System.Buffers;
using System.Text;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Serving;
using PolicyDaemon.Lookup.Answering;
using PolicyDaemon.Lookup.Protocols;
using PolicyDaemon.Tests.Lookup.Listening;
using Xunit;

namespace PolicyDaemon.Tests.Lookup;

/// <summary>The numbered edge cases that every table server for smtp_tls_policy_maps must get right, as far as a lookup shows them.</summary>
public sealed class EdgeCasesTests
{
    private readonly LookupTestData data = new();

    [Fact]
    public void Case_01_an_internal_error_is_TEMP_never_NOTFOUND()
    {
        data.Current = null;
        Assert.StartsWith("TEMP ", Socketmap("tlspolicy example.com"), StringComparison.Ordinal);
        Assert.StartsWith("TEMP ", Socketmap("tlspolicy .com"), StringComparison.Ordinal);
        Assert.StartsWith("400 ", TcpTable("get example.com"), StringComparison.Ordinal);
    }

    [Fact]
    public void Case_01_an_unknown_name_is_PERM() => Assert.StartsWith("PERM ", Socketmap("pins example.com"), StringComparison.Ordinal);

    [Fact]
    public void Case_02_OK_has_its_space_and_a_policy()
    {
        Assert.StartsWith("OK secure", Socketmap("tlspolicy example.com"), StringComparison.Ordinal);
        // Whatever reaches the writer: never "OK" alone, never "OK " alone.
        foreach (var text in (string[])["", " ", "\n", "\0"])
        {
            var writer = new ArrayBufferWriter<byte>();
            SocketmapProtocol.WriteReply(writer, new LookupReply(LookupAnswerKind.Found, Encoding.Latin1.GetBytes(text)));
            Assert.DoesNotContain("OK", Encoding.Latin1.GetString(writer.WrittenSpan), StringComparison.Ordinal);
        }
    }

    [Theory]
    [InlineData("EXAMPLE.com", "example.com")]
    [InlineData("Example.Com", "example.com")]
    [InlineData("M\u00dcNCHEN.example", "xn--mnchen-3ya.example")]
    [InlineData("m\u00fcnchen.example", "xn--mnchen-3ya.example")]
    [InlineData("XN--MNCHEN-3YA.EXAMPLE", "xn--mnchen-3ya.example")]
    [InlineData("[MX.example.NET]:587", "[mx.example.net]:587")]
    public void Case_03_letter_case_and_label_form_make_no_difference(string asked, string entry)
    {
        Assert.Equal("OK " + LookupTestData.Table[entry], Socketmap("tlspolicy " + asked));
        Assert.StartsWith("200 ", TcpTable(Encoding.ASCII.GetString(TcpTableProtocol.EncodeRequest(Encoding.UTF8.GetBytes(asked))).TrimEnd('\n')), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("example.com.")]
    [InlineData(" example.com")]
    [InlineData("example.com ")]
    [InlineData("\texample.com\r")]
    public void Case_04_what_is_meant_is_found(string asked) =>
        Assert.Equal(LookupAnswer.Found(LookupTestData.Table["example.com"]), data.Ask(asked));

    [Theory]
    [InlineData("exam\0ple.com")]
    [InlineData("example..com")]
    [InlineData("")]
    [InlineData("a b")]
    [InlineData("example.com/../etc")]
    public void Case_04_what_cannot_be_a_destination_is_not_found(string asked) => Assert.Equal(LookupAnswer.NotFound, data.Ask(asked));

    [Fact]
    public void Case_04_an_overlong_key_is_not_found_and_answered()
    {
        Assert.Equal(LookupAnswer.NotFound, data.Ask(new string('a', 10_000)));
        Assert.Equal("NOTFOUND ", Socketmap("tlspolicy " + new string('a', 10_000)));
    }

    [Fact]
    public void Case_04_octets_that_are_not_UTF_8_are_TEMP() => Assert.Equal(LookupAnswerKind.Temporary, data.Ask([0xff, 0xc3, (byte)'.', (byte)'c']).Kind);

    [Theory]
    [InlineData("mx.example.net")]
    [InlineData("[mx.example.net]")]
    [InlineData("mx.example.net:587")]
    public void Case_05_a_miss_in_another_form_is_noticed(string asked)
    {
        Assert.Equal(LookupAnswer.NotFound, data.Ask(asked));
        Assert.Equal(asked, Assert.Single(data.Demand.Drain(DemandKind.NearMiss)).Key);
        Assert.Equal(LookupAnswerKind.Temporary, new LookupTestData(NearMissAnswer.Temporary).Ask(asked).Kind);
    }

    [Theory]
    [InlineData("[mx.example.net]:submission")]
    [InlineData("[mx.example.net]:0587")]
    public void Case_05_a_service_name_is_its_port(string asked) =>
        Assert.Equal(LookupAnswer.Found(LookupTestData.Table["[mx.example.net]:587"]), data.Ask(asked));

    [Fact]
    public void Case_06_a_leading_dot_is_another_question()
    {
        Assert.Equal(LookupAnswer.Found("encrypt"), data.Ask(".example.com"));
        Assert.Equal(LookupAnswer.NotFound, data.Ask("sub.example.com"));
        Assert.Equal(LookupAnswer.NotFound, data.Ask(".xn--mnchen-3ya.example"));
        Assert.Equal(0, data.Service.Counters.NearMisses);
    }

    [Theory]
    [InlineData(".com")]
    [InlineData(".example")]
    [InlineData(".COM")]
    [InlineData("com")]
    public void Case_06_a_top_level_domain_is_not_found_even_where_near_misses_are_TEMP(string asked) =>
        Assert.Equal(LookupAnswer.NotFound, new LookupTestData(NearMissAnswer.Temporary).Ask(asked));

    [Fact]
    public void Case_09_a_snapshot_in_use_does_not_change_under_a_lookup()
    {
        var held = data.Current!;
        Assert.True(held.TryFind("example.com"u8, MapName.TlsPolicy, TimeProvider.System, out var reply));
        var before = Encoding.ASCII.GetString(reply.Text);
        data.Current = held.With(LookupTestData.Identity, [LookupTestData.Entry("example.com", LookupAnswer.Found("may"))], [".example.com"]);
        Assert.Equal(before, Encoding.ASCII.GetString(reply.Text));
        Assert.Equal(LookupAnswer.Found("may"), data.Ask("example.com"));
        Assert.Equal(LookupAnswer.NotFound, data.Ask(".example.com"));
    }

    [Fact]
    public void Case_11_an_entry_without_a_usable_pin_is_TEMP()
    {
        data.Current = data.Current!.With(
            LookupTestData.Identity, [LookupTestData.Entry("example.com", LookupAnswer.Temporary("no usable pin"))], []);
        Assert.Equal("TEMP no usable pin", Socketmap("tlspolicy example.com"));
        Assert.Equal("400 no%20usable%20pin", TcpTable("get example.com"));
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    public void Case_14_an_unknown_answer_is_never_a_level(string? text)
    {
        data.Current = data.Current!.With(
            LookupTestData.Identity, [LookupTestData.Entry("example.com", new LookupAnswer(LookupAnswerKind.Found, text!))], []);
        Assert.StartsWith("TEMP ", Socketmap("tlspolicy example.com"), StringComparison.Ordinal);
        Assert.StartsWith("400 ", TcpTable("get example.com"), StringComparison.Ordinal);
    }

    [Fact]
    public void Case_16_a_line_feed_in_an_answer_never_reaches_the_wire()
    {
        data.Current = data.Current!.With(
            LookupTestData.Identity, [LookupTestData.Entry("example.com", new LookupAnswer(LookupAnswerKind.Found, "may\n200 none"))], []);
        Assert.StartsWith("400 ", TcpTable("get example.com"), StringComparison.Ordinal);
        Assert.StartsWith("TEMP ", Socketmap("tlspolicy example.com"), StringComparison.Ordinal);
    }

    [Fact]
    public void Case_17_what_does_not_fit_is_an_error_never_a_shortened_list()
    {
        Assert.Equal("OK " + LookupTestData.Pins1500, Socketmap("tlspolicy most.example"));
        Assert.StartsWith("400 ", TcpTable("get most.example"), StringComparison.Ordinal);
        Assert.Equal("200 " + LookupTestData.Pins60.Replace(" ", "%20", StringComparison.Ordinal), TcpTable("get many.example"));
    }

    [Fact]
    public void Case_18_one_reply_per_request_in_order_with_nothing_around_it() => Assert.Equal(
        "9:NOTFOUND ,10:OK encrypt,9:NOTFOUND ,",
        Exchange(MapProtocol.Socketmap, "14:tlspolicy .com,22:tlspolicy .example.com,14:tlspolicy .org,"));

    [Fact]
    public void Case_19_a_half_sent_request_and_an_end_at_any_octet_harm_nobody()
    {
        const string request = "21:tlspolicy example.com,";
        for (var length = 0; length <= request.Length; length++)
        {
            var reply = Exchange(MapProtocol.Socketmap, request[..length]);
            Assert.Equal(length == request.Length ? "50:OK " + LookupTestData.Table["example.com"] + "," : "", reply);
        }
    }

    private string Socketmap(string payload)
    {
        var reply = Exchange(MapProtocol.Socketmap, $"{Encoding.UTF8.GetByteCount(payload)}:{payload},");
        var colon = reply.IndexOf(':', StringComparison.Ordinal);
        Assert.Equal($"{reply.Length - colon - 2}", reply[..colon]);
        Assert.EndsWith(",", reply, StringComparison.Ordinal);
        return reply[(colon + 1)..^1];
    }

    private string TcpTable(string line)
    {
        var reply = Exchange(MapProtocol.TcpTable, line + "\n");
        Assert.Equal(reply.Length - 1, reply.IndexOf('\n', StringComparison.Ordinal));
        return reply[..^1];
    }

    private string Exchange(MapProtocol protocol, string request)
    {
        using var registry = TestConnections.Registry(data);
        var peer = new PipeTransport();
        Assert.True(registry.Admit(peer, registry.OpenRoom(TestConnections.Endpoint(protocol))));
        peer.Send(Encoding.UTF8.GetBytes(request));
        var reply = peer.Received();
        if (!peer.IsDisposed)
            peer.SendEnd();
        Assert.True(peer.IsDisposed);
        return Encoding.Latin1.GetString([.. reply, .. peer.Received()]);
    }
}
