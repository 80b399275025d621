using System.Text.Json;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Rotation;

namespace PolicyDaemon.Store.Documents;

/// <summary>The end of an entry as its columns have it, for whoever reads a few columns and no whole entry: by the clock, whether or not the end is written.</summary>
/// <param name="ValidUntil">When it ends; null: never.</param>
/// <param name="Former">What it comes to then, as JSON; null where it goes.</param>
internal readonly record struct StoredEnd(long? ValidUntil, string? Former)
{
    /// <summary>True where the end has come.</summary>
    internal bool HasCome(DateTimeOffset now) => ValidUntil <= now.Seconds();

    /// <summary>Whether the entry is only observed at a time.</summary>
    /// <param name="observe">The column.</param>
    internal bool Observes(bool observe, DateTimeOffset now) => HasCome(now) ? Read()?.Observe == true : observe;

    /// <summary>The name of the level that is in force at a time; null where the entry is gone.</summary>
    /// <param name="level">The column.</param>
    internal string? Level(string level, DateTimeOffset now) => HasCome(now) ? Read()?.Policy.Level.Name() : level;

    /// <summary>What is known of mail at a time: a verdict from before the end is about another policy.</summary>
    /// <param name="verdict">The verdict of the last probe, as it stands in the store; null before the first.</param>
    /// <param name="lastProbe">When that was.</param>
    internal DestinationVerdict? Verdict(string? verdict, long? lastProbe, DateTimeOffset now) =>
        verdict is null ? null
        : !IsSince(lastProbe, now) && DestinationVerdicts.TryParse(verdict, out var known) ? known
        : DestinationVerdict.Unknown;

    /// <summary>True where the end has come, and no probe since.</summary>
    internal bool IsSince(long? lastProbe, DateTimeOffset now) => HasCome(now) && lastProbe < ValidUntil;

    // What cannot be read is taken for enforced; reading the entry itself says why it is not.
    private FormerPolicy? Read()
    {
        try
        {
            return DestinationDocument.FormerFromJson(Former);
        }
        catch (Exception fault) when (fault is FormatException or JsonException)
        {
            return null;
        }
    }
}
