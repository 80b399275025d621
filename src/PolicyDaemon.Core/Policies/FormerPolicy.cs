namespace PolicyDaemon.Core.Policies;

/// <summary>What an entry that is temporary comes to again at its end: all of it that an answer follows from, but for the pins, which have a life of their own.</summary>
/// <param name="Policy">Level and attributes.</param>
/// <param name="Floor">At level <c>discovered</c>: the least that was taken.</param>
/// <param name="Observe">It was not enforced.</param>
public sealed record FormerPolicy(TlsPolicy Policy, DiscoveryFloor Floor, bool Observe)
{
    /// <summary>What an entry says now.</summary>
    public static FormerPolicy Of(Destination entry)
    {
        ArgumentNullException.ThrowIfNull(entry);
        return new(entry.Policy, entry.Floor, entry.Observe);
    }
}

/// <summary>Entries that end by themselves (<c>--until</c>): time decides, whoever notices it when.</summary>
/// <remarks>
/// One that was added so goes at its end; in one that was set so the former policy returns, with the pins as they are by then. An end that has
/// come is never undone: what is written, served and shown is what came then, whether or not the store says so yet.
/// </remarks>
public static class Temporary
{
    /// <summary>What ends later is not meant to end.</summary>
    public const int MostYears = 10;

    /// <summary>The latest end that an entry can be given.</summary>
    public static DateTimeOffset Longest(DateTimeOffset now) => now.AddYears(MostYears);

    /// <summary>The entry as it will be after its end; itself where it has none, null where it goes.</summary>
    public static Destination? AfterEnd(this Destination entry)
    {
        ArgumentNullException.ThrowIfNull(entry);
        return entry switch
        {
            { Until: null } => entry,
            { Former: { } former } => entry with { Policy = former.Policy, Floor = former.Floor, Observe = former.Observe, Until = null, Former = null },
            _ => null,
        };
    }

    /// <summary>The entry as it is in force at a time; null where it is gone.</summary>
    public static Destination? At(this Destination entry, DateTimeOffset time)
    {
        ArgumentNullException.ThrowIfNull(entry);
        return entry.Until <= time ? entry.AfterEnd() : entry;
    }

    /// <summary>An entry that a change makes temporary, or whose end it moves.</summary>
    /// <param name="before">The entry as it is.</param>
    /// <param name="after">The entry as it shall be until then.</param>
    /// <param name="until">When it ends.</param>
    public static Destination Until(Destination before, Destination after, DateTimeOffset until)
    {
        ArgumentNullException.ThrowIfNull(before);
        ArgumentNullException.ThrowIfNull(after);
        return after with { Until = until, Former = before.Until is null ? FormerPolicy.Of(before) : before.Former };
    }

    /// <summary>The entry without its end where nothing would end then: it says already what it comes to.</summary>
    public static Destination Settled(this Destination entry)
    {
        ArgumentNullException.ThrowIfNull(entry);
        return entry.Former is { } former && former == FormerPolicy.Of(entry) ? entry with { Until = null, Former = null } : entry;
    }
}
