using Microsoft.Extensions.Logging;

namespace PolicyDaemon.Store.Snapshots;

/// <summary>What the store's side of the daemon says in the log. Event ids 2000 to 2099.</summary>
internal static partial class StoreLog
{
    [LoggerMessage(2000, LogLevel.Information, "Serving {Destinations} destinations from the store {Store}, audit row {Sequence} {Hash}")]
    internal static partial void Loaded(ILogger log, int destinations, string store, long sequence, string hash);

    [LoggerMessage(2001, LogLevel.Information, "Change live: {Changed} changed, {Removed} removed, audit row {Sequence} {Hash}")]
    internal static partial void Changed(ILogger log, int changed, int removed, long sequence, string hash);

    [LoggerMessage(2002, LogLevel.Information, "Read the last good snapshot from {File}: {Destinations} destinations, audit row {Sequence}")]
    internal static partial void SnapshotRead(ILogger log, string file, int destinations, long sequence);

    [LoggerMessage(2003, LogLevel.Warning, "The last good snapshot {File} cannot be used: {Reason}")]
    internal static partial void SnapshotUnreadable(ILogger log, string file, string reason);

    [LoggerMessage(2004, LogLevel.Error, "Finding {Kind} about {Subject}: {Detail}. {Remedy}")]
    internal static partial void FindingRaised(ILogger log, string kind, string subject, string detail, string remedy);

    [LoggerMessage(2005, LogLevel.Information, "Finding {Kind} about {Subject} is settled")]
    internal static partial void FindingClosed(ILogger log, string kind, string subject);

    [LoggerMessage(2006, LogLevel.Error, "Watching the store failed unexpectedly; the last good snapshot keeps answering")]
    internal static partial void WatchFailed(ILogger log, Exception error);

    [LoggerMessage(2007, LogLevel.Warning, "Findings could not be written to the store: {Reason}")]
    internal static partial void FindingsNotWritten(ILogger log, string reason);

    [LoggerMessage(2008, LogLevel.Debug, "Saved the last good snapshot, audit row {Sequence}")]
    internal static partial void SnapshotSaved(ILogger log, long sequence);

    [LoggerMessage(2009, LogLevel.Warning, "The journal {File} beside the last good snapshot was read up to audit row {Sequence} and not further: {Reason}")]
    internal static partial void JournalCut(ILogger log, string file, long sequence, string reason);

    [LoggerMessage(2013, LogLevel.Error, "Lost by a failover, {Row}")]
    internal static partial void ChangeLost(ILogger log, FollowedRow row);

    [LoggerMessage(2014, LogLevel.Warning, "What was followed of the audit log cannot be kept in {File}: {Reason}; after a failover that loses changes these could not be named")]
    internal static partial void FollowedNotKept(ILogger log, string file, string reason);

    [LoggerMessage(2015, LogLevel.Warning, "Behind audit row {Sequence} the store was accepted as it is: {Count} changes that a failover lost are given up")]
    internal static partial void ForkAccepted(ILogger log, long sequence, long count);

    [LoggerMessage(2016, LogLevel.Warning, "The last good snapshot of this store is {File}, which an earlier configuration left, and the store lacks its last changes: {Destinations} destinations, audit row {Sequence}")]
    internal static partial void EarlierSnapshotRead(ILogger log, string file, int destinations, long sequence);

    [LoggerMessage(2010, LogLevel.Information, "{Count} entries, or what was temporary in them, have ended (--until); at audit row {Sequence}, and answers follow")]
    internal static partial void Ended(ILogger log, int count, long sequence);

    [LoggerMessage(2011, LogLevel.Warning, "The store cannot be followed, and lookups are answered by the last good policies meanwhile: {Reason}")]
    internal static partial void NotFollowed(ILogger log, string reason);

    [LoggerMessage(2017, LogLevel.Warning, "The store cannot be read, and lookups are deferred until it can, since there are no last good policies: {Reason}")]
    internal static partial void NotReadYet(ILogger log, string reason);

    [LoggerMessage(2018, LogLevel.Warning, "{Store}: no answer within {Seconds} s; lookups are answered by the last good policies, and it is asked on")]
    internal static partial void ServerSlow(ILogger log, string store, double seconds);
}
