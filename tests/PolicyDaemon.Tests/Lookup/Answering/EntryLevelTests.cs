using Microsoft.Extensions.Time.Testing;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Discovery;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Serving;
using PolicyDaemon.Lookup.Answering;
using PolicyDaemon.Tests.Core.Discovery;
using PolicyDaemon.Tests.Support;
using Xunit;

namespace PolicyDaemon.Tests.Lookup.Answering;

/// <summary>Entries that leave the answer to others: to main.cf, or to what the destination publishes.</summary>
public sealed class EntryLevelTests
{
    private readonly FakeTimeProvider time = new(TestCertificates.Now);
    private readonly LookupTestData data;
    private readonly DiscoveredAnswers records = new(most: 100);
    private readonly Queue queue = new();

    public EntryLevelTests()
    {
        data = new LookupTestData(time: time);
        Serve(TlsLevel.May);
    }

    [Fact]
    public void Default_is_not_found_whatever_is_published()
    {
        Put("exempt.example", TlsLevel.May, "S", "T10");
        Entries(new SnapshotEntry("exempt.example", LookupAnswer.NotFound, LookupAnswer.NotFound) { IsDefault = true });

        Assert.Equal(LookupAnswer.NotFound, data.Ask("exempt.example"));
        Assert.Equal((1, 0), (data.Service.Discovered.Entries, data.Service.Discovered.Dane));
    }

    [Fact]
    public void Default_at_a_dot_keeps_discovery_from_its_subdomains()
    {
        Put("a.exempt.example", TlsLevel.May, "S", "T10");
        Entries(new SnapshotEntry(".exempt.example", LookupAnswer.NotFound, LookupAnswer.NotFound) { IsDefault = true });

        Assert.Equal(LookupAnswer.NotFound, data.Ask("a.exempt.example"));
        Assert.Equal(LookupAnswer.NotFound, data.Ask(".exempt.example"));
        Assert.Equal(1, data.Service.Discovered.Parents);
    }

    [Fact]
    public void Discovered_outranks_a_parents_entry_and_what_is_skipped()
    {
        Put("a.partner.example", TlsLevel.May, "S", "T10");
        Put("skipped.example", TlsLevel.May, "S", "T10", isInScope: false);
        Assert.Equal(LookupAnswer.NotFound, data.Ask("skipped.example"));
        Entries(LookupTestData.Entry(".partner.example", LookupAnswer.Found("may")), Discovered("a.partner.example"), Discovered("skipped.example"));

        Assert.Equal("dane-only", data.Ask("a.partner.example").Text);
        Assert.Equal("dane-only", data.Ask("skipped.example").Text);
    }

    [Theory]
    [InlineData(DiscoveryFloor.None, "NOTFOUND")]
    [InlineData(DiscoveryFloor.Encrypt, "TEMP")]
    public void Without_discovery_nothing_is_known(DiscoveryFloor floor, string expected)
    {
        Put("partner.example", TlsLevel.May, "S", "T10");
        Entries(Discovered("partner.example", floor));

        Serve(TlsLevel.May, answers: false);
        Assert.Equal(expected, Word("partner.example"));
        data.Service.Discovery = null;
        Assert.Equal(expected, Word("partner.example"));
    }

    [Fact]
    public void While_nothing_is_known_a_floor_defers()
    {
        Entries(Discovered("partner.example", DiscoveryFloor.Secure), Discovered("open.example"));

        Assert.Equal("TEMP", Word("partner.example"));
        Assert.Equal("dane", Word("open.example"));
        Assert.Equal(["partner.example", "open.example"], queue.Wanted);
    }

    [Fact]
    public void An_entry_that_came_while_a_lookup_waited_decides()
    {
        Serve(TlsLevel.May, wait: TimeSpan.FromSeconds(1));
        data.Service.Answer(MapName.TlsPolicy, "late.example"u8, out var parked);
        Assert.NotNull(parked);
        Entries(LookupTestData.Entry("late.example", LookupAnswer.Found("encrypt")));
        parked.Conclude(Record("late.example", TlsLevel.May, "S", "T10"));

        Assert.Equal("encrypt", System.Text.Encoding.ASCII.GetString(data.Service.Conclude(parked).Text));
    }

