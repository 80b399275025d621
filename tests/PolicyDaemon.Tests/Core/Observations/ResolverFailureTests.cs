using PolicyDaemon.Core.Observations;
using Xunit;

namespace PolicyDaemon.Tests.Core.Observations;

public sealed class ResolverFailureTests
{
    [Theory]
    [InlineData("", "")]
    [InlineData("a:answers SERVFAIL", "the resolver a answers SERVFAIL")]
    [InlineData("a:answers SERVFAIL b:answers SERVFAIL a:answers SERVFAIL", "each of the resolvers a, b answers SERVFAIL")]
    [InlineData("a:answers SERVFAIL b:refuses connections", "the resolver a answers SERVFAIL, and the resolver b refuses connections")]
    [InlineData("a:answers SERVFAIL a:refuses connections", "the resolver a answers SERVFAIL or refuses connections")]
    public void The_clause_names_each_resolver_once_and_all_that_it_does(string failures, string clause)
    {
        var read = failures.Split(' ', StringSplitOptions.RemoveEmptyEntries).Aggregate(
            new List<string>(), (words, word) =>
            {
                if (word.Contains(':', StringComparison.Ordinal))
                    words.Add(word);
                else
                    words[^1] += " " + word;
                return words;
            });

        Assert.Equal(clause, ResolverFailure.Clause(read.Select(one => new ResolverFailure(one[..1], one[2..]))));
    }
}
