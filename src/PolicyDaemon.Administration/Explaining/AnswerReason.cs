using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Runtime;

namespace PolicyDaemon.Administration.Explaining;

/// <summary>Where the answer to a key comes from, where the answer itself does not say so.</summary>
public static class AnswerReason
{
    /// <returns>With a colon before it; empty where there is nothing to say.</returns>
    public static string Of(ExplainedKey key)
    {
        ArgumentNullException.ThrowIfNull(key);
        return Reason(key)
        + ((key.Answering ?? key.Rule) is { Until: { } until } ? $"{(Reason(key).Length == 0 ? ":" : ",")} until {UtcTime.Text(until)}" : "");
    }

    private static string Reason(ExplainedKey key)
    {
        if (key.Entry is { Observe: true })
            return ": configured, but only observed";
        if (key.Entry is { Policy.Level: TlsLevel.Default, Observe: false })
            return ": its entry says default: main.cf decides, whatever it publishes";
        if (key.Answering is { Key.IsDefault: true })
            return ": the entry *, for every domain that nothing stricter answers for" + (key.Discovered is { } less ? $"; discovered: {less.Why}" : "");
        if (key is { Discovered: { } published, Entry: { Observe: false } asking })
            return (asking.Floor == DiscoveryFloor.None ? ": its entry says discovered: " : $": its entry says discovered, and at least {asking.Floor.Name()}: ") + published.Why;
        if (key.Discovered is { } discovered)
            return $": discovered: {discovered.Why}";
        if (key.IsNearMiss)
            return $": near miss, {string.Join(", ", key.OtherForms)} is configured and is another key; "
                + (key.NearMissCommand is { } command ? $"if it should answer here too: {command}" : $"if mail to it should be protected, it takes an entry; what would deliver: policyctl check {Shell.Quote(key.Key.Text)}");
        if (key.SubdomainsOnly is { } below)
            return $": {below} is configured and answers for subdomains only; for {key.Key} itself: {NearMiss.Like(key.Key, below)}";
        return "";
    }
}
