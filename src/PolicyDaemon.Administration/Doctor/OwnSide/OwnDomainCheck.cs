using PolicyDaemon.Administration.Forecast;
using PolicyDaemon.Core.Discovery;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Rotation;
using PolicyDaemon.Probe.Destinations;

namespace PolicyDaemon.Administration.Doctor.OwnSide;

/// <summary>Our own MX hosts as a partner's Postfix meets them: names, chain, DANE, MTA-STS, and what each level would do to the partner's mail.</summary>
/// <param name="report">The report of <c>check</c> on the domain.</param>
/// <param name="myHostName">myhostname of this machine's Postfix; null where that is not known. What that MX host presents should be what main.cf names.</param>
/// <param name="identities">The certificates of main.cf.</param>
/// <param name="next">The keys that are to come.</param>
/// <param name="reload">The command that makes Postfix read its files again.</param>
public sealed class OwnDomainCheck(CheckResult report, string? myHostName, IReadOnlyList<OwnIdentity> identities, IReadOnlyList<OwnKey> next, string reload)
{
    private const string Name = "own";

    private string Domain => report.Key.ToDisplayString();

    public IEnumerable<DoctorFinding> Judge()
    {
        if (!report.Resolution.Worked)
        {
            var why = $"{Domain}: {Refusals.Why(report.Resolution.Outcome)}: {report.Resolution.Detail ?? "no detail"}";
            return [report.Resolution.Outcome is DnsOutcome.NoMx or DnsOutcome.NullMx or DnsOutcome.Bogus
                ? DoctorFinding.Problem(Name, $"{why}; partners cannot send to it")
                : DoctorFinding.Unknown(Name, why)];
        }

        return [.. report.Resolution.Hosts.SelectMany(OfHost), OfSts(), .. OfLevels()];
    }

    /// <summary>What our MX hosts present, each certificate once for a host.</summary>
    public static IEnumerable<(string MxHost, ServerCertificate Certificate)> Presented(CheckResult report)
    {
        ArgumentNullException.ThrowIfNull(report);
        return report.Probed.Addresses.SelectMany(address => Shown(address).Select(seen => (address.Host.Name, seen.Certificate))).DistinctBy(shown => (shown.Name, shown.Certificate.Id));
    }

    /// <summary>The TLSA record that an MX host should have for a key, as a zone file has it.</summary>
    public static string Record(MxHost host, int port, TlsaRecord record)
    {
        ArgumentNullException.ThrowIfNull(host);
        return FormattableString.Invariant($"_{port}._tcp.{host.TlsaBase ?? host.Name}. IN TLSA {record}");
    }

    // Senders that verify a name send it as SNI; those that do not see what is presented without.
    private static IEnumerable<PresentedCertificate> Shown(ProbedAddress address) =>
        address.Observation.Certificates.Concat(address.Named?.Certificates ?? []).DistinctBy(seen => seen.Certificate.Id);

    private IEnumerable<DoctorFinding> OfHost(MxHost host)
    {
        var addresses = report.Probed.Addresses.Where(address => address.Host.Name == host.Name).ToList();
        if (addresses.Count == 0)
            yield return DoctorFinding.Problem(Name, $"{host.Name} has no address: partners cannot send to it");
        foreach (var address in addresses)
        {
            foreach (var finding in OfAddress(host, address))
                yield return finding;
        }

        if (addresses.Any(address => !address.Observation.Certificates.IsEmpty))
        {
            foreach (var finding in OfTlsa(host, addresses))
                yield return finding;
        }

        if (string.Equals(host.Name, myHostName, StringComparison.OrdinalIgnoreCase) && OfMainCf(host, addresses) is { } stale)
            yield return stale;
    }

