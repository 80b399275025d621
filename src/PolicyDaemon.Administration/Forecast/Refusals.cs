using PolicyDaemon.Core.Deliveries;
using PolicyDaemon.Core.Observations;

namespace PolicyDaemon.Administration.Forecast;

/// <summary>The addresses at which mail would not go through, with the reasons.</summary>
public static class Refusals
{
    public static IEnumerable<(string Where, string Why)> Of(MailForecast mail)
    {
        ArgumentNullException.ThrowIfNull(mail);
        return mail.Addresses
            .Select(one => (one.Address, Why: one.Delivery.IsSent ? one.Delivery.OtherCertificate : one.Delivery.Why, one.Delivery.Because))
            .Where(one => one.Why is not null)
            .Select(one => ($"{one.Address.MxHost} [{one.Address.History.Target.Address}]", one.Because ?? Why(one.Why!.Value)));
    }

    /// <summary>The name of a probe's outcome, with its result type of RFC 8460 where that differs.</summary>
    public static string Why(ProbeOutcome outcome) =>
        outcome.ResultType() is { } type && type != outcome.Name() ? $"{outcome.Name()} ({type})" : outcome.Name();

    /// <summary>The name of a DNS lookup's outcome, with its result type of RFC 8460 where that differs.</summary>
    public static string Why(DnsOutcome outcome) =>
        outcome.AsProbeOutcome()?.ResultType() is { } type ? $"{outcome.Name()} ({type})" : outcome.Name();
}
