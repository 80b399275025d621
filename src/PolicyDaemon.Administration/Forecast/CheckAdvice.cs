using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Rotation;

namespace PolicyDaemon.Administration.Forecast;

/// <summary>What a person should know before acting on the report.</summary>
public static class CheckAdvice
{
    private const int SubmissionsPort = 465; // RFC 8314 section 3.3

    public static IEnumerable<string> Of(CheckResult result)
    {
        var unknown = result.Probed.Addresses.Count(address => !SaysSomething(address.Observation.Outcome));
        if (result.Resolution.Port == SubmissionsPort && unknown > 0)
            yield return "port 465 is for TLS from the first octet (smtp_tls_wrappermode), and only STARTTLS is probed: what Postfix would meet there is not known";
        if (unknown > 0 && unknown < result.Probed.Addresses.Length)
            yield return $"{Phrases.Count(unknown, "address", "addresses")} could not be seen; what {(unknown == 1 ? "it" : "they")} would show is not known";
        if (result.Entry is { Policy.Level: TlsLevel.Fingerprint } entry
            && result.Probed.Recorded.Result.Verdict is DestinationVerdict.Mismatch or DestinationVerdict.Degraded)
        {
            var key = Shell.Quote(entry.Key.Text);
            yield return $"compare what was seen with the partner over another channel; then: policyctl probe {key}, and policyctl pin approve {key} FINGERPRINT";
        }

        if (!result.Settings.Probe.ResolverTrusted && result.Resolution.Hosts.Any(host => !host.Tlsa.IsEmpty))
            yield return "there are TLSA records: with a validating resolver on this machine and resolver_trusted = yes (policydaemon.conf(5)), DANE is judged too";

        if (LevelCommand.For(result) is null)
            yield break;
        switch (result.Strongest)
        {
            case { Level: TlsLevel.DaneOnly }:
                yield return "dane-only needs a Postfix that resolves with DNSSEC (smtp_dns_support_level = dnssec); policyctl setup says whether it does";
                break;
            case { Level: TlsLevel.Secure, Match.IsEmpty: false } when result.Resolution.MxDnssec != DnssecStatus.Secure:
                yield return "the MX names come from DNS without DNSSEC: make sure that they are the partner's before you write them down";
                break;
            case { Level: TlsLevel.Fingerprint }:
                yield return "a key seen once proves nothing about whose it is; compare it with the partner over another channel";
                break;
        }
    }

    private static bool SaysSomething(ProbeOutcome outcome) =>
        outcome is ProbeOutcome.Secured or ProbeOutcome.StartTlsNotSupported or ProbeOutcome.HandshakeFailed or ProbeOutcome.PlaintextInjected
            or ProbeOutcome.TlsTooOld or ProbeOutcome.TlsAnonymous;
}