    private IEnumerable<DoctorFinding> OfAddress(MxHost host, ProbedAddress address)
    {
        var where = $"{host.Name} [{address.Observation.Target.Address}]";
        var outcome = address.Observation.Outcome;
        if (outcome != ProbeOutcome.Secured)
        {
            var why = $"{where}: {Refusals.Why(outcome)}{(address.Observation.Detail is { } detail ? $": {Phrases.Cut(detail)}" : "")}";
            // What cannot be reached from here may well be reached from outside: port 25 is often closed on the way out, or an address is not our own side of NAT.
            yield return outcome is ProbeOutcome.StartTlsNotSupported or ProbeOutcome.HandshakeFailed or ProbeOutcome.PlaintextInjected or ProbeOutcome.TlsTooOld or ProbeOutcome.TlsAnonymous
                ? DoctorFinding.Problem(Name, $"{why}; partners send in plain text, or their mail waits")
                : DoctorFinding.Unknown(Name, $"{why}; from here, that is: partners may reach it");
            yield break;
        }

        foreach (var seen in Shown(address))
        {
            var certificate = seen.Certificate;
            var text = $"{where} presents {Phrases.PublicKey(certificate)}, which {OwnCertificateCheck.Lasts(certificate, report.At)}";
            var end = OwnCertificateCheck.EndOf(certificate, report.At);
            var trouble = new[]
            {
                certificate.Covers(host.Name) ? null : $"it is not for the name {host.Name}",
                seen.Chain == ChainVerdict.NotTrusted ? $"its chain is not trusted{(seen.ChainDetail is { } why ? $" ({Phrases.Cut(why)})" : "")}" : null,
            }.OfType<string>().ToList();
            if (trouble.Count > 0)
            {
                yield return new DoctorFinding(
                    Name, end > DoctorSeverity.Warning ? end : DoctorSeverity.Warning,
                    $"{text}; {string.Join(" and ", trouble)}: at secure, and where MTA-STS is enforced, partners' mail waits");
            }
            else
            {
                yield return new DoctorFinding(Name, end, end == DoctorSeverity.Ok ? $"{text}; its chain is trusted, and it is for that name" : $"{text}: renew it");
            }
        }
    }

    private IEnumerable<DoctorFinding> OfTlsa(MxHost host, List<ProbedAddress> addresses)
    {
        var port = report.Resolution.Port;
        var shown = addresses.SelectMany(Shown).Select(seen => seen.Certificate).DistinctBy(certificate => certificate.KeyId).ToList();
        var wanted = string.Join(" and ", shown.Select(certificate => Record(host, port, new OwnKey(OwnKey.Now, "", certificate, certificate.PublicKey).Tlsa)));
        switch (Probe.Dane.DaneVerification.StateOf(host))
        {
            case TlsaState.NoneKnown or TlsaState.Unjudged:
                yield return DoctorFinding.Unknown(Name, $"{host.Name}: whether DNSSEC protects its records is not known, since no validating resolver is trusted here (resolver_trusted); for DANE it wants {wanted}");
                yield break;
            case TlsaState.Failed:
                yield return DoctorFinding.Problem(Name, $"{host.Name}: looking up its TLSA records failed ({host.Detail ?? "no detail"}): senders with DANE pass it over, and their mail may wait");
                yield break;
            case TlsaState.Unusable:
                yield return DoctorFinding.Warning(Name, $"{host.Name}: none of its TLSA records is usable ({host.Tlsa[0].WhyUnusable}): senders encrypt and do not verify. It wants {wanted}");
                yield break;
            case TlsaState.None:
                yield return host.AddressDnssec == DnssecStatus.Secure
                    ? DoctorFinding.Note(Name, $"{host.Name} has no TLSA record: DANE protects no mail to it. In its signed zone it wants {wanted}")
                    : DoctorFinding.Note(Name, $"{host.Name} is not in a signed zone: DANE protects no mail to it. Once it is signed, it wants {wanted}");
                yield break;
        }

        var mismatched = addresses.Where(address => Shown(address).Any(seen => address.State.DaneOf(seen.Certificate.Algorithm) == DaneVerdict.Mismatch)).ToList();
        yield return mismatched.Count > 0
            ? DoctorFinding.Problem(
                Name, $"{host.Name}: no TLSA record matches what {string.Join(", ", mismatched.Select(address => address.Observation.Target.Address))} presents: mail of every sender with DANE waits. "
                + $"Publish {wanted}, or go back to the key that the records name: {string.Join("; ", host.Tlsa)}")
            : DoctorFinding.Ok(Name, $"{host.Name}: its TLSA records match what it presents");
        foreach (var key in next.Where(key => !host.Tlsa.Any(record => Matches(record, key))))
        {
            yield return DoctorFinding.Warning(
                Name, $"{host.Name}: no TLSA record is for the next key ({key.Source}): before the change publish besides, and wait twice its TTL: {Record(host, port, key.Tlsa)}");
        }
    }

