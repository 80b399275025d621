using System.Text;
using PolicyDaemon.Administration.Discovery;
using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Discovery;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Serving;
using PolicyDaemon.Store;

namespace PolicyDaemon.Administration.Explaining;

/// <summary>One key that Postfix may ask for.</summary>
/// <param name="Key">The key.</param>
/// <param name="Entry">Its entry; null where it is not configured.</param>
/// <param name="Origin">The origin of the answer.</param>
/// <param name="Answer">The answer on the map <c>tlspolicy</c>.</param>
/// <param name="OtherForms">Keys of the same bare host that are configured: a near miss where the key itself is not.</param>
/// <param name="Asked">False where an earlier key ends Postfix's walk.</param>
public sealed record ExplainedKey(
    NextHop Key, Destination? Entry, Origin Origin, LookupAnswer Answer, IReadOnlyList<NextHop> OtherForms, bool Asked)
{
    /// <summary>The state of the key in discovery; null where the key's answer does not come from there.</summary>
    public DiscoveredState? Discovered { get; init; }

    /// <summary>The entry whose policy is the answer: the key's own, or <c>*</c>; null where no entry's is.</summary>
    public Destination? Answering { get; init; }

    /// <summary>The entry to which the answer is owed, whether it says it itself or names a floor; null where there is none.</summary>
    public Destination? Rule => Answering ?? (Entry is { Observe: false } ? Entry : null);

    public bool IsNearMiss => Entry is null && OtherForms.Count > 0;

    /// <summary>Of a near miss the command after which an entry answers for the key, too; null where a person decides what the key is worth.</summary>
    public string? NearMissCommand { get; init; }

    /// <summary>The entry for this domain's subdomains, where there is one and none for the domain itself: people take it to answer for both.</summary>
    public NextHop? SubdomainsOnly { get; init; }
}

/// <summary>The answers that Postfix gets when it asks for a next hop, and why: the walk of smtp/smtp_tls_policy.c over the store.</summary>
/// <param name="Keys">Every key of the walk, in order.</param>
/// <param name="Decisive">The key whose answer ends the walk; null where all are not found.</param>
public sealed record Explanation(NextHop NextHop, IReadOnlyList<ExplainedKey> Keys, ExplainedKey? Decisive)
{
    /// <summary>The answer with which Postfix's walk over the keys ends.</summary>
    public LookupAnswer Answer => Decisive?.Answer ?? LookupAnswer.NotFound;

    /// <summary>The entry to which this is owed; null where there is none.</summary>
    public Destination? Rule => (Decisive ?? Keys.FirstOrDefault(key => key.Rule is not null))?.Rule;

    /// <param name="nextHop">The next hop.</param>
    /// <param name="store">Entries, and what discovery remembers.</param>
    /// <param name="settings">The configuration of the daemon.</param>
    /// <param name="now">The time, UTC.</param>
    public static Explanation Of(NextHop nextHop, PolicyStore store, Settings settings, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(settings);
        var postfix = settings.Postfix;
        var keys = new List<ExplainedKey>();
        ExplainedKey? decisive = null;
        var answersDiscovered = settings.Discovery.Mode == DiscoveryMode.On;
        var sources = new StoreSources(store, postfix, now, answersDiscovered ? new DiscoveryScope(settings.Discovery.Skip) : null);
        foreach (var key in nextHop.LookupChain())
        {
            var entry = sources.Entry(key);
            var role = sources.RoleOf(entry);
            var origin = Precedence.Of(role, Encoding.ASCII.GetBytes(key.Text), sources);
            var forms = store.OtherForms(key);
            var others = forms.Select(other => other.Key).ToList();
            var discovered = origin == Origin.Discovery ? DiscoveredState.Read(key, store, settings, now) : null;
            var explained = new ExplainedKey(key, entry, origin, LookupAnswer.NotFound, others, decisive is null)
            {
                Discovered = discovered,
                NearMissCommand = NearMiss.Command(key, forms),
                SubdomainsOnly = entry is null && key.IsPlainHostName && NextHop.Parse("." + key.Text) is var below && sources.Entry(below) is not null
                    ? below
                    : null,
            };
            explained = Answered(explained, role, sources.Everybody, postfix, answersDiscovered);
            keys.Add(explained);
            // Any answer that is not "not found", an error included, ends the walk.
            if (decisive is null && explained.Answer.Kind != LookupAnswerKind.NotFound)
                decisive = explained;
        }

        return new Explanation(nextHop, keys, decisive);
    }

    /// <summary>The answer of whoever answers, by the rule of the lookup path.</summary>
    private static ExplainedKey Answered(ExplainedKey key, EntryRole role, Destination? everybody, PostfixSettings postfix, bool answersDiscovered)
    {
        var discovered = key.Origin == Origin.Discovery && answersDiscovered ? key.Discovered : null;
        var itsAnswer = everybody is null ? LookupAnswer.NotFound : PolicyText.Answer(everybody, postfix, MapName.TlsPolicy);
        var answerer = new AnswerRule(key.Origin, role, key.Entry?.Floor ?? DiscoveryFloor.None, key.IsNearMiss, postfix).Of(
            Encoding.ASCII.GetBytes(key.Key.Text),
            discovered is null ? null : new DiscoverySide(discovered.Answer.Kind, discovered.Verdict is { IsUnknown: false } known ? known.Answer : null),
            everybody is null ? null : new DefaultSide(itsAnswer.Kind, itsAnswer.Protection));
        return answerer switch
        {
            Answerer.Entry => key with { Answer = PolicyText.Answer(key.Entry!, postfix, MapName.TlsPolicy), Answering = key.Entry },
            Answerer.NearMiss => key with { Answer = postfix.NearMiss.Answer() },
            Answerer.BelowFloor => key with { Answer = PolicySnapshotAnswers.BelowFloor },
            Answerer.Discovery => key with { Answer = discovered!.Answer },
            Answerer.Default => key with { Origin = Origin.Default, Answer = itsAnswer, Answering = everybody },
            _ => key with { Answer = LookupAnswer.NotFound },
        };
    }
}

/// <summary>Whether a pin stands in the answer that Postfix gets.</summary>
public static class PinAnswer
{
    /// <param name="selection">The selection of the destination's pins.</param>
    /// <returns>Why the pin is left out; null where it stands in the answer.</returns>
    public static string? WhyLeftOut(Destination destination, PinSelection selection, Pin pin)
    {
        ArgumentNullException.ThrowIfNull(destination);
        ArgumentNullException.ThrowIfNull(selection);
        if (!destination.Policy.Level.MatchesFingerprints())
            return $"level {destination.Policy.Level.Name()} takes no pins";
        return destination.Observe ? "the entry is only observed" : selection.LeftOut.FirstOrDefault(left => ReferenceEquals(left.Pin, pin)).Why;
    }
}
