using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Core.Runtime;

namespace PolicyDaemon.Administration.Status;

/// <summary>That policyd does not run, or not over this store, in the words of whoever says it: what the store holds is then nobody's answer here.</summary>
public static class DaemonAbsence
{
    /// <summary>The command that ends it.</summary>
    public const string Start = "systemctl start policyd";

    /// <summary>What becomes of mail meanwhile.</summary>
    public const string Deferred = "every delivery that asks it is deferred (4.7.5) and tried again";

    private const string Sentence = $"policyd does not run: mail waits, {Deferred}. Start it: {Start}";

    /// <summary>Whether the store that the command line may name is nobody's answer.</summary>
    /// <returns>A sentence, with the command that ends it where there is one; null where policyd runs over the store, or where that cannot be told.</returns>
    public static string? Of(Settings settings, TimeProvider time) => LocalDaemon.Elsewhere(settings, time) ?? OfMachine(settings);

    /// <summary>Whether the daemon of this machine runs, over whatever store.</summary>
    /// <returns>A sentence with the command that ends it; null where policyd runs, or where that cannot be told.</returns>
    public static string? OfMachine(Settings settings)
    {
        ArgumentNullException.ThrowIfNull(settings);
        return Of(DaemonLock.IsHeld(settings.StatusFile));
    }

    /// <param name="isRunning">Whether a daemon holds the lock; null where the rights to tell are missing.</param>
    /// <returns>A sentence with the command that ends it; null where policyd runs, or where that cannot be told.</returns>
    public static string? Of(bool? isRunning) => isRunning == false ? Sentence : null;
}

/// <summary>What the state of the daemon and of the store does to mail, in a sentence.</summary>
public static class MailEffect
{
    public static string Of(StatusReport status)
    {
        ArgumentNullException.ThrowIfNull(status);
        if (DaemonAbsence.Of(status.Running) is { } absence)
            return absence + (status.StoreProblem is null ? "" : $"; it will then answer from the last good snapshot ({status.Settings.Snapshot}), if there is one");
        if (status.Elsewhere is { } elsewhere)
            return elsewhere;
        if (status.Live is null)
            return "cannot be told: policyd does not say how it is, or you may not read it; ask it with: policyctl query KEY";
        if (status.Live.Snapshot is not { } snapshot)
            return $"policyd has no policies to answer from: {DaemonAbsence.Deferred}; see its journal";
        if (IsOfLastGood(status))
            return "policies are answered from the last good snapshot; changes do not take effect until the store is repaired";
        if (status.ReadBehind is { } rows)
            return $"policies are answered; the store is read from a standby, which is {Phrases.Count(rows, "row")} of the audit log behind them";
        return status.Behind is > 0
            ? "policies are answered; the newest changes take effect within a second"
            : "policies are answered as the store has them";
    }

    /// <summary>True where the daemon or the store needs a person, whatever findings are open.</summary>
    public static bool NeedsPerson(StatusReport status)
    {
        ArgumentNullException.ThrowIfNull(status);
        return status.StoreProblem is not null || status.Live?.Snapshot is null || IsOfLastGood(status);
    }

    /// <summary>True where the last good snapshot answers, since the store cannot be used.</summary>
    public static bool IsOfLastGood(StatusReport status)
    {
        ArgumentNullException.ThrowIfNull(status);
        return status.Live?.Snapshot is { } snapshot && (!snapshot.IsOfStore() || status.StoreProblem is not null);
    }
}
