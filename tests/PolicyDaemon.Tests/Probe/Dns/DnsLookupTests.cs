using System.Net;
using PolicyDaemon.Core.Discovery;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Probe.Dns;
using PolicyDaemon.Tests.Support;
using Xunit;

namespace PolicyDaemon.Tests.Probe.Dns;

public sealed class DnsLookupTests : IAsyncDisposable
{
    private const string Name = "mx.example.com";
    private const int Txt = 16;

    private static readonly DnsQuestion Question = new(Name, DnsType.A);

    private readonly FakeDnsServer first = new();
    private readonly FakeDnsServer second = new();
    private readonly StepTime time = new(TestCertificates.Now);
    private readonly DnsLookup lookup;

    public DnsLookupTests() => lookup = new DnsLookup(new DnsOptions { Resolvers = [first.EndPoint, second.EndPoint] }, time);

    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    public async ValueTask DisposeAsync()
    {
        lookup.Dispose();
        time.Dispose();
        await first.DisposeAsync();
        await second.DisposeAsync();
    }

    [Fact]
    public async Task The_first_resolver_is_asked_first_and_named()
    {
        first.AddHost(Name, true, "192.0.2.1");

        var answer = await AskAsync();

        Assert.Equal((DnsAnswerKind.Records, "192.0.2.1", DnssecStatus.Secure, first.EndPoint.ToString()), (answer.Kind, Assert.Single(answer.Data), answer.Security, answer.Resolver));
        Assert.Equal((TimeSpan.FromSeconds(60), TestCertificates.Now), (answer.Ttl, answer.At));
        Assert.Empty(second.Questions);
    }

    [Theory]
    [InlineData(2)] // SERVFAIL
    [InlineData(5)] // REFUSED
    [InlineData(4)] // NOTIMP
    public async Task A_resolver_that_fails_leaves_the_question_to_the_next(int code)
    {
        first.Set(Name, FakeDnsServer.A, new FakeDnsReply { Code = code });
        second.AddHost(Name, false, "192.0.2.2");

        Assert.Equal(("192.0.2.2", second.EndPoint.ToString()), (Assert.Single((await AskAsync()).Data), (await AskAsync()).Resolver));
    }

    [Fact]
    public async Task Failures_of_all_of_them_are_told_once_each_and_asked_once()
    {
        first.Set(Name, FakeDnsServer.A, new FakeDnsReply { Code = 2 });
        second.Set(Name, FakeDnsServer.A, new FakeDnsReply { Code = 5 });

        var answer = await AskAsync();

        Assert.Equal((DnsAnswerKind.Failed, $"the resolver {first.EndPoint} answers SERVFAIL, and the resolver {second.EndPoint} answers REFUSED for A of {Name}"), (answer.Kind, answer.Detail));
        Assert.Single(second.Questions);
    }

    [Fact]
    public async Task A_bogus_answer_is_not_asked_for_elsewhere_where_nobody_may_validate()
    {
        first.Set(Name, FakeDnsServer.A, new FakeDnsReply { Bogus = true });
        second.AddHost(Name, false, "192.0.2.66");

        var answer = await AskAsync();

        Assert.Equal((DnsAnswerKind.Bogus, DnssecStatus.Bogus, first.EndPoint.ToString()), (answer.Kind, answer.Security, answer.Resolver));
        Assert.Empty(second.Questions);
    }

    [Theory]
    [InlineData(0, DnsAnswerKind.NoData)]
    [InlineData(3, DnsAnswerKind.NoSuchName)]
    public async Task An_absence_is_an_answer(int code, DnsAnswerKind kind)
    {
        first.Set(Name, FakeDnsServer.A, new FakeDnsReply { Code = code, AbsenceLife = 300, Authentic = true });

        var answer = await AskAsync();

        Assert.Equal((kind, true, DnssecStatus.Secure), (answer.Kind, answer.Worked, answer.Security));
        Assert.Equal(TimeSpan.FromMinutes(5), answer.Ttl);
        Assert.Empty(second.Questions);
    }

    [Fact]
    public async Task A_silent_resolver_is_waited_for_two_seconds()
    {
        first.Set(Name, FakeDnsServer.A, new FakeDnsReply { Silent = true });
        second.AddHost(Name, false, "192.0.2.2");

        var asking = AskAsync();
        await WhenAskedAsync(first, 1);
        time.Advance(TimeSpan.FromSeconds(2));

        Assert.Equal("192.0.2.2", Assert.Single((await asking).Data));
    }

    [Fact]
    public async Task Silent_resolvers_are_asked_twice_and_those_that_answered_badly_once()
    {
        first.Set(Name, FakeDnsServer.A, new FakeDnsReply { Silent = true });
        second.Set(Name, FakeDnsServer.A, new FakeDnsReply { Code = 2 });

        var asking = AskAsync();
        await WhenAskedAsync(first, 1);
        time.Advance(TimeSpan.FromSeconds(2));
        await WhenAskedAsync(first, 2);
        time.Advance(TimeSpan.FromSeconds(2));

        var answer = await asking;
        Assert.Equal($"the resolver {first.EndPoint} does not answer within 2 s, and the resolver {second.EndPoint} answers SERVFAIL for A of {Name}", answer.Detail);
        Assert.Equal(2, second.Questions.Count()); // the second one is whether checking disabled would help
    }

