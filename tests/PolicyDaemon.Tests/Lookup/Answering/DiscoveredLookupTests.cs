using System.Collections.Frozen;
using System.Globalization;
using System.Text;
using Microsoft.Extensions.Time.Testing;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Discovery;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Lookup.Answering;
using PolicyDaemon.Lookup.Listening;
using PolicyDaemon.Lookup.Protocols;
using PolicyDaemon.Tests.Core.Discovery;
using PolicyDaemon.Tests.Lookup.Listening;
using PolicyDaemon.Tests.Support;
using Xunit;

namespace PolicyDaemon.Tests.Lookup.Answering;

/// <summary>Lookups of destinations without an entry, and a discovery that the test is.</summary>
public sealed class DiscoveredLookupTests : IDisposable
{
    private readonly FakeTimeProvider time = new(TestCertificates.Now);
    private readonly LookupTestData data;
    private readonly Queue queue = new();
    private readonly DiscoveredAnswers records = new(most: 100);
    private readonly ConnectionRegistry registry;
    private readonly Dictionary<MapProtocol, ListenerRoom> rooms = [];

    public DiscoveredLookupTests()
    {
        data = new LookupTestData(time: time);
        registry = new ConnectionRegistry(data.Service, new LookupOptions(), new CollectingLogger(), time);
        Serve();
    }

    public void Dispose() => registry.Dispose();

    [Fact]
    public void What_is_known_is_answered_from_memory()
    {
        Put("dane.example", DiscoveryScenario.Of("S", "T10"));
        Put("sts.example", DiscoveryScenario.Of("W", "I10", enforce: true));
        Put("nothing.example", DiscoveryScenario.Of("W", "I10"));

        Assert.Equal("dane-only", data.Ask("Dane.EXAMPLE.").Text);
        Assert.Equal("secure match=.example.com:example.com servername=hostname", data.Ask("sts.example").Text);
        Assert.StartsWith("secure match=.example.com:example.com servername=hostname policy_type=sts policy_domain=sts.example { policy_string = version: STSv1 }", data.Ask("sts.example", "tlspolicy-tlsrpt").Text, StringComparison.Ordinal);
        Assert.Equal(LookupAnswer.NotFound, data.Ask("nothing.example"));
        Assert.Empty(queue.Wanted);
        Assert.Empty(queue.Parked);
        Assert.Equal((1, 2, 1), (data.Service.Discovered.Dane, data.Service.Discovered.Sts, data.Service.Discovered.Nothing));
    }

    [Fact]
    public void The_wait_for_a_verdict_is_part_of_a_lookups_duration()
    {
        data.Service.Answer(MapName.TlsPolicy, "unknown.example"u8, out var parked);
        time.Advance(TimeSpan.FromMilliseconds(70));
        Assert.Equal(0, data.Service.Counters.Durations.Count);

        data.Service.Conclude(parked!);

        Assert.Equal((1, 70), (data.Service.Counters.Durations.Count, data.Service.Counters.Durations.Milliseconds));
    }

    [Fact]
    public void An_entry_comes_first_and_the_nearest_parents_entry_keeps_discovery_away()
    {
        foreach (var key in (string[])["example.com", "a.example.com", "a.b.example.com", "192.0.2.1"])
            Put(key, DiscoveryScenario.Of("S", "T10"));

        Assert.Equal(LookupTestData.Table["example.com"], data.Ask("example.com").Text);
        Assert.Equal(LookupAnswer.NotFound, data.Ask("a.example.com"));
        Assert.Equal(LookupAnswer.NotFound, data.Ask("a.b.example.com"));
        Assert.Equal("encrypt", data.Ask(".example.com").Text);
        Assert.Equal(2, data.Service.Discovered.Parents);
    }

    [Theory]
    [InlineData(".other.example")]
    [InlineData(".com")]
    [InlineData("localhost")]
    [InlineData("192.0.2.77")]
    [InlineData("printer.local")]
    [InlineData("skipped.example")]
    [InlineData("/run/lmtp")]
    public void What_is_not_discovered_is_not_found_at_once(string key)
    {
        Assert.Equal(LookupAnswer.NotFound, data.Ask(key));
        Assert.Empty(queue.Wanted);
        Assert.Empty(queue.Parked);
    }

    [Fact]
    public void A_verdict_that_is_due_is_answered_and_asked_for_once()
    {
        var record = Put("dane.example", DiscoveryScenario.Of("S", "T10"));
        time.Advance(TimeSpan.FromHours(2));

        Assert.Equal("dane-only", data.Ask("dane.example").Text);
        Assert.Equal("dane-only", data.Ask("dane.example").Text);
        Assert.Equal(["dane.example"], queue.Wanted);
        Assert.Equal(2, data.Service.Discovered.Stale);

        record.WantAgain();
        data.Ask("dane.example");
        Assert.Equal(2, queue.Wanted.Count);
    }

