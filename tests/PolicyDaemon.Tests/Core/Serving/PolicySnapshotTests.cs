using System.Globalization;
using System.Text;
using CsCheck;
using Microsoft.Extensions.Time.Testing;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Serving;
using Xunit;

namespace PolicyDaemon.Tests.Core.Serving;

public sealed class PolicySnapshotTests
{
    private static readonly SnapshotIdentity Identity = new("store", 1, "00", DigestAlgorithm.Sha256, PostfixVersion.Oldest);

    [Fact]
    public void An_empty_snapshot_finds_nothing()
    {
        var snapshot = PolicySnapshot.Build(Identity, []);
        Assert.Equal(0, snapshot.Count);
        Assert.Null(Find(snapshot, "example.com"));
        Assert.False(IsNearMiss(snapshot, "example.com"u8));
        Assert.Empty(snapshot.Entries);
    }

    [Fact]
    public void Each_map_has_its_own_answer()
    {
        var snapshot = PolicySnapshot.Build(
            Identity, [new("example.com", LookupAnswer.Found("secure"), LookupAnswer.Found("secure policy_type=sts"))]);
        Assert.Equal(LookupAnswer.Found("secure"), Find(snapshot, "example.com"));
        Assert.Equal(LookupAnswer.Found("secure policy_type=sts"), Find(snapshot, "example.com", MapName.TlsPolicyTlsRpt));
    }

    [Fact]
    public void Kinds_may_differ_between_the_maps()
    {
        var snapshot = PolicySnapshot.Build(
            Identity, [new("example.com", LookupAnswer.NotFound, LookupAnswer.Temporary("too long"))]);
        Assert.Equal(LookupAnswer.NotFound, Find(snapshot, "example.com"));
        Assert.Equal(LookupAnswer.Temporary("too long"), Find(snapshot, "example.com", MapName.TlsPolicyTlsRpt));
    }

    [Theory]
    [InlineData("mx.example.com", "[mx.example.com]")]
    [InlineData("[mx.example.com]", "mx.example.com")]
    [InlineData("mx.example.com:587", "[mx.example.com]:25")]
    [InlineData("[2001:db8::1]:25", "[2001:db8::1]")]
    public void A_key_in_another_form_misses_and_is_a_near_miss(string configured, string asked)
    {
        var snapshot = PolicySnapshot.Build(Identity, [Entry(configured, "encrypt")]);
        Assert.Null(Find(snapshot, asked));
        Assert.True(IsNearMiss(snapshot, Octets(asked)));
    }

    [Fact]
    public void A_parent_with_its_dot_is_another_host()
    {
        var snapshot = PolicySnapshot.Build(Identity, [Entry("example.com", "encrypt")]);
        Assert.Null(Find(snapshot, ".example.com"));
        Assert.False(IsNearMiss(snapshot, ".example.com"u8));
    }

    [Fact]
    public void A_removed_form_is_no_near_miss_any_more()
    {
        var first = PolicySnapshot.Build(Identity, [Entry("[mx.example.com]", "encrypt"), Entry("mx.example.com:25", "encrypt")]);
        var second = first.With(Identity, [], ["[mx.example.com]"]);
        Assert.True(IsNearMiss(second, "mx.example.com"u8));
        var third = second.With(Identity, [], ["mx.example.com:25"]);
        Assert.False(IsNearMiss(third, "mx.example.com"u8));
        Assert.Equal(0, third.Count);
        Assert.True(IsNearMiss(first, "mx.example.com"u8));
        Assert.Equal(2, first.Count);
    }

    [Fact]
    public void A_snapshot_does_not_change_when_the_next_is_made()
    {
        var first = PolicySnapshot.Build(Identity, [Entry("a.example", "encrypt"), Entry("b.example", "may")]);
        var second = first.With(Identity with { Sequence = 2 }, [Entry("a.example", "secure"), Entry("c.example", "may")], ["b.example"]);
        Assert.Equal(LookupAnswer.Found("encrypt"), Find(first, "a.example"));
        Assert.Equal(LookupAnswer.Found("may"), Find(first, "b.example"));
        Assert.Null(Find(first, "c.example"));
        Assert.Equal(LookupAnswer.Found("secure"), Find(second, "a.example"));
        Assert.Null(Find(second, "b.example"));
        Assert.Equal(1, first.Identity.Sequence);
        Assert.Equal(2, second.Identity.Sequence);
    }

