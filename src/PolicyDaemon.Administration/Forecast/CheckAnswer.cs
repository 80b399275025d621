using System.Text;
using PolicyDaemon.Administration.Discovery;
using PolicyDaemon.Administration.Explaining;
using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Discovery;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Serving;
using PolicyDaemon.Store;
using PolicyDaemon.Store.Engines;
using PolicyDaemon.Store.Faults;

namespace PolicyDaemon.Administration.Forecast;

/// <summary>What the store and the daemon say of a destination before it is checked.</summary>
/// <param name="Entry">Its own entry, or else the nearest parent's that is in force; null where there is none.</param>
/// <param name="Everybody">The entry <c>*</c>; null where none is in force.</param>
/// <param name="ParentAnswers">An entry for a parent's subdomains is in force, so that neither discovery nor <c>*</c> answers for the key.</param>
/// <param name="IsNearMiss">The key is not configured, and its bare host is in another form.</param>
/// <param name="Open">The open findings about the entries above.</param>
/// <param name="Memory">What discovery remembers of it.</param>
/// <param name="Problem">Why the store could not be asked; null where it could.</param>
/// <param name="DaemonAbsence">The sentence that policyd does not run; null where it does.</param>
internal sealed record KnownBefore(
    Destination? Entry, Destination? Everybody, bool ParentAnswers, bool IsNearMiss, IReadOnlyList<Finding> Open, Discovered? Memory, string? Problem,
    string? DaemonAbsence)
{
    /// <summary>Asks the store and the daemon.</summary>
    internal static KnownBefore Read(NextHop key, Settings settings, TimeProvider time)
    {
        try
        {
            using var store = PolicyStore.Open(settings.Database, StoreAccess.Read, time);
            var now = time.GetUtcNow();
            var explanation = Explanation.Of(key, store, settings, now);
            var first = explanation.Keys[0];
            var entry = first.Entry ?? (explanation.Rule is { } rule && rule.Key != NextHop.Default ? rule : null);
            var everybody = store.Find(NextHop.Default)?.At(now) is { Observe: false } inForce ? inForce : null;
            return new KnownBefore(
                entry, everybody, first.Origin == Origin.Parent, first.IsNearMiss,
                [.. new[] { entry?.Key, everybody?.Key }.OfType<NextHop>().Distinct().SelectMany(store.OpenFindings)],
                store.FindDiscovered(key), null, Status.DaemonAbsence.Of(settings, time));
        }
        catch (StoreException fault)
        {
            // Servers can be probed without a store; whoever checks a domain before installing has none yet.
            return new KnownBefore(null, null, false, false, [], null, fault.Message, null);
        }
    }

    /// <summary>What a record says of it.</summary>
    /// <exception cref="FormatException">An entry in it cannot be read.</exception>
    internal static KnownBefore Of(CheckRecord record, PostfixSettings postfix)
    {
        var entry = CheckRecordTexts.Entry(record.Entry, record.At, postfix);
        return new KnownBefore(
            entry, CheckRecordTexts.Entry(record.Everybody, record.At, postfix), record.ParentAnswers || (entry is not null && entry.Key != record.Key),
            record.NearMiss, [], null, record.StoreProblem, null);
    }
}

/// <summary>Who answers for a destination by what a check found now: by the rule of the lookup path.</summary>
/// <param name="Answerer">Whose answer it is.</param>
/// <param name="Entry">The entry that decides: its own, observed or not, or else the parent's or <c>*</c> that answers; null where there is none.</param>
internal readonly record struct CheckAnswer(Answerer Answerer, Destination? Entry)
{
    /// <param name="key">The destination.</param>
    /// <param name="known">What the store says.</param>
    /// <param name="discovered">The state of discovery by what was found now; null where it is off, or does not answer for the key.</param>
    /// <param name="settings">The configuration.</param>
    internal static CheckAnswer Of(NextHop key, KnownBefore known, DiscoveredState? discovered, Settings settings)
    {
        var postfix = settings.Postfix;
        var canonical = Encoding.ASCII.GetBytes(key.Text);
        var own = known.Entry?.Key == key ? known.Entry : null;
        var role = own is null or { Observe: true } ? EntryRole.Absent : own.Policy.Level == TlsLevel.AsDiscovered ? EntryRole.Discovers : EntryRole.Answers;
        var side = settings.Discovery.Mode == DiscoveryMode.On ? discovered : null;
        var origin = Precedence.Of(role, canonical, new Sources(known, side is not null));
        var everybody = known.Everybody is { } entry ? PolicyText.Answer(entry, postfix, MapName.TlsPolicy) : LookupAnswer.NotFound;
        var answerer = new AnswerRule(origin, role, own?.Floor ?? DiscoveryFloor.None, known.IsNearMiss, postfix).Of(
            canonical,
            side is null ? null : new DiscoverySide(side.Answer.Kind, side.Verdict is { IsUnknown: false } verdict ? verdict.Answer : null),
            known.Everybody is null ? null : new DefaultSide(everybody.Kind, everybody.Protection));
        return new CheckAnswer(answerer, own ?? (answerer == Answerer.Default ? known.Everybody : origin == Origin.Parent ? known.Entry : null));
    }

    private readonly struct Sources(KnownBefore known, bool discovers) : IAnswerSources
    {
        public bool AsksParents => true;

        public bool HasDefault => known.Everybody is not null;

        public bool Discovers(ReadOnlySpan<byte> canonicalKey) => discovers;

        public bool HasEntry(ReadOnlySpan<byte> parent) => known.ParentAnswers;
    }
}