    [Fact]
    public void Where_the_queue_is_full_the_next_lookup_asks_again()
    {
        Put("dane.example", DiscoveryScenario.Of("S", "T10"));
        time.Advance(TimeSpan.FromHours(2));
        queue.IsFull = true;
        data.Ask("dane.example");
        queue.IsFull = false;
        data.Ask("dane.example");
        Assert.Equal(["dane.example"], queue.Wanted);
    }

    [Fact]
    public void A_policy_that_has_expired_is_answered_no_longer()
    {
        Put("sts.example", DiscoveryScenario.Of("W", "I10", enforce: true));
        time.Advance(TimeSpan.FromDays(7) - TimeSpan.FromSeconds(1));
        Assert.Equal("secure", data.Ask("sts.example").Text[..6]);
        time.Advance(TimeSpan.FromSeconds(1));

        Assert.Equal("dane", data.Ask("sts.example").Text);
        Assert.Equal("sts.example", Assert.Single(queue.Parked).Key);
    }

    [Fact]
    public void Only_observed_everything_is_asked_for_and_nothing_answered()
    {
        Serve(answers: false);
        Put("dane.example", DiscoveryScenario.Of("S", "T10"));

        Assert.Equal(LookupAnswer.NotFound, data.Ask("dane.example"));
        Assert.Equal(LookupAnswer.NotFound, data.Ask("new.example"));
        Assert.Equal(["new.example"], queue.Wanted);
        Assert.Empty(queue.Parked);
        Assert.Equal(1, data.Service.Discovered.Dane);
    }

    [Theory]
    [InlineData(TlsLevel.None, true, false, "dane")]
    [InlineData(TlsLevel.May, true, false, "dane")]
    [InlineData(TlsLevel.May, false, false, null)]
    [InlineData(TlsLevel.Dane, true, false, null)]
    [InlineData(TlsLevel.Encrypt, true, false, null)]
    [InlineData(TlsLevel.Secure, true, false, null)]
    [InlineData(TlsLevel.May, true, true, "TEMP")]
    public void While_nothing_is_known_the_answer_is_never_below_the_default_level(TlsLevel level, bool dane, bool defers, string? expected)
    {
        var answer = DiscoveredReply.Unknown(new DiscoverySettings(level, dane, true), defers);
        Assert.Equal(expected, answer.Kind == LookupAnswerKind.Temporary ? "TEMP" : answer.Kind == LookupAnswerKind.Found ? answer.Text : null);
    }

    [Fact]
    public void First_sight_of_a_lookup_that_failed_waits_too_where_mail_must_not_leave_unprotected()
    {
        var scenario = DiscoveryScenario.Of("F", "");
        var verdict = scenario.Use();
        var record = DiscoveredRecord.Of(verdict, scenario.Memory, scenario.Settings, PostfixSettings.Default, defersUnknown: true, time.GetUtcNow(), out _);
        Assert.Equal(LookupAnswerKind.Temporary, record.Reply(MapName.TlsPolicy).Kind);
        Assert.Equal(LookupAnswerKind.Temporary, record.Reply(MapName.TlsPolicyTlsRpt).Kind);
    }

    [Fact]
    public async Task A_connection_waits_for_the_verdict_and_goes_on_in_order()
    {
        var peer = Connect(MapProtocol.Socketmap);
        peer.Send("21:tlspolicy example.com,21:tlspolicy new.example,21:tlspolicy example.com,"u8);
        Assert.Equal("50:OK secure match=mx.example.com servername=hostname,", Text(peer.Received()));

        queue.Parked.Single().Conclude(Record(DiscoveryScenario.Of("S", "T10")));

        Assert.Equal("12:OK dane-only,50:OK secure match=mx.example.com servername=hostname,", await TextAsync(peer, 67));
        Assert.Equal(0, data.Service.Discovered.Parked);
        Assert.Equal((1, 0), (data.Service.Discovered.FirstSights, data.Service.Discovered.TimedOut));
    }

    [Fact]
    public async Task A_verdict_that_does_not_come_in_time_is_unknown()
    {
        var peer = Connect(MapProtocol.TcpTable);
        peer.Send("get new.example\n"u8);
        time.Advance(TimeSpan.FromMilliseconds(1400));
        Assert.Empty(peer.Received());
        time.Advance(TimeSpan.FromMilliseconds(100));

        Assert.Equal("200 dane\n", await TextAsync(peer, 9));
        Assert.Equal((0, 1), (data.Service.Discovered.Parked, data.Service.Discovered.TimedOut));
        // What comes later concerns the next lookup.
        queue.Parked.Single().Conclude(null);
    }

