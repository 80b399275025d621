using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Rotation;
using PolicyDaemon.Probe.Destinations;

namespace PolicyDaemon.Administration.Forecast;

/// <summary>At which addresses mail would not go through, and why, at the level that <see cref="DeliveryForecast"/> speaks of.</summary>
public static class Refusals
{
    public static IEnumerable<(string Where, string Why)> Of(CheckResult result)
    {
        if (result.Entry is { } entry)
        {
            if (entry.Policy.Level == TlsLevel.Fingerprint)
                return OfPins(result);
            var judgement = new LevelVerdict(entry.Policy.Level, result.Key, entry.Policy.Match);
            return result.Probed.Addresses
                .Where(address => judgement.Refusal(address.Watched) is not null)
                .Select(address => (Where(address), Why(judgement.Refusal(address.Watched)!.Value)));
        }

        return (result.Strongest ?? result.Levels.LastOrDefault())?.Refusals
            .Select(refusal => ($"{refusal.Address.MxHost} [{refusal.Address.History.Target.Address}]", Why(refusal.Outcome))) ?? [];
    }

    /// <summary>An outcome with its result type of RFC 8460 where that is another word.</summary>
    public static string Why(ProbeOutcome outcome) =>
        outcome.ResultType() is { } type && type != outcome.Name() ? $"{outcome.Name()} ({type})" : outcome.Name();

    /// <summary>The same of a lookup.</summary>
    public static string Why(DnsOutcome outcome) =>
        outcome.AsProbeOutcome()?.ResultType() is { } type ? $"{outcome.Name()} ({type})" : outcome.Name();

    private static IEnumerable<(string Where, string Why)> OfPins(CheckResult result)
    {
        foreach (var address in result.Probed.Addresses)
        {
            switch (address.Seen.Outcome)
            {
                case ProbeOutcome.StartTlsNotSupported or ProbeOutcome.HandshakeFailed or ProbeOutcome.PlaintextInjected
                    or ProbeOutcome.TlsTooOld or ProbeOutcome.TlsAnonymous:
                    yield return (Where(address), Why(address.Seen.Outcome));
                    break;
                case ProbeOutcome.Secured when address.Seen.Certificates.Any(seen =>
                    !result.Expected.Any(pin => seen.Certificate.Matches(pin.Fingerprint))):
                    yield return (Where(address), Why(ProbeOutcome.PinMismatch));
                    break;
            }
        }
    }

    private static string Where(ProbedAddress address) => $"{address.Host.Name} [{address.Seen.Target.Address}]";
}
