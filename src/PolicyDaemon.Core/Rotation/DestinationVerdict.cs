using System.Diagnostics.CodeAnalysis;
using PolicyDaemon.Core.Deliveries;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Observations;

namespace PolicyDaemon.Core.Rotation;

/// <summary>What would happen to a destination's mail now.</summary>
public enum DestinationVerdict
{
    /// <summary>The destination was never probed, or there is nothing to compare with what was seen.</summary>
    Unknown,

    Ok,

    /// <summary>Mail goes through, but some address would refuse it, or chance decides.</summary>
    Degraded,

    /// <summary>Mail does not go through: every address that could be reached and that Postfix tries would refuse it.</summary>
    Mismatch,

    /// <summary>No address could be reached.</summary>
    Unreachable,
}

/// <summary>The stored names of verdicts over a destination, and the verdict that a forecast amounts to.</summary>
public static class DestinationVerdicts
{
    private static readonly StoredNames<DestinationVerdict> Stored = new(
        (DestinationVerdict.Unknown, "unknown"), (DestinationVerdict.Ok, "ok"), (DestinationVerdict.Degraded, "degraded"),
        (DestinationVerdict.Mismatch, "mismatch"), (DestinationVerdict.Unreachable, "unreachable"));

    public static string Name(this DestinationVerdict value) => Stored.Of(value);

    public static bool TryParse([NotNullWhen(true)] string? name, out DestinationVerdict value) => Stored.TryParse(name, out value);

    /// <summary>What a finding about a destination means for its mail: kinds that take their weight from the verdict never have mail wait that it lets through.</summary>
    /// <param name="verdict">The verdict of the destination's last probe.</param>
    /// <param name="kind">The kind of the finding.</param>
    /// <param name="isObserved">The entry is only observed: Postfix is told nothing of it.</param>
    public static FindingSeverity SeverityOf(this DestinationVerdict verdict, FindingKind kind, bool isObserved)
    {
        var description = kind.Description();
        if (!description.FollowsVerdict || isObserved)
            return description.Severity;
        return verdict switch
        {
            DestinationVerdict.Mismatch => FindingSeverity.MailWaits,
            DestinationVerdict.Degraded => FindingSeverity.MailWillWait,
            _ => description.Severity,
        };
    }

    /// <param name="forecast">Null where there is nothing to compare with: no pin is served.</param>
    public static DestinationVerdict Verdict(this MailForecast? forecast)
    {
        if (forecast is null)
            return DestinationVerdict.Unknown;
        var tried = forecast.Addresses.Where(one => one.Address.History.LastAttempt is not null).ToList();
        if (tried.Count == 0)
            return forecast.IsOfNoFamily ? DestinationVerdict.Mismatch : DestinationVerdict.Unknown;
        var isRefused = tried.Exists(one => one.Delivery.IsRefused);
        if (forecast.IsSent)
        {
            var isSure = forecast.Results.All(result => result is not (MailResult.Deferred or MailResult.Returned));
            return isSure && !isRefused && tried.TrueForAll(one => one.Delivery.OtherCertificate is null)
                ? DestinationVerdict.Ok
                : DestinationVerdict.Degraded;
        }

        // What nobody can judge here; what is no SMTP, or may not be connected to, is as good as out of reach.
        if (tried.Exists(one => one.Delivery is { Result: AddressResult.Unknown, Why: not (ProbeOutcome.AddressNotAllowed or ProbeOutcome.ReplyTooLong) }))
            return DestinationVerdict.Unknown;
        return isRefused ? DestinationVerdict.Mismatch : DestinationVerdict.Unreachable;
    }
}
