using PolicyDaemon.Administration.Discovery;
using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Core.Discovery;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Store;
using PolicyDaemon.Store.Changes;
using PolicyDaemon.Store.Engines;

namespace PolicyDaemon.Administration.Changes;

/// <summary>What new entries take the place of: the answers that discovery gives to their keys. An entry can weaken them as it can weaken another entry.</summary>
/// <remarks>The key of a certificate or server that a person names is not weaker than what a domain publishes: level fingerprint takes no reason.</remarks>
internal sealed class DiscoveredBefore : IDisposable
{
    private readonly Settings settings;
    private readonly DateTimeOffset now;

    // Of its own: of many keys one thread judges while another writes over the change's. Null where discovery answers nothing.
    private readonly PolicyStore? store;

    internal DiscoveredBefore(Settings settings, TimeProvider time, DateTimeOffset now)
    {
        (this.settings, this.now) = (settings, now);
        store = settings.Discovery.Mode == DiscoveryMode.On ? PolicyStore.Open(settings.Database, StoreAccess.Read, time) : null;
    }

    public void Dispose() => store?.Dispose();

    /// <summary>The judgement of a change with what discovery has to say about it.</summary>
    internal JudgedPlan Of(PlannedChange planned, JudgedChange judged)
    {
        var plain = new JudgedPlan(planned, judged);
        if (store is null || judged.Before is not null
            || planned.After is not { Observe: false, Policy.Level: not TlsLevel.Default and not TlsLevel.AsDiscovered } after
            || store.FindDiscovered(planned.Key) is not { } memory
            || DiscoveredState.Of(planned.Key, memory, settings, now) is not { Verdict: { IsUnknown: false } verdict, Answer: { Kind: LookupAnswerKind.Found } answer }
            || Policy(verdict) is not { } policy
            // An enforced parent comes first.
            || planned.Key.LookupChain().Skip(1).Any(parent => store.Find(parent) is { Observe: false }))
            return plain;
        return plain with
        {
            AnswerDiscovered = answer,
            Overrides = after.Policy.Level == TlsLevel.Fingerprint
                ? []
                : [.. Weakening.Of(new Destination { Key = planned.Key, Policy = policy }, after, settings.Postfix, _ => null, now)
                    .Select(reason => $"{reason}; it publishes more, and that is answered now")],
        };
    }

    private static TlsPolicy? Policy(DiscoveryVerdict verdict) => verdict switch
    {
        { Answer: DiscoveredAnswer.DaneOnly } => new TlsPolicy { Level = TlsLevel.DaneOnly },
        { Answer: DiscoveredAnswer.Secure, Policy: { } kept } => new TlsPolicy
        {
            Level = TlsLevel.Secure, Match = [.. kept.Policy.MxPatterns.Select(pattern => pattern.StartsWith('*') ? pattern[1..] : pattern)],
        },
        _ => null,
    };
}
