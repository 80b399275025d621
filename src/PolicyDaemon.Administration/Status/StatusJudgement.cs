using System.Globalization;
using PolicyDaemon.Core.Findings;

namespace PolicyDaemon.Administration.Status;

/// <summary>How the service is, in the numbers of monitoring plugins. See the Monitoring Plugins Development Guidelines, "Plugin Return Codes".</summary>
public enum StatusHealth
{
    /// <summary>Nothing needs a person, but what is for information.</summary>
    Ok = 0,

    /// <summary>Mail will wait, or a person has to look at something.</summary>
    Warning = 1,

    /// <summary>Mail waits, policyd does not run, or it has nothing to answer from.</summary>
    Critical = 2,

    /// <summary>The state cannot be told.</summary>
    Unknown = 3,
}

/// <summary>The status in a word and a sentence, for monitoring.</summary>
/// <param name="Health">How the service is.</param>
/// <param name="Text">What makes it so.</param>
public readonly record struct StatusJudgement(StatusHealth Health, string Text)
{
    private const int Most = 3;

    /// <param name="status">The report.</param>
    /// <param name="causes">The causes of its findings.</param>
    public static StatusJudgement Of(StatusReport status, OpenCauses causes)
    {
        ArgumentNullException.ThrowIfNull(status);
        ArgumentNullException.ThrowIfNull(causes);
        var judged = Judge(status, causes);
        return causes.Shown.FirstOrDefault(cause => cause.Kind == FindingKind.ConfigurationUnusable) is { } configuration
            ? judged with { Text = $"{configuration.Detail}; {judged.Text}" }
            : judged;
    }

    private static StatusJudgement Judge(StatusReport status, OpenCauses causes)
    {
        if (status.Live is not { } live)
            return new(status.Running == false ? StatusHealth.Critical : StatusHealth.Unknown, MailEffect.Of(status));
        if (live.Snapshot is null)
            return new(StatusHealth.Critical, MailEffect.Of(status));
        if (causes.Count(FindingSeverity.MailWaits) is > 0 and var waits)
            return new(StatusHealth.Critical, $"mail of {Phrases.Count(causes.DestinationsThatWait, "destination")} waits: {Named(causes.Shown.Where(cause => cause.Severity == FindingSeverity.MailWaits), waits)}");
        if (status.StoreProblem is { } problem)
            return new(StatusHealth.Warning, problem.Message);
        return causes.NeedPerson is > 0 and var open
            ? new(StatusHealth.Warning, $"{Phrases.Count(open, "thing")} to look at: {Named(causes.Shown.Where(cause => cause.NeedsPerson), open)}")
            : new(StatusHealth.Ok, MailEffect.Of(status));
    }

    private static string Named(IEnumerable<StatusCause> worst, int count) =>
        string.Join(", ", worst.Take(Most).Select(cause => $"{cause.Kind.Name()} {cause.Whom}"))
        + (count > Most ? string.Create(CultureInfo.InvariantCulture, $" and {count - Most} more") : "");
}