    [Fact]
    public void A_key_removed_and_added_in_one_change_is_there()
    {
        var snapshot = PolicySnapshot.Build(Identity, [Entry("a.example", "may")]).With(Identity, [Entry("a.example", "encrypt")], ["a.example"]);
        Assert.Equal(LookupAnswer.Found("encrypt"), Find(snapshot, "a.example"));
        Assert.Equal(1, snapshot.Count);
    }

    [Fact]
    public void Of_two_entries_with_one_key_the_later_counts()
    {
        var snapshot = PolicySnapshot.Build(Identity, [Entry("a.example", "may"), Entry("a.example", "encrypt")]);
        Assert.Equal(1, snapshot.Count);
        Assert.Equal(LookupAnswer.Found("encrypt"), Find(snapshot, "a.example"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("  ")]
    [InlineData("secure\nmay")]
    [InlineData("secure match=m\u00fcnchen.example")]
    [InlineData("secure\0")]
    public void A_policy_that_cannot_be_sent_is_a_temporary_error(string text)
    {
        var snapshot = PolicySnapshot.Build(Identity, [new("a.example", new(LookupAnswerKind.Found, text), new(LookupAnswerKind.Found, text))]);
        Assert.Equal(LookupAnswerKind.Temporary, Find(snapshot, "a.example")!.Value.Kind);
        Assert.Equal(LookupAnswerKind.Temporary, Find(snapshot, "a.example", MapName.TlsPolicyTlsRpt)!.Value.Kind);
    }

    [Fact]
    public void A_policy_at_the_protocols_limit_is_kept_and_a_longer_one_is_a_temporary_error()
    {
        var longest = new string('x', AnswerLimits.SocketmapText);
        var snapshot = PolicySnapshot.Build(Identity, [Entry("a.example", longest), Entry("b.example", longest + "x")]);
        Assert.Equal(LookupAnswer.Found(longest), Find(snapshot, "a.example"));
        Assert.Equal(LookupAnswerKind.Temporary, Find(snapshot, "b.example")!.Value.Kind);
    }

    [Theory]
    [InlineData("")]
    [InlineData("m\u00fcnchen.example")]
    public void A_key_that_is_not_canonical_is_refused(string key) =>
        Assert.Throws<ArgumentException>(() => PolicySnapshot.Build(Identity, [Entry(key, "may")]));

    [Fact]
    public void A_default_answer_is_a_temporary_error()
    {
        var snapshot = PolicySnapshot.Build(Identity, [new("a.example", default, default)]);
        Assert.Equal(LookupAnswerKind.Temporary, Find(snapshot, "a.example")!.Value.Kind);
    }

    [Fact]
    public void Many_small_changes_keep_every_version_right()
    {
        var random = new Random(20261123);
        var model = new Dictionary<string, SnapshotEntry>(StringComparer.Ordinal);
        for (var i = 0; i < 3000; i++)
            model[Key(i)] = Entry(Key(i), $"secure match=mx{i}.example");
        var snapshot = PolicySnapshot.Build(Identity, model.Values);
        for (var round = 0; round < 4000; round++)
        {
            var key = Key(random.Next(4000));
            if (random.Next(3) == 0)
            {
                snapshot = snapshot.With(Identity, [], [key]);
                model.Remove(key);
            }
            else
            {
                var entry = Entry(key, $"secure match=mx{random.Next(50)}.example");
                snapshot = snapshot.With(Identity, [entry], []);
                model[key] = entry;
            }

            Assert.Equal(model.Count, snapshot.Count);
            Assert.Equal(model.TryGetValue(key, out var expected) ? expected.Answer : null, Find(snapshot, key));
        }

        AssertEqual(model, snapshot);
        Assert.InRange(snapshot.Footprint, 1, 2_000_000);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(253)]
    [InlineData(254)]
    [InlineData(255)]
    [InlineData(256)]
    [InlineData(70_000)]
    public void A_text_of_any_length_comes_back_whole(int length)
    {
        var text = new string('x', length);
        var snapshot = PolicySnapshot.Build(Identity, [Entry("before.example", "may"), Entry("a.example", text), Entry("b.example", "encrypt")]);
        Assert.Equal(LookupAnswer.Found(text), Find(snapshot, "a.example"));
        Assert.Equal(LookupAnswer.Found("encrypt"), Find(snapshot, "b.example"));
        snapshot = snapshot.With(Identity, snapshot.Entries, []);
        Assert.Equal(LookupAnswer.Found(text), Find(snapshot, "a.example"));
    }

    [Fact]
    public void Of_a_key_that_is_read_twice_the_later_entry_counts_however_far_apart_they_are()
    {
        var rows = Enumerable.Range(0, 300).Select(i => Entry(Key(i), "may")).ToList();
        var snapshot = PolicySnapshot.Build(Identity, [.. rows, Entry(Key(299), "encrypt"), Entry(Key(0), "encrypt")]);
        Assert.Equal(300, snapshot.Count);
        Assert.Equal(LookupAnswer.Found("encrypt"), Find(snapshot, Key(299)));
        Assert.Equal(LookupAnswer.Found("encrypt"), Find(snapshot, Key(0)));
        Assert.Equal(LookupAnswer.Found("may"), Find(snapshot, Key(1)));
    }

    [Fact]
    public void One_key_changed_for_ever_does_not_grow_the_snapshot()
    {
        var snapshot = PolicySnapshot.Build(Identity, [Entry("a.example", "may"), Entry("b.example", "may")]);
        for (var i = 0; i < 10_000; i++)
            snapshot = snapshot.With(Identity, [Entry("a.example", "secure match=mx" + i.ToString(CultureInfo.InvariantCulture))], []);
        Assert.Equal(LookupAnswer.Found("secure match=mx9999"), Find(snapshot, "a.example"));
        Assert.InRange(snapshot.Footprint, 1, 20_000);
    }

    [Fact]
    public void A_change_larger_than_the_snapshot_is_applied_whole()
    {
        var model = new Dictionary<string, SnapshotEntry>(StringComparer.Ordinal);
        var snapshot = PolicySnapshot.Build(Identity, [Entry(Key(7), "may"), Entry("gone.example", "may")]);
        for (var i = 0; i < 20_000; i++)
            model[Key(i)] = Entry(Key(i), i % 3 == 0 ? "encrypt" : "secure match=" + Key(i));
        snapshot = snapshot.With(Identity, model.Values, ["gone.example", "never.example"]);
        AssertEqual(model, snapshot);
    }

    [Fact]
    public void Most_of_a_large_snapshot_can_change_at_once()
    {
        // Enough that the base is rewritten. Copying it in the order of its own index once took a time that grew with the square.
        const int rows = 200_000;
        var snapshot = PolicySnapshot.Build(Identity, Enumerable.Range(0, rows).Select(i => Entry(Key(i), "secure match=" + Key(i))));
        var before = snapshot.Footprint;
        snapshot = snapshot.With(Identity, Enumerable.Range(0, rows).Select(i => Entry(Key(i), "secure match=" + Key(i + 1))), []);
        snapshot = snapshot.With(Identity, snapshot.Entries, []);
        Assert.Equal(rows, snapshot.Count);
        Assert.Equal(LookupAnswer.Found("secure match=" + Key(rows)), Find(snapshot, Key(rows - 1)));
        Assert.InRange(snapshot.Footprint, before / 2, before * 2);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(13)]
    [InlineData(5000)]
    public void All_entries_come_out_once(int rows)
    {
        var keys = Enumerable.Range(0, rows).Select(Key).ToHashSet(StringComparer.Ordinal);
        var entries = PolicySnapshot.Build(Identity, keys.Select(key => Entry(key, "may"))).Entries.Select(entry => entry.Key).ToList();
        Assert.Equal(rows, entries.Count);
        Assert.True(keys.SetEquals(entries));
    }

    [Fact]
    public void The_default_is_found_wherever_it_lies()
    {
        var snapshot = PolicySnapshot.Build(Identity, [Entry("a.example", "may")]);
        Assert.Null(Default(snapshot));
        snapshot = snapshot.With(Identity, [Entry("*", "encrypt")], []);
        Assert.Equal("encrypt", Default(snapshot));
        snapshot = snapshot.With(Identity, Enumerable.Range(0, 5000).Select(i => Entry(Key(i), "encrypt")), []);
        Assert.Equal("encrypt", Default(snapshot));
        snapshot = snapshot.With(Identity, [Entry("*", "secure")], []);
        Assert.Equal("secure", Default(snapshot));
        snapshot = snapshot.With(Identity, [new SnapshotEntry("*", LookupAnswer.NotFound, LookupAnswer.NotFound)], []);
        Assert.Null(Default(snapshot)); // observed
        snapshot = snapshot.With(Identity, [Entry("*", "may") with { ValidUntil = Now, Then = new EntryAfter(LookupAnswer.Found("secure"), LookupAnswer.Found("secure")) }], []);
        Assert.Equal("secure", Default(snapshot));
        Assert.Null(Default(snapshot.With(Identity, [], ["*"])));

        static string? Default(PolicySnapshot of)
        {
            if (!of.TryFindDefault(MapName.TlsPolicy, Clock, out var reply))
                return null;
            var text = Encoding.ASCII.GetString(reply.Text);
            Assert.Equal(text == "encrypt" ? Protection.Encrypted : Protection.Authenticated, reply.Protection);
            Assert.Equal(DiscoveryFloor.None, reply.Floor);
            return text;
        }
    }

    [Fact]
    public void Removing_everything_leaves_nothing()
    {
        var keys = Enumerable.Range(0, 5000).Select(Key).ToList();
        var snapshot = PolicySnapshot.Build(Identity, keys.Select(key => Entry(key, "encrypt"))).With(Identity, [], keys);
        Assert.Equal(0, snapshot.Count);
        Assert.Empty(snapshot.Entries);
        Assert.All(keys, key => Assert.Null(Find(snapshot, key)));
        Assert.All(keys, key => Assert.False(IsNearMiss(snapshot, Octets(key))));
    }

    [Fact]
    public void It_behaves_like_a_dictionary()
    {
        // Few hosts in many forms, so that keys meet: in a run of the index, in the overlay and in the base.
        var genKey = Gen.Select(Gen.Int[0, 40], Gen.Int[0, 5]).Select((host, form) => form switch
        {
            0 => $"h{host}.example",
            1 => $"[h{host}.example]",
            2 => $"h{host}.example:25",
            3 => $"[h{host}.example]:587",
            4 => $".h{host}.example",
            _ => $"[2001:db8::{host + 1:x}]",
        });
        var genAnswer = Gen.Select(Gen.Int[0, 3], Gen.Int[0, 30]).Select((kind, number) => kind switch
        {
            0 => LookupAnswer.NotFound,
            1 => LookupAnswer.Temporary($"reason {number}"),
            _ => LookupAnswer.Found($"secure match=mx{number}.example"),
        });
        var genAnswers = Gen.Select(genAnswer, genAnswer, Gen.Bool, Gen.Bool, Gen.Int[0, 3])
            .Select((plain, tlsRpt, pinned, ours, floor) => new EntryAfter(
                plain, tlsRpt, pinned, ours && plain.Kind == LookupAnswerKind.NotFound,
                ours && plain.Kind == LookupAnswerKind.Temporary ? (DiscoveryFloor)floor : null));
        var genEntry = Gen.Select(genKey, genAnswers, Gen.Int[0, 12], genAnswers, Gen.Bool, Gen.Bool)
            .Select((key, answers, days, then, hasThen, hasLapsed) => answers.Of(key) with
            {
                ValidUntil = days < 8 ? null : Now.AddDays(days - 10),
                Then = days >= 8 && hasThen ? then : null,
                HasLapsed = days >= 8 && hasLapsed,
            });
        var genChange = Gen.Select(genEntry.List[0, 20], genKey.List[0, 20]);
        Gen.Select(genEntry.List[0, 60], genChange.List[0, 12]).Sample(
            (start, changes) =>
            {
                var model = new Dictionary<string, SnapshotEntry>(StringComparer.Ordinal);
                foreach (var entry in start)
                    model[entry.Key] = entry;
                var snapshot = PolicySnapshot.Build(Identity, start);
                AssertEqual(model, snapshot);
                foreach (var (changed, removed) in changes)
                {
                    foreach (var key in removed)
                        model.Remove(key);
                    foreach (var entry in changed)
                        model[entry.Key] = entry;
                    snapshot = snapshot.With(Identity, changed, removed);
                    AssertEqual(model, snapshot);
                }
            },
            iter: 300,
            seed: "0000KOIKKOI3");
    }

    [Fact]
    public void A_lookup_allocates_nothing()
    {
        var snapshot = PolicySnapshot.Build(Identity, Enumerable.Range(0, 1000).Select(i => Entry(Key(i), "encrypt")))
            .With(Identity, [Entry("changed.example", "secure")], [Key(3)]);
        var hit = Octets(Key(500));
        var miss = Octets("nothing.example");
        var changed = Octets("changed.example");
        var found = Count(); // warm
        var before = GC.GetAllocatedBytesForCurrentThread();
        found += Count();
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);
        Assert.Equal(4, found);

        int Count()
        {
            var hits = 0;
            hits += snapshot.TryFind(hit, MapName.TlsPolicy, Clock, out _) ? 1 : 0;
            hits += snapshot.TryFind(miss, MapName.TlsPolicy, Clock, out _) ? 1 : 0;
            hits += snapshot.TryFind(changed, MapName.TlsPolicyTlsRpt, Clock, out _) ? 1 : 0;
            hits += IsNearMiss(snapshot, miss) ? 1 : 0;
            return hits;
        }
    }

    [Fact]
    public void The_hash_is_SipHash_1_3() =>
        // The first of the published vectors: key 00 01 .. 0f, empty input.
        Assert.Equal(0xabac0158050fc4dcUL, new PolicySnapshotHash(0x0706050403020100, 0x0f0e0d0c0b0a0908).Compute([]));

    [Theory]
    [InlineData(0)]
    [InlineData(7)]
    [InlineData(8)]
    [InlineData(23)]
    public void The_hash_depends_on_its_key_and_on_every_octet(int length)
    {
        var octets = new byte[length + 1];
        var hash = new PolicySnapshotHash(0x0706050403020100, 0x0f0e0d0c0b0a0908);
        var other = new PolicySnapshotHash(0x0706050403020101, 0x0f0e0d0c0b0a0908);
        var seen = new HashSet<ulong> { hash.Compute(octets), other.Compute(octets), hash.Compute(octets.AsSpan(0, length)) };
        for (var at = 0; at < octets.Length; at++)
        {
            octets[at] ^= 0x80;
            seen.Add(hash.Compute(octets));
            octets[at] ^= 0x80;
        }

        Assert.Equal(3 + octets.Length, seen.Count);
    }

    private static readonly DateTimeOffset Now = DateTimeOffset.UnixEpoch.AddDays(20_000);

    private static readonly TimeProvider Clock = new FakeTimeProvider(Now);

    private static string Key(int number) => $"domain-{number:D5}.example";

    private static byte[] Octets(string key) => Encoding.ASCII.GetBytes(key);

    private static SnapshotEntry Entry(string key, string text) => new(key, LookupAnswer.Found(text), LookupAnswer.Found(text));

    private static LookupAnswer? Find(PolicySnapshot snapshot, string key, MapName map = MapName.TlsPolicy) =>
        snapshot.TryFind(Octets(key), map, Clock, out var reply) ? new LookupAnswer(reply.Kind, Encoding.ASCII.GetString(reply.Text)) : null;

    private static bool IsNearMiss(PolicySnapshot snapshot, ReadOnlySpan<byte> asked)
    {
        Assert.False(snapshot.TryFind(asked, MapName.TlsPolicy, Clock, out _, out var hasOtherForm));
        return hasOtherForm;
    }

    private static void AssertEqual(Dictionary<string, SnapshotEntry> model, PolicySnapshot snapshot)
    {
        Assert.Equal(model.Count, snapshot.Count);
        Assert.Equal(model.Values.OrderBy(entry => entry.Key, StringComparer.Ordinal), snapshot.Entries.OrderBy(entry => entry.Key, StringComparer.Ordinal));
        // What has ended without anything after it is as if it were not there.
        var over = model.Values.Where(entry => entry is { ValidUntil: { } end, Then: null } && (entry.HasLapsed || end <= Now)).Select(entry => entry.Key).ToHashSet(StringComparer.Ordinal);
        var hosts = model.Keys.Where(key => !over.Contains(key)).Select(key => Encoding.ASCII.GetString(LookupKey.BareHost(Octets(key)))).ToHashSet(StringComparer.Ordinal);
        foreach (var (key, entry) in model)
        {
            if (over.Contains(key))
            {
                Assert.Null(Find(snapshot, key));
                continue;
            }

            var now = entry.ValidUntil is { } end && (entry.HasLapsed || end <= Now) ? entry.Then!.Of(key) : entry;
            Assert.Equal(now.Answer, Find(snapshot, key));
            Assert.Equal(now.TlsRptAnswer, Find(snapshot, key, MapName.TlsPolicyTlsRpt));
            Assert.True(snapshot.TryFind(Octets(key), MapName.TlsPolicy, Clock, out var reply));
            var role = now.Floor is not null ? EntryRole.Discovers : now.IsDefault || now.Answer.Kind != LookupAnswerKind.NotFound ? EntryRole.Answers : EntryRole.Absent;
            Assert.Equal((now.IsPinned, role, now.Floor ?? DiscoveryFloor.None), (reply.IsPinned, reply.Role, reply.Floor));
        }

        for (var host = 0; host < 45; host++)
        {
            foreach (var asked in (string[])[$"h{host}.example", $"h{host}.example:26", $".h{host}.example", $"[2001:db8::{host + 1:x}]:25"])
            {
                var isConfigured = model.ContainsKey(asked) && !over.Contains(asked);
                Assert.Equal(isConfigured, snapshot.TryFind(Octets(asked), MapName.TlsPolicy, Clock, out _, out var hasOtherForm));
                Assert.Equal(!isConfigured && hosts.Contains(Encoding.ASCII.GetString(LookupKey.BareHost(Octets(asked)))), hasOtherForm);
            }
        }
    }
}
