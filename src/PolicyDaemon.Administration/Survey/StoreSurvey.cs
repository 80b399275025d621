using System.Collections.Immutable;
using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Core.Rotation;
using PolicyDaemon.Store;
using PolicyDaemon.Store.Browsing;
using PolicyDaemon.Store.Engines;
using PolicyDaemon.Store.Faults;

namespace PolicyDaemon.Administration.Survey;

/// <summary>What takes a walk through the whole store: counts, certificates that end, pins that move.</summary>
/// <param name="At">When it was begun.</param>
/// <param name="Took">How long it took.</param>
/// <param name="Counts">The counts of the store.</param>
/// <param name="Enforced">How many enforced destinations have each verdict.</param>
/// <param name="Observed">How many observed destinations have each verdict.</param>
/// <param name="Ending">The certificates in use that end within <see cref="EndingWithin"/>, or have ended a short time ago; of many the first ones.</param>
/// <param name="Moving">The pins whose state changes next; of many the newest.</param>
public sealed record StoreSurvey(
    DateTimeOffset At, TimeSpan Took, StoreCounts Counts, IReadOnlyDictionary<DestinationVerdict, long> Enforced,
    IReadOnlyDictionary<DestinationVerdict, long> Observed, ImmutableArray<EndingCertificate> Ending, ImmutableArray<MovingPin> Moving)
{
    /// <summary>How far ahead certificates are told of.</summary>
    public static readonly TimeSpan EndingWithin = TimeSpan.FromDays(90);

    /// <summary>For how long a certificate that has ended is told of.</summary>
    public static readonly TimeSpan EndedWithin = TimeSpan.FromDays(7);

    /// <summary>Certificates that are told of at most.</summary>
    public const int MostEnding = 200;

    /// <summary>Pins that are told of at most.</summary>
    public const int MostMoving = 40;

    /// <exception cref="StoreException">The store cannot be read.</exception>
    internal static StoreSurvey Of(Settings settings, EndingCertificates known, TimeProvider time)
    {
        var began = time.GetTimestamp();
        var at = time.GetUtcNow();
        using var store = PolicyStore.Open(settings.Database, StoreAccess.Read, time);
        return new StoreSurvey(
            at, TimeSpan.Zero, store.Counts(), store.CountVerdicts(observed: false), store.CountVerdicts(observed: true),
            [.. store.ReadEnding(known, at - EndedWithin, at + EndingWithin, MostEnding)], [.. store.ReadMovingPins(MostMoving)])
        {
            Took = time.GetElapsedTime(began),
        };
    }
}
