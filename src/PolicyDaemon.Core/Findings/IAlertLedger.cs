namespace PolicyDaemon.Core.Findings;

/// <summary>What people have been told of the findings; the store keeps it, so that a restart neither repeats an alert nor forgets one.</summary>
/// <remarks>Safe for several tasks at once. Calls return when what they wrote is durable; a call that cannot write or read throws
/// <see cref="LedgerUnavailableException"/>.</remarks>
public interface IAlertLedger
{
    /// <summary>Every open finding, and those that settled after people were told of them and not yet that it is over; oldest first.</summary>
    IReadOnlyList<FindingAlert> ReadAlerts();

    /// <summary>Notes that people were told of these findings.</summary>
    /// <param name="ids">Each <see cref="FindingAlert.Id"/>; what is gone meanwhile is passed over.</param>
    /// <param name="at">When they were told; kept of the first time only.</param>
    /// <param name="escalation">0 for the opening; a lower one than is known changes nothing.</param>
    void MarkNotified(IReadOnlyCollection<long> ids, DateTimeOffset at, int escalation = 0);

    /// <summary>Notes that people were told that these findings are over: they are not listed any more.</summary>
    void MarkRecovered(IReadOnlyCollection<long> ids, DateTimeOffset at);

    /// <summary>Notes that people are told of these findings together, from now to their end.</summary>
    /// <param name="ids">Each <see cref="FindingAlert.Id"/>; the lowest stands for all, see <see cref="FindingAlert.ToldWith"/>.</param>
    void MarkTogether(IReadOnlyCollection<long> ids);

    /// <summary>Notes that one channel has delivered an alert that others are busy with; forgotten when <see cref="MarkNotified"/> or <see cref="MarkRecovered"/> says that all are through.</summary>
    void MarkDelivered(AlertDelivery delivery);

    /// <summary>Reads the deliveries of single channels, of alerts that are not through.</summary>
    IReadOnlyList<AlertDelivery> ReadDeliveries();
}

/// <summary>An alert that a channel has delivered.</summary>
/// <param name="Id">The finding's number, or that of the one that stands for those that are told together.</param>
/// <param name="Channel">The channel's name.</param>
/// <param name="Event">Why people are told: <c>opened</c>, <c>escalated</c> or <c>settled</c>.</param>
/// <param name="Escalation">The escalation; 0 for none.</param>
public readonly record struct AlertDelivery(long Id, string Channel, string Event, int Escalation);

/// <summary>A finding with what people have been told about it.</summary>
/// <param name="Id">The finding's number for ever; a finding that settles and comes back has another one.</param>
/// <param name="Finding">The finding.</param>
/// <param name="Occurrences">How often it was seen since it opened.</param>
/// <param name="LastSeen">When it was seen last, UTC.</param>
/// <param name="Closed">When it settled; null while it is open.</param>
/// <param name="Notified">When people were first told; null: not yet.</param>
/// <param name="Escalation">The highest escalation that people were told of; 0 for none.</param>
public sealed record FindingAlert(
    long Id, Finding Finding, long Occurrences, DateTimeOffset LastSeen, DateTimeOffset? Closed, DateTimeOffset? Notified, int Escalation)
{
    /// <summary>The lowest number of those that people are told of together; null where it is told by itself. Whoever was told together is
    /// escalated and settled together.</summary>
    public long? ToldWith { get; init; }
}

/// <summary>The ledger cannot be read or written now. The message says why and what to do.</summary>
public sealed class LedgerUnavailableException : Exception
{
    public LedgerUnavailableException()
    {
    }

    public LedgerUnavailableException(string message)
        : base(message)
    {
    }

    public LedgerUnavailableException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