    /// <summary>Every verdict under every floor and every level of main.cf: never below the floor, and what cannot be told is a temporary error.</summary>
    [Fact]
    public void No_answer_is_ever_below_a_floor()
    {
        foreach (var level in Enum.GetValues<TlsLevel>().Where(TlsLevels.IsOfPostfix))
        {
            Serve(level);
            foreach (var floor in Enum.GetValues<DiscoveryFloor>())
            {
                foreach (var mx in (string[])["S", "W", "F", "0", "D", "Z"])
                {
                    foreach (var hosts in (string[])["T10", "N10", "T10 N20", "N10 T20", "U10", "E10", "X10", "I10"])
                    {
                        foreach (var enforce in (bool[])[false, true])
                        {
                            var record = Put("partner.example", level, mx, hosts, enforce);
                            Entries(Discovered("partner.example", floor));
                            var word = Word("partner.example");
                            var told = $"{level} {floor} {mx} {hosts} {enforce}: {word}";
                            if (word == "TEMP")
                                Assert.True(floor != DiscoveryFloor.None, told);
                            else
                                Assert.True(floor == DiscoveryFloor.None || (!record.IsUnknown && floor.IsMetBy(LevelOf(word, level))), told);
                            // Where it is known and enough, it is answered.
                            if (!record.IsUnknown && floor.IsMetBy(LevelOf(record.Answer == DiscoveredAnswer.NotFound ? "NOTFOUND" : record.Answer.Name(), level)))
                                Assert.True(word != "TEMP", told);
                        }
                    }
                }
            }
        }
    }

    [Fact]
    public void The_default_answers_bare_domains_behind_discovery_and_parents()
    {
        Put("nothing.example", TlsLevel.May, "W", "I10");
        Entries(
            LookupTestData.Entry("*", LookupAnswer.Found("encrypt")), LookupTestData.Entry(".example.com", LookupAnswer.Found("may")),
            new SnapshotEntry("exempt.example", LookupAnswer.NotFound, LookupAnswer.NotFound) { IsDefault = true }, Discovered("open.example"));
        Put("open.example", TlsLevel.May, "W", "I10");

        Assert.Equal("encrypt", Word("nothing.example"));
        Assert.Equal("encrypt", Word("new.example")); // not known yet
        Assert.Equal("encrypt", Word("printer.local")); // never discovered
        Assert.Equal("encrypt", Word("skipped.example"));
        Assert.Equal("NOTFOUND", Word("a.example.com")); // Postfix goes on to its parent's entry
        Assert.Equal("NOTFOUND", Word("exempt.example"));
        Assert.Equal("NOTFOUND", Word("open.example"));
        Assert.Equal("NOTFOUND", Word(".nothing.example"));
        Assert.Equal("NOTFOUND", Word("[192.0.2.1]:587"));
        Assert.Equal("NOTFOUND", Word("192.0.2.1:587"));
        Assert.Equal("NOTFOUND", Word("*"));
        Assert.Equal(4, data.Service.Discovered.Defaults);
        data.Service.Discovery = null;
        Assert.Equal("encrypt", Word("nothing.example"));
        Assert.Equal("NOTFOUND", Word("a.example.com"));
    }

    /// <summary>Every verdict with every <c>*</c>: what is served protects as much as either, and is never "not found".</summary>
    [Fact]
    public void No_answer_is_ever_below_the_default()
    {
        LookupAnswer[] defaults =
        [
            .. TlsLevels.Names.Select(name => LookupAnswer.Found(name == "fingerprint" ? "fingerprint match=aa" : name)),
            LookupAnswer.Found("secure match=mx.example"), LookupAnswer.Temporary("its policy cannot be written"),
        ];
        foreach (var level in Enum.GetValues<TlsLevel>().Where(TlsLevels.IsOfPostfix))
        {
            foreach (var everybody in defaults)
            {
                foreach (var mx in (string[])["S", "W", "F", "0", "D", "Z"])
                {
                    foreach (var hosts in (string[])["T10", "N10", "T10 N20", "N10 T20", "U10", "E10", "X10", "I10"])
                    {
                        foreach (var enforce in (bool[])[false, true])
                        {
                            foreach (var answers in (bool[])[true, false])
                            {
                                Serve(level, answers);
                                var record = Put("any.example", level, mx, hosts, enforce);
                                Entries(LookupTestData.Entry("*", everybody));
                                var word = Word("any.example");
                                var told = $"{level} {everybody} {mx} {hosts} {enforce} {answers}: {word}";
                                Assert.True(word != "NOTFOUND", told);
                                Assert.True(everybody.Kind != LookupAnswerKind.Temporary || word == "TEMP", told);
                                if (word == "TEMP")
                                    continue;
                                var served = LevelOf(word, level).Protection();
                                Assert.True(served >= LevelOf(everybody.Text.Split(' ')[0], level).Protection(), told);
                                if (answers && record.Answer != DiscoveredAnswer.NotFound)
                                    Assert.True(served >= LevelOf(record.Answer.Name(), level).Protection(), told);
                                // Of two that are equally strict the destination's own.
                                if (answers && record.Answer is DiscoveredAnswer.DaneOnly or DiscoveredAnswer.Secure)
                                    Assert.Equal(record.Answer.Name(), word);
                            }
                        }
                    }
                }
            }
        }
    }

