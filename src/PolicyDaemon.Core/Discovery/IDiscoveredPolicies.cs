using PolicyDaemon.Core.Destinations;

namespace PolicyDaemon.Core.Discovery;

/// <summary>Where discovery keeps what it remembers. Safe for several tasks at once.</summary>
/// <remarks>A call ends when what it wrote is durable. One that cannot (a full disk, a locked store) throws
/// <see cref="DiscoveryStoreException"/>, and discovery goes on with what it has in memory.</remarks>
public interface IDiscoveredPolicies
{
    /// <summary>What is remembered of these keys; those that are not known are left out.</summary>
    Task<IReadOnlyList<Discovered>> ReadAsync(IReadOnlyCollection<NextHop> keys, CancellationToken cancellation);

    /// <summary>Keeps all of a batch or none of it; of two entries with the same key the later counts.</summary>
    Task WriteAsync(IReadOnlyCollection<DiscoveredEntry> batch, CancellationToken cancellation);

    /// <summary>Domains whose kept policy is to be fetched again, the longest due first (<see cref="StsRules.IsRenewalDue"/>).</summary>
    /// <param name="now">The time, UTC.</param>
    /// <param name="most">At most so many.</param>
    Task<IReadOnlyList<NextHop>> ReadRenewalsAsync(DateTimeOffset now, int most, CancellationToken cancellation);
}

/// <param name="Memory">What is remembered of the destination from now on.</param>
/// <param name="Change">What changed for its mail; null where nothing did.</param>
public sealed record DiscoveredEntry(Discovered Memory, DiscoveryChange? Change);

/// <summary>A change of a destination's verdict, kept with what it rested on.</summary>
/// <param name="At">When it was found, UTC.</param>
/// <param name="From">The answer before; null for the first verdict.</param>
/// <param name="FromRow">The row that had decided; null for the first verdict.</param>
/// <param name="To">The answer now.</param>
/// <param name="ToRow">The row that decided.</param>
/// <param name="Evidence">What it rests on.</param>
public sealed record DiscoveryChange(
    DateTimeOffset At, DiscoveredAnswer? From, DiscoveryRow? FromRow, DiscoveredAnswer To, DiscoveryRow ToRow, DiscoveryEvidence Evidence)
{
    /// <summary>The change from a verdict to another; null where mail is treated alike, by the same row and the same policy.</summary>
    public static DiscoveryChange? Between(DiscoveryVerdict? before, DiscoveryVerdict after, DiscoveryEvidence evidence)
    {
        ArgumentNullException.ThrowIfNull(after);
        ArgumentNullException.ThrowIfNull(evidence);
        return before is not null && (before.Answer, before.Row, before.Policy?.Text) == (after.Answer, after.Row, after.Policy?.Text)
            ? null
            : new DiscoveryChange(evidence.At, before?.Answer, before?.Row, after.Answer, after.Row, evidence);
    }
}

/// <summary>What is remembered cannot be read or written now.</summary>
public sealed class DiscoveryStoreException : Exception
{
    public DiscoveryStoreException(string message, Exception? inner = null)
        : base(message, inner)
    {
    }
}