    [Fact]
    public void Lookups_that_wait_for_one_discovery_share_the_deadline_of_the_first()
    {
        data.Service.Answer(MapName.TlsPolicy, "new.example"u8, out var first);
        time.Advance(TimeSpan.FromMilliseconds(1000));
        data.Service.Answer(MapName.TlsPolicy, "new.example"u8, out var second);
        first!.ShareDeadline(first.Since);
        second!.ShareDeadline(first.Since);

        time.Advance(TimeSpan.FromMilliseconds(499));
        Assert.Equal((false, false), (first.Outcome.IsCompleted, second.Outcome.IsCompleted));
        time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Equal((true, true), (first.Outcome.IsCompleted, second.Outcome.IsCompleted));

        // Over already when it comes.
        data.Service.Answer(MapName.TlsPolicy, "new.example"u8, out var third);
        third!.ShareDeadline(first.Since);
        Assert.True(third.Outcome.IsCompleted);
    }

    [Fact]
    public async Task No_more_than_so_many_lookups_wait_and_the_others_hear_that_nothing_is_known()
    {
        var peers = Enumerable.Range(0, ServedDiscovery.MaxParked + 1).Select(_ => Connect(MapProtocol.TcpTable)).ToList();
        for (var number = 0; number < peers.Count; number++)
            peers[number].Send(Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"get n{number}.example\n")));

        Assert.Equal("200 dane\n", Text(peers[^1].Received()));
        Assert.Equal(["n200.example"], queue.Wanted);
        Assert.Equal(ServedDiscovery.MaxParked, queue.Parked.Count);
        Assert.Equal(1, data.Service.Discovered.NotWaited);

        queue.Parked.ForEach(parked => parked.Conclude(null));
        Assert.Equal("200 dane\n", await TextAsync(peers[0], 9));
    }

    [Fact]
    public void Without_a_wait_nothing_is_known_at_once()
    {
        Serve(wait: TimeSpan.Zero);
        Assert.Equal("dane", data.Ask("new.example").Text);
        Assert.Equal(["new.example"], queue.Wanted);
        Assert.Empty(queue.Parked);
    }

    [Fact]
    public async Task A_peer_that_leaves_while_it_waits_gives_its_place_back()
    {
        var peer = Connect(MapProtocol.TcpTable, () => throw new ObjectDisposedException("connection"));
        peer.Send("get new.example\n"u8);
        Assert.Equal(1, data.Service.Discovered.Parked);
        time.Advance(TimeSpan.FromSeconds(2));
        // Its end comes last, on the thread that concluded the lookup.
        await Until.TrueAsync(() => peer.IsDisposed);
        Assert.Equal(0, data.Service.Discovered.Parked);
    }

    [Fact]
    public async Task A_peer_that_is_gone_before_it_waits_gives_its_place_back()
    {
        var peer = Connect(MapProtocol.TcpTable, takesReplies: false);
        peer.Send("get example.com\nget new.example\n"u8);
        Assert.Equal(1, data.Service.Discovered.Parked);

        // The reply before it is still to be taken, and nobody will.
        peer.Leave();
        await Until.TrueAsync(() => peer.IsDisposed);

        Assert.Equal(0, data.Service.Discovered.Parked);
    }

    [Fact]
    public async Task The_time_to_take_a_reply_begins_when_it_is_written_however_long_its_lookup_waited()
    {
        Serve(wait: TimeSpan.FromSeconds(50));
        var peer = Connect(MapProtocol.TcpTable, takesReplies: false);
        peer.Send("get new.example\n"u8);
        time.Advance(TimeSpan.FromSeconds(50));
        await Until.TrueAsync(() => data.Service.Discovered.Parked == 0);

        var seconds = 0;
        await Until.TrueAsync(() => peer.IsDisposed, () =>
        {
            time.Advance(TimeSpan.FromSeconds(1));
            seconds++;
        });

        Assert.True(seconds >= 30, $"ended after {seconds} s");
    }

    [Fact]
    public async Task A_wait_may_be_over_before_the_thread_that_began_it_goes_on()
    {
        var parked = new ParkedLookup("new.example", MapName.TlsPolicy, data.Service.Discovery!, new HastyTime());
        Assert.Null(await parked.Outcome);
    }

    [Fact]
    public void Other_names_of_the_maps_are_served()
    {
        data.Service.Aliases = new Dictionary<string, MapName> { ["QUERY"] = MapName.TlsPolicy, ["QUERYwithTLSRPT"] = MapName.TlsPolicyTlsRpt }.ToFrozenDictionary();
        Put("sts.example", DiscoveryScenario.Of("W", "I10", enforce: true));
        Assert.DoesNotContain("policy_type", data.Ask("sts.example", "QUERY").Text, StringComparison.Ordinal);
        Assert.Contains("policy_type", data.Ask("sts.example", "QUERYwithTLSRPT").Text, StringComparison.Ordinal);
        Assert.Equal(LookupAnswerKind.Permanent, data.Ask("sts.example", "query").Kind);
    }

    [Fact]
    public void Beyond_the_bound_what_protects_nothing_and_was_not_used_leaves()
    {
        Put("sts.example", DiscoveryScenario.Of("W", "I10", enforce: true));
        for (var number = 0; number < 100; number++)
        {
            time.Advance(TimeSpan.FromSeconds(1));
            Put(string.Create(CultureInfo.InvariantCulture, $"n{number}.example"), DiscoveryScenario.Of("W", "I10"));
        }

        Assert.Equal(95, records.CountByAnswer().Values.Sum());
        Assert.NotNull(records.Find("sts.example"));
        Assert.Null(records.Find("n0.example"));
        Assert.NotNull(records.Find("n99.example"));
    }

    [Fact]
    public void A_policy_too_long_for_tcp_table_is_narrowed_to_what_covers_the_hosts()
    {
        var scenario = DiscoveryScenario.Of("W", "I10");
        scenario.Publish("version: STSv1\nmode: enforce\nmax_age: 604800\nmx: *.example.com\n"
            + string.Concat(Enumerable.Range(0, 300).Select(number => string.Create(CultureInfo.InvariantCulture, $"mx: host{number}.elsewhere.example\n"))));
        scenario.Use();
        Put("sts.example", scenario);
        Assert.Equal("secure match=.example.com servername=hostname", data.Ask("sts.example").Text);
        Assert.Contains("host299", data.Ask("sts.example", "tlspolicy-tlsrpt").Text, StringComparison.Ordinal);
    }

    private void Serve(bool answers = true, TimeSpan? wait = null) => data.Service.Discovery = new ServedDiscovery(
        answers, records, new DiscoveryScope(["skipped.example"]), DiscoveredReply.Unknown(DiscoverySettings.Default, defers: false),
        wait ?? TimeSpan.FromMilliseconds(1500), queue);

    private DiscoveredRecord Put(string key, DiscoveryScenario scenario)
    {
        var record = Record(scenario, key);
        records.Put(key, record);
        return record;
    }

    private DiscoveredRecord Record(DiscoveryScenario scenario, string key = "new.example")
    {
        scenario.Use();
        var memory = scenario.Memory with { Key = NextHop.Parse(key), Used = time.GetUtcNow() };
        var verdict = DiscoveryVerdict.Of(memory, scenario.Settings, time.GetUtcNow())!;
        return DiscoveredRecord.Of(verdict, memory, scenario.Settings, PostfixSettings.Default with { Version = PostfixVersion.Newest }, false, time.GetUtcNow(), out _);
    }

    private PipeTransport Connect(MapProtocol protocol, Func<Task>? turn = null, bool takesReplies = true)
    {
        var peer = new PipeTransport(takesReplies) { Turn = turn };
        Assert.True(registry.Admit(peer, rooms.TryGetValue(protocol, out var room) ? room : rooms[protocol] = registry.OpenRoom(TestConnections.Endpoint(protocol))));
        return peer;
    }

    private static string Text(byte[] octets) => Encoding.ASCII.GetString(octets);

    private static async Task<string> TextAsync(PipeTransport peer, int length)
    {
        var text = "";
        await Until.TrueAsync(() => (text += Text(peer.Received())).Length >= length);
        return text;
    }

    /// <summary>A clock whose timers fire as soon as they are armed, as another thread's may.</summary>
    private sealed class HastyTime : TimeProvider
    {
        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            var timer = new Timer(() => callback(state));
            timer.Change(dueTime, period);
            return timer;
        }

        private sealed class Timer(Action fire) : ITimer
        {
            public bool Change(TimeSpan dueTime, TimeSpan period)
            {
                if (dueTime != Timeout.InfiniteTimeSpan)
                    fire();
                return true;
            }

            public void Dispose()
            {
                // Nothing is left to fire.
            }

            public ValueTask DisposeAsync() => ValueTask.CompletedTask;
        }
    }

    private sealed class Queue : IDiscoveryQueue
    {
        public List<string> Wanted { get; } = [];

        public List<ParkedLookup> Parked { get; } = [];

        public bool IsFull { get; set; }

        public bool TryWant(string canonicalKey)
        {
            if (!IsFull)
                Wanted.Add(canonicalKey);
            return !IsFull;
        }

        public bool TryWait(ParkedLookup lookup)
        {
            if (!IsFull)
                Parked.Add(lookup);
            return !IsFull;
        }
    }
}
