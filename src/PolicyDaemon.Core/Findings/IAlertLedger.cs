namespace PolicyDaemon.Core.Findings;

/// <summary>What the alerter knows and writes down, so that a restart neither repeats an alert nor forgets one. Safe for several tasks at once.</summary>
/// <remarks>Calls return when what they wrote is durable. A call that cannot throws <see cref="LedgerUnavailableException"/>.</remarks>
public interface IAlertLedger
{
    /// <summary>Every open finding, and those that settled after people were told of them and not yet that it is over; oldest first.</summary>
    IReadOnlyList<FindingAlert> ReadAlerts();

    /// <summary>People were told of these at this time.</summary>
    /// <param name="ids">Their <see cref="FindingAlert.Id"/>; what is gone meanwhile is passed over.</param>
    /// <param name="at">Kept of the first time only.</param>
    /// <param name="escalation">0 for the opening; a lower one than is known changes nothing.</param>
    void MarkNotified(IReadOnlyCollection<long> ids, DateTimeOffset at, int escalation = 0);

    /// <summary>People were told that these are over: they are not listed any more.</summary>
    void MarkRecovered(IReadOnlyCollection<long> ids, DateTimeOffset at);
}
