using System.Globalization;
using PolicyDaemon.Core.Policies;

namespace PolicyDaemon.Core.Tables;

/// <summary>The end of an entry in a row of a table: when, and what it comes to then, which is a policy with the attributes floor and observe.</summary>
internal static class EntryEndText
{
    private static readonly string[] Times = ["yyyy-MM-dd'T'HH:mm:ssK", "yyyy-MM-dd'T'HH:mmK", "yyyy-MM-dd"];

    /// <summary>The policy that an entry comes to, in the syntax of a row.</summary>
    internal static string Of(FormerPolicy former)
    {
        var words = new List<string> { former.Policy.Level.Name() };
        words.AddRange(EntryTableWriter.Attributes(former.Policy));
        if (former.Floor != DiscoveryFloor.None)
            words.Add($"floor={former.Floor.Name()}");
        if (former.Observe)
            words.Add($"observe={PolicyAttribute.Yes}");
        return string.Join(' ', words);
    }

    internal static (Destination?, string?) AddUntil(Destination entry, string value, DateTimeOffset since) => DateTimeOffset.TryParseExact(
        value, Times, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var time)
        && time > DateTimeOffset.UnixEpoch && time <= Temporary.Longest(since)
        ? (entry with { Until = time }, null)
        : (null, $"'{AttributeValues.Shown(value)}' is no time of the next {Temporary.MostYears} years, such as 2026-12-01T00:00:00Z");

    internal static (Destination?, string?) AddThen(Destination entry, string value, DateTimeOffset since)
    {
        if (entry.Until is null)
            return (null, "it takes until, too: when the entry comes to it");
        var text = value;
        var own = EntryAttributeReader.Take(ref text);
        var reading = PolicyTextReader.Read(text, PostfixVersion.Newest, ofEntry: true);
        if (reading.Problems.Concat(own.Problems).Select(problem => problem.Problem).FirstOrDefault() is { } problem)
            return (null, problem.ToString());
        var bare = new Destination { Key = entry.Key, Policy = reading.Policy! };
        var then = own.Apply(bare, since, out var wrong);
        if (wrong is { } refused)
            return (null, refused.Problem.ToString());
        if (!reading.Fingerprints.IsEmpty || then with { Floor = bare.Floor, Observe = bare.Observe } != bare)
            return (null, "it is a level with its attributes, floor and observe; pins stand in the row itself");
        return (entry with { Former = FormerPolicy.Of(then) }, null);
    }
}