    [Fact]
    public void A_first_sight_that_defers_is_as_strict_as_can_be()
    {
        data.Service.Discovery = new ServedDiscovery(true, records, new DiscoveryScope([]), DiscoveredReply.Deferred, TimeSpan.Zero, queue);
        Entries(LookupTestData.Entry("*", LookupAnswer.Found("secure")));
        Assert.Equal("TEMP", Word("new.example"));
    }

    [Fact]
    public void What_comes_to_the_default_allocates_nothing()
    {
        Put("nothing.example", TlsLevel.May, "W", "I10");
        Entries(LookupTestData.Entry("*", LookupAnswer.Found("encrypt")), Discovered("partner.example", DiscoveryFloor.Secure));
        Put("partner.example", TlsLevel.May, "S", "T10");
        Ask();
        var before = GC.GetAllocatedBytesForCurrentThread();
        Ask();
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);

        void Ask()
        {
            data.Service.Answer(MapName.TlsPolicy, "nothing.example"u8);
            data.Service.Answer(MapName.TlsPolicy, "partner.example"u8);
            data.Service.Answer(MapName.TlsPolicy, ".partner.example"u8);
        }
    }

    private static TlsLevel LevelOf(string word, TlsLevel securityLevel) =>
        word == "NOTFOUND" ? securityLevel : TlsLevels.TryParseOfPostfix(word, out var level) ? level : throw new InvalidOperationException(word);

    private string Word(string key)
    {
        var answer = data.Ask(key);
        return answer.Kind switch
        {
            LookupAnswerKind.Found => answer.Text.Split(' ')[0],
            LookupAnswerKind.NotFound => "NOTFOUND",
            _ => "TEMP",
        };
    }

    private void Entries(params SnapshotEntry[] entries) => data.Current = PolicySnapshot.Build(LookupTestData.Identity, entries);

    private static SnapshotEntry Discovered(string key, DiscoveryFloor floor = DiscoveryFloor.None) =>
        new(key, PolicySnapshotAnswers.BelowFloor, PolicySnapshotAnswers.BelowFloor) { Floor = floor };

    private void Serve(TlsLevel level, bool answers = true, TimeSpan? wait = null)
    {
        data.Service.Postfix = PostfixSettings.Default with { SecurityLevel = level };
        data.Service.Discovery = new ServedDiscovery(
            answers, records, new DiscoveryScope(["skipped.example"]), DiscoveredReply.Unknown(new DiscoverySettings(level, true, true), defers: false),
            wait ?? TimeSpan.Zero, queue);
    }

    private DiscoveredRecord Put(string key, TlsLevel level, string mx, string hosts, bool enforce = false, bool isInScope = true)
    {
        var record = Record(key, level, mx, hosts, enforce, isInScope);
        records.Put(key, record);
        return record;
    }

    private DiscoveredRecord Record(string key, TlsLevel level, string mx, string hosts, bool enforce = false, bool isInScope = true)
    {
        var scenario = DiscoveryScenario.Of(mx, hosts, enforce);
        scenario.Settings = new DiscoverySettings(level, true, true);
        scenario.Use();
        var memory = scenario.Memory with { Key = NextHop.Parse(key), Used = time.GetUtcNow() };
        var verdict = DiscoveryVerdict.Of(memory, scenario.Settings, time.GetUtcNow())!;
        return DiscoveredRecord.Of(
            verdict, memory, scenario.Settings, PostfixSettings.Default with { Version = PostfixVersion.Newest }, false, time.GetUtcNow(), out _, isInScope);
    }

    private sealed class Queue : IDiscoveryQueue
    {
        public List<string> Wanted { get; } = [];

        public bool TryWant(string canonicalKey)
        {
            Wanted.Add(canonicalKey);
            return true;
        }

        public bool TryWait(ParkedLookup lookup) => true;
    }
}
