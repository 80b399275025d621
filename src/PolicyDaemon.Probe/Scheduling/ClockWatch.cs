using Microsoft.Extensions.Logging;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Rotation;
using PolicyDaemon.Probe.Destinations;

namespace PolicyDaemon.Probe.Scheduling;

/// <summary>Notices that the machine's clock was set, and makes destinations due again whose probes a clock that was ahead had put off. Not for several tasks at once.</summary>
/// <remarks>A clock that was set differs from the time that has passed. Corrections of seconds, which time servers make every day, change nothing
/// that the prober decides. A suspended machine's clock is ahead when it wakes; that says nothing about the clock unless it is much.</remarks>
/// <param name="longestWait">The longest that a destination waits for its next probe.</param>
internal sealed class ClockWatch(IProbeLedger ledger, ProberFindings findings, TimeSpan longestWait, ILogger logger, TimeProvider time)
{
    private static readonly TimeSpan Back = TimeSpan.FromMinutes(-1);
    private static readonly TimeSpan Ahead = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan RetryAfterFault = TimeSpan.FromMinutes(5);

    private DateTimeOffset clock = time.GetUtcNow();
    private long passed = time.GetTimestamp();

    // Also at the start: a clock may have been ahead before it.
    private bool mustRecall = true;
    private TimeSpan? jump;
    private long followAt = long.MinValue;

    /// <returns>True where the clock was set since the last call.</returns>
    public bool TakeJump()
    {
        var (now, timestamp) = (time.GetUtcNow(), time.GetTimestamp());
        var set = now - clock - time.GetElapsedTime(passed, timestamp);
        (clock, passed) = (now, timestamp);
        if (set > Back && set < Ahead)
            return false;
        (jump, mustRecall, followAt) = (set, true, long.MinValue);
        return true;
    }

    /// <summary>Corrects the due times in the ledger and opens the finding; tries again later where the ledger cannot be written.</summary>
    public void Follow()
    {
        if (time.GetTimestamp() < followAt)
            return;
        try
        {
            if (mustRecall)
                RecallFuture();
            else
                findings.ClockKeepsTime();
        }
        catch (LedgerUnavailableException fault)
        {
            logger.LedgerUnavailable(RetryAfterFault, fault.Message);
            followAt = time.GetTimestamp() + (long)(RetryAfterFault.TotalSeconds * time.TimestampFrequency);
        }
    }

    // At the start it is not known whether a clock was ahead: then only what waits longer than anything should, which takes no search.
    private void RecallFuture()
    {
        var now = time.GetUtcNow();
        var recalled = ledger.RecallFuture(now, jump is null ? now + longestWait : now);
        if (jump is { } set)
        {
            ledger.ClockSet(now);
            logger.ClockJumped(set < TimeSpan.Zero ? "back" : "ahead", ProberFindings.Span(set), recalled);
            findings.ClockSet(set);
        }

        (mustRecall, jump) = (false, null);
    }
}
