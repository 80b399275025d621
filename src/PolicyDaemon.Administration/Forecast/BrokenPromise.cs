using PolicyDaemon.Core.Discovery;
using PolicyDaemon.Core.Observations;

namespace PolicyDaemon.Administration.Forecast;

/// <summary>What a domain publishes and its servers do not keep. Somebody else may answer in the domain's place, and a level that fits to what
/// answers would make that the policy.</summary>
public static class BrokenPromise
{
    /// <returns>A sentence; null where the servers keep what is published, or nothing is.</returns>
    public static string? Of(CheckResult result)
    {
        ArgumentNullException.ThrowIfNull(result);
        var what = result switch
        {
            _ when CoversNone(result) => "the MTA-STS policy covers none of the MX hosts that DNS names",
            _ when result.Probed.States.Any(state => state.Dane.Any(seen => seen.Verdict == DaneVerdict.Mismatch)) =>
                "a server shows a certificate that the domain's TLSA records do not match",
            { AtDiscovered: { IsSent: false, IsUnknown: false } } => "its servers do not meet what the domain publishes",
            _ => null,
        };
        return what is null
            ? null
            : $"{what}, and somebody else may answer in the partner's place: no level is proposed that would go by what answers now; ask the partner over another channel";
    }

    private static bool CoversNone(CheckResult result) =>
        result.Discovered?.Remarks.Any(remark => remark.Kind == DiscoveryRemarkKind.PolicyCoversNone) == true
        || (result is { Sts.Policy: { Mode: StsMode.Enforce } policy, Resolution.Hosts: { IsDefaultOrEmpty: false } hosts } && !hosts.Any(host => policy.Covers(host.Name)));
}
