using System.Text;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Serving;
using PolicyDaemon.Tests.Lookup;
using Xunit;

namespace PolicyDaemon.Tests.Core.Serving;

public sealed class PrecedenceTests
{
    [Theory]
    [InlineData("example.com", "example.com", Origin.Entry)]
    [InlineData("a.example.com", "a.example.com .example.com", Origin.Entry)]
    [InlineData("a.example.com", ".example.com", Origin.Parent)]
    [InlineData("a.b.example.com", ".com", Origin.Parent)]
    [InlineData(".b.example.com", ".example.com", Origin.Parent)]
    [InlineData(".example.com", ".example.com", Origin.Entry)]
    [InlineData("a.example.com", "example.com .other.example", Origin.None)]
    [InlineData("example.com", ".example.com", Origin.None)] // a dot key is for subdomains only
    [InlineData("[a.example.com]", ".example.com", Origin.None)] // Postfix does not walk from these
    [InlineData("a.example.com:587", ".example.com", Origin.None)]
    [InlineData("192.0.2.1", ".2.1", Origin.None)]
    [InlineData("-a.example.com", ".example.com", Origin.None)]
    [InlineData("/run/a.example.com", ".example.com", Origin.None)]
    public void The_nearest_that_a_person_wrote_comes_first(string key, string entries, Origin origin)
    {
        var sources = new Entries([.. entries.Split(' ')]);
        Assert.Equal(origin, Precedence.Of(sources.RoleOf(key), Encoding.ASCII.GetBytes(key), sources));
    }

    [Theory]
    [InlineData("example.com", "example.com", Origin.Entry)]
    [InlineData("a.example.com", ".example.com", Origin.Parent)]
    [InlineData("a.b.example.com", ".example.com", Origin.Parent)]
    [InlineData("example.com", ".example.com", Origin.Discovery)]
    [InlineData("a.example.com", "example.com", Origin.Discovery)]
    [InlineData("[a.example.com]", ".example.com", Origin.Discovery)]
    public void Discovery_answers_where_neither_the_key_nor_a_parent_has_an_entry(string key, string entries, Origin origin)
    {
        var sources = new Entries([.. entries.Split(' ')]) { DiscoversAll = true };
        Assert.Equal(origin, Precedence.Of(sources.RoleOf(key), Encoding.ASCII.GetBytes(key), sources));
    }

    [Theory]
    [InlineData("example.com", "example.com", false, Origin.Entry)]
    [InlineData("a.example.com", ".example.com", false, Origin.Parent)]
    [InlineData("example.com", ".example.com", false, Origin.Default)]
    [InlineData("example.com", ".example.com", true, Origin.Discovery)]
    [InlineData("com", "", false, Origin.Default)]
    [InlineData("192.0.2.1", "", false, Origin.Default)]
    [InlineData(".example.com", "", false, Origin.None)]
    [InlineData("[mx.example.com]", "", false, Origin.None)]
    [InlineData("example.com:25", "", false, Origin.None)]
    [InlineData("[mx.example.com]:587", "", false, Origin.None)]
    [InlineData("2001:db8::1", "", false, Origin.None)]
    [InlineData("/run/lmtp", "", false, Origin.None)]
    public void The_default_answers_for_bare_domains_that_nothing_else_answers_for(string key, string entries, bool discovers, Origin origin)
    {
        var sources = new Entries([.. entries.Split(' ')]) { DiscoversAll = discovers, HasDefault = true };
        Assert.Equal(origin, Precedence.Of(sources.RoleOf(key), Encoding.ASCII.GetBytes(key), sources));
    }

    [Theory]
    [InlineData("may", false)]
    [InlineData("default", true)]
    public void An_entry_that_discovers_hands_on_to_discovery_whatever_its_parents_say(string parent, bool hasDefault)
    {
        var sources = new Entries([".example.com", parent]) { HasDefault = hasDefault };
        Assert.Equal(Origin.Discovery, Precedence.Of(EntryRole.Discovers, "a.example.com"u8, sources));
    }

    [Fact]
    public void Where_nothing_else_could_answer_parents_are_not_asked_for()
    {
        var sources = new Entries([".example.com"]) { AsksParents = false };

        Assert.Equal(Origin.None, Precedence.Of(EntryRole.Absent, "a.example.com"u8, sources));
        Assert.Empty(sources.Asked);
    }

    [Theory]
    [InlineData("found.example", true)]
    [InlineData("broken.example", true)] // a temporary error is an answer
    [InlineData("observed.example", false)]
    [InlineData("lapsed.example", false)]
    [InlineData("valid.example", true)]
    [InlineData("unknown.example", false)]
    public void Of_a_snapshot_what_is_only_observed_or_has_lapsed_counts_as_absent(string key, bool isInForce)
    {
        var time = TimeProvider.System;
        var found = LookupAnswer.Found("secure");
        var snapshot = PolicySnapshot.Build(
            LookupTestData.Identity,
            [
                new("found.example", found, found),
                new("broken.example", LookupAnswer.Temporary("no pin"), LookupAnswer.Temporary("no pin")),
                new("observed.example", LookupAnswer.NotFound, LookupAnswer.NotFound),
                new("lapsed.example", found, found, ValidUntil: DateTimeOffset.UnixEpoch.AddDays(1)),
                new("valid.example", found, found, ValidUntil: time.GetUtcNow().AddDays(1)),
            ]);

        Assert.Equal(isInForce, new SnapshotSources(snapshot, time).HasEntry(Encoding.ASCII.GetBytes(key)));
    }

    private sealed class Entries(HashSet<string> keys) : IAnswerSources
    {
        public List<string> Asked { get; } = [];

        public bool AsksParents { get; init; } = true;

        public bool DiscoversAll { get; init; }

        public bool HasDefault { get; init; }

        public EntryRole RoleOf(string key) => keys.Contains(key) ? EntryRole.Answers : EntryRole.Absent;

        public bool Discovers(ReadOnlySpan<byte> canonicalKey) => DiscoversAll;

        public bool HasEntry(ReadOnlySpan<byte> canonicalKey)
        {
            var key = Encoding.ASCII.GetString(canonicalKey);
            Asked.Add(key);
            return keys.Contains(key);
        }
    }
}
