namespace PolicyDaemon.Administration.Status;

/// <summary>What the state of the daemon and the store means for mail.</summary>
public static class DeliveryCounts
{
    public static string Of(StatusReport status)
    {
        if (status.Running == false)
            return "every delivery that asks policyd is deferred (4.7.5) and tried again; nothing is sent weaker. Start it: systemctl start policyd"
                + (status.StoreProblem is null ? "" : $"; it will then answer from the last good snapshot ({status.Settings.Snapshot}), if there is one");
        if (status.Live is null)
            return "cannot be told: policyd does not say how it is, or you may not read it; ask it with: policyctl query KEY";
        if (status.Live.Snapshot is not { } snapshot)
            return "every delivery that asks policyd is deferred (4.7.5): it has no policies to answer from; see its journal";
        if (snapshot.Source == "file" || status.StoreProblem is not null)
            return "policies are answered from the last good snapshot; changes do not take effect until the store is repaired";
        return status.Behind is > 0
            ? "policies are answered; the newest changes take effect within a second"
            : "policies are answered as the store has them";
    }
}