    private static bool Matches(TlsaRecord record, OwnKey key) => record.Matches(key.Certificate is { } certificate ? certificate.Der.AsSpan() : [], key.PublicKey.AsSpan());

    /// <summary>A certificate that was renewed on disk counts once Postfix has read it.</summary>
    private DoctorFinding? OfMainCf(MxHost host, List<ProbedAddress> addresses)
    {
        var shown = addresses.SelectMany(Shown).Select(seen => seen.Certificate).ToList();
        var ours = identities.Select(identity => identity.Certificate).Where(file => file.Leaf is not null).ToList();
        if (shown.Count == 0 || ours.Count == 0)
            return null;
        var stale = shown.Find(seen => !ours.Exists(file => file.Leaf!.Equals(seen)));
        return stale is null ? DoctorFinding.Ok(Name, $"{host.Name} presents what main.cf names")
            : DoctorFinding.Warning(Name, $"{host.Name} is myhostname and presents another certificate than main.cf names ({string.Join(", ", ours.Select(file => file.Path))}): Postfix has not read it yet, or another server answers", reload);
    }

    private DoctorFinding OfSts()
    {
        var sts = report.Sts;
        if (sts is { Status: StsStatus.Valid, Policy: { } policy })
        {
            var outside = report.Resolution.Hosts.Where(host => policy.Mode != StsMode.None && !policy.Covers(host.Name)).Select(host => host.Name).ToList();
            return outside.Count > 0
                ? new DoctorFinding(
                    Name, policy.Mode == StsMode.Enforce ? DoctorSeverity.Problem : DoctorSeverity.Warning,
                    $"MTA-STS of {Domain} ({policy.Mode.Name()}) does not cover {string.Join(", ", outside)}: senders that enforce it refuse {(outside.Count == 1 ? "that host" : "these hosts")}. "
                    + $"Add to the policy: {string.Join(", ", outside.Select(host => $"mx: {host}"))}, and give the _mta-sts record a new id")
                : policy.Mode == StsMode.Enforce
                    ? DoctorFinding.Ok(Name, $"MTA-STS of {Domain} enforces, and covers every MX host")
                    : DoctorFinding.Note(Name, $"MTA-STS of {Domain} has mode {policy.Mode.Name()}: no sender is held to it");
        }

        return sts.Status switch
        {
            StsStatus.Absent => DoctorFinding.Note(Name, $"{Domain} has no MTA-STS policy: senders without DANE may be led elsewhere"),
            StsStatus.NotApplicable => DoctorFinding.Note(Name, $"MTA-STS is for domains, and {Domain} is none"),
            StsStatus.DnsFailure => DoctorFinding.Unknown(Name, $"MTA-STS of {Domain}: {Phrases.Cut(sts.Detail ?? sts.Status.Name())}"),
            _ => DoctorFinding.Warning(Name, $"MTA-STS of {Domain} is published and broken: {sts.Status.Name()}: {Phrases.Cut(sts.Detail ?? "no detail")}"),
        };
    }

    /// <summary>What becomes of a partner's mail at the levels that partners set.</summary>
    private IEnumerable<DoctorFinding> OfLevels()
    {
        foreach (var level in (TlsLevel[])[TlsLevel.Secure, TlsLevel.DaneOnly, TlsLevel.Fingerprint])
        {
            if (report.Levels.FirstOrDefault(forecast => forecast.Level == level) is not { } forecast)
                continue;
            var text = $"a partner at {level.Name()}: {MailSentence.Of(forecast)}";
            yield return forecast.Verdict switch
            {
                DestinationVerdict.Ok => DoctorFinding.Ok(Name, level == TlsLevel.Fingerprint ? $"{text}, with the fingerprints of today" : text),
                DestinationVerdict.Mismatch or DestinationVerdict.Degraded => DoctorFinding.Note(Name, text),
                _ => DoctorFinding.Unknown(Name, text),
            };
        }
    }
}
