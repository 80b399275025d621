using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Discovery;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Rotation;
using PolicyDaemon.Core.Runtime;

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
        if (BrokenPromise.Of(result) is { } broken)
            yield return broken;
        foreach (var advice in OfFindings(result))
            yield return advice;

        if (result is { Entry: null, Discovered: { } discovered })
        {
            foreach (var remark in discovered.Remarks)
                yield return $"{remark.Kind.Name()}: {remark.Detail}";
        }

        if (!result.Settings.Probe.ResolverTrusted && result.Resolution.Hosts.Any(host => !host.Tlsa.IsEmpty))
            yield return "there are TLSA records: with a validating resolver on this machine and resolver_trusted = yes (policydaemon.conf(5)), DANE is judged too";

        if (LevelCommand.OfOtherNames(result) is { } renames && !LevelCommand.AreNamesAuthenticated(result))
        {
            yield return $"the servers have a trusted certificate for {string.Join(", ", result.Strongest!.Match)}, and that name comes from DNS without DNSSEC: ask the partner over another channel "
                + $"whether it is theirs; if it is: {renames}";
        }

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

    /// <summary>The findings about the entry, with the commands that settle them once the partner was asked.</summary>
    private static IEnumerable<string> OfFindings(CheckResult result)
    {
        if (result.Entry is not { } entry)
            yield break;
        var findings = result.Findings;
        foreach (var finding in findings)
            yield return $"{finding.Kind.Name()}{(finding.Since < result.At ? $", open since {UtcTime.Text(finding.Since)}" : "")}: {finding.Detail}";
        if (findings.Any(finding => finding.Kind == FindingKind.NothingToProbe))
            yield return $"name a host that takes mail for its subdomains: policyctl domain set {Shell.Quote(entry.Key.Text)} --probe-as NAME";
        var isSuspicious = findings.Any(finding => finding.Kind.Description().IsSuspicious);
        var seen = findings.SelectMany(finding => finding.Seen).Select(seen => seen.PublicKey).Distinct().ToList();
        var unknown = seen.Where(one => entry.Pins.Find(one) is not { State: PinState.Rejected } and not { IsServed: true }).ToList();
        if (entry.Policy.Level != TlsLevel.Fingerprint || seen.Count == 0)
            yield break;
        var key = Shell.Quote(entry.Key.Text);
        if (isSuspicious)
        {
            yield return "somebody else may answer in the partner's place: ask the partner over another channel before any pin changes"
                + (unknown.Count == 0 ? "" : $"; a key that is not the partner's: policyctl pin reject {key} {string.Join(' ', unknown)}");
        }
        else if (unknown.Count > 0)
        {
            var probe = unknown.TrueForAll(one => entry.Pins.Find(one) is not null) ? "" : $"policyctl probe {key}; ";
            yield return $"compare the fingerprint with the partner over another channel; the partner's: {probe}policyctl pin approve {key} {string.Join(' ', unknown)}; "
                + $"somebody else's: policyctl pin reject {key} {string.Join(' ', unknown)}";
        }
    }

    private static bool SaysSomething(ProbeOutcome outcome) =>
        outcome is ProbeOutcome.Secured or ProbeOutcome.StartTlsNotSupported or ProbeOutcome.HandshakeFailed or ProbeOutcome.PlaintextInjected
            or ProbeOutcome.TlsTooOld or ProbeOutcome.TlsAnonymous;
}