    [Fact]
    public async Task All_tries_together_end_at_the_deadline_of_a_question()
    {
        using var impatient = new DnsLookup(new DnsOptions { Resolvers = [first.EndPoint, second.EndPoint], Timeout = TimeSpan.FromSeconds(1) }, time);
        first.Set(Name, FakeDnsServer.A, new FakeDnsReply { Silent = true });

        var asking = impatient.AskAsync(Question, Cancellation);
        await WhenAskedAsync(first, 1);
        time.Advance(TimeSpan.FromSeconds(1));

        Assert.Equal($"the resolver {first.EndPoint} does not answer within 1 s for A of {Name}", (await asking).Detail);
        Assert.Empty(second.Questions);
    }

    [Fact]
    public async Task No_more_than_256_questions_are_out_at_once()
    {
        var hold = new TaskCompletionSource();
        for (var number = 0; number < 300; number++)
            first.Set($"mx{number}.example.com", FakeDnsServer.A, new FakeDnsReply { Held = hold.Task, Records = [($"mx{number}.example.com", FakeDnsServer.A, [192, 0, 2, 1])] });

        var asking = Enumerable.Range(0, 300).Select(number => lookup.AskAsync(new DnsQuestion($"mx{number}.example.com", DnsType.A), Cancellation)).ToList();
        await WhenAskedAsync(first, 256);
        Assert.Equal(256, first.Questions.Count());
        hold.SetResult();

        Assert.All(await Task.WhenAll(asking), answer => Assert.Equal(DnsAnswerKind.Records, answer.Kind));
        Assert.Equal(300, first.Questions.Count());
    }

    [Fact]
    public async Task The_caller_may_give_up()
    {
        first.Set(Name, FakeDnsServer.A, new FakeDnsReply { Silent = true });
        using var gives = new CancellationTokenSource();

        var asking = lookup.AskAsync(Question, gives.Token);
        await WhenAskedAsync(first, 1);
        await gives.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => asking);
    }

    [Fact]
    public async Task Strings_of_a_TXT_record_are_one_text()
    {
        first.Add("_mta-sts.example.com", Txt, [8, .. "v=STSv1;"u8, 5, .. " id=1"u8]);

        Assert.Equal("v=STSv1; id=1", Assert.Single((await lookup.AskAsync(new DnsQuestion("_mta-sts.example.com", DnsType.Txt), Cancellation)).Data));
    }

    [Fact]
    public async Task Records_are_written_as_zones_write_them()
    {
        first.AddMx("example.com", 10, "MX.Example.com");
        first.AddMx("null.example", 0, ".");
        first.Add("_25._tcp.mx.example.com", FakeDnsServer.Tlsa, [3, 1, 1, .. new byte[32]]);
        first.Add("six.example.com", FakeDnsServer.Aaaa, IPAddress.Parse("2001:db8::1").GetAddressBytes());

        Assert.Equal("10 mx.example.com", await DataAsync("example.com", DnsType.Mx));
        Assert.Equal("0 .", await DataAsync("null.example", DnsType.Mx));
        Assert.Equal($"3 1 1 {new string('0', 64)}", await DataAsync("_25._tcp.mx.example.com", DnsType.Tlsa));
        Assert.Equal("2001:db8::1", await DataAsync("six.example.com", DnsType.Aaaa));
    }

    [Fact]
    public async Task An_alias_asked_for_itself_is_not_followed()
    {
        first.Set(Name, FakeDnsServer.CName, new FakeDnsReply
        {
            Authentic = true,
            Records = [(Name, FakeDnsServer.CName, FakeDnsServer.WireName("Host.example.net"))],
        });

        var answer = await lookup.AskAsync(new DnsQuestion(Name, DnsType.CName), Cancellation);

        Assert.Equal((DnsAnswerKind.Records, Name, "host.example.net"), (answer.Kind, answer.CanonicalName, Assert.Single(answer.Data)));
    }

    [Theory]
    [InlineData(8, DnsAnswerKind.Records)]
    [InlineData(9, DnsAnswerKind.Failed)]
    public async Task Eight_aliases_in_a_row_are_followed(int links, DnsAnswerKind kind)
    {
        first.Set(Name, FakeDnsServer.A, new FakeDnsReply
        {
            Records =
            [
                .. Enumerable.Range(0, links).Select(link => (link == 0 ? Name : $"l{link}.example", FakeDnsServer.CName, FakeDnsServer.WireName($"l{link + 1}.example"))),
                ($"l{links}.example", FakeDnsServer.A, new byte[] { 192, 0, 2, 1 }),
            ],
        });
        second.Set(Name, FakeDnsServer.A, new FakeDnsReply { Code = 2 });

        Assert.Equal(kind, (await AskAsync()).Kind);
    }

    private async Task<string> DataAsync(string name, DnsType type) =>
        Assert.Single((await lookup.AskAsync(new DnsQuestion(name, type), Cancellation)).Data);

    private Task<DnsAnswer> AskAsync() => lookup.AskAsync(Question, Cancellation);

    private static async Task WhenAskedAsync(FakeDnsServer server, int times)
    {
        while (server.Questions.Count() < times)
            await server.WhenAskedAsync(Cancellation);
    }
}
