using System.Collections.Immutable;
using System.Globalization;
using System.Net;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Findings;

namespace PolicyDaemon.Core.Discovery;

/// <summary>Finds what a person should read about a discovered destination.</summary>
internal static class DiscoveryRemarks
{
    private const int MaxNames = 6;

    private static readonly TimeSpan ShortLife = TimeSpan.FromDays(1);

    // After that a domain that gave its policy up is one like all others.
    private static readonly TimeSpan LapseIsNews = TimeSpan.FromDays(7);

    public static ImmutableArray<DiscoveryRemark> Of(
        Discovered memory, DeliveryFacts facts, StsKept? policy, DiscoverySettings settings, DiscoveryRow row, DateTimeOffset now)
    {
        List<DiscoveryRemark> remarks = [];
        if (OfFacts(memory.Key.Text, facts, policy, settings, row) is { } ofFacts)
            remarks.Add(ofFacts);
        if (facts.Mx is MxState.Secure or MxState.Insecure && facts.Hosts.Where(host => IPAddress.TryParse(host.Name, out _)).ToList() is { Count: > 0 } addresses)
        {
            remarks.Add(new(
                DiscoveryRemarkKind.MxIsAddress, FindingSeverity.ForInformation,
                $"an MX record of {memory.Key} names an address instead of a host (RFC 5321 section 5.1): {Listed(addresses)}", null));
        }

        if (policy is not null)
            remarks.AddRange(OfCover(memory, facts, policy, row, now));
        if (memory.HasSts(settings))
            remarks.AddRange(OfPolicy(memory, now));
        return [.. remarks.OrderBy(remark => remark.Severity)];
    }

    private static DiscoveryRemark? OfFacts(string key, DeliveryFacts facts, StsKept? policy, DiscoverySettings settings, DiscoveryRow row)
    {
        if (settings.Dane && facts.Hosts.FirstOrDefault(host => host.Class == HostClass.TlsaFailed) is { } failed)
        {
            return new(
                DiscoveryRemarkKind.TlsaLookupFailed, FindingSeverity.LookAtIt,
                $"the TLSA records of {failed.Name} cannot be looked up, so Postfix passes over it: {failed.Detail ?? "no detail"}", Check(key));
        }

        var hosts = facts.Hosts.Where(host => host.Class != HostClass.NoAddress).ToList();
        var with = hosts.FindAll(host => host.Class is HostClass.Tlsa or HostClass.UnusableTlsa);
        return row switch
        {
            DiscoveryRow.BestDane or DiscoveryRow.SomeDane => new(
                DiscoveryRemarkKind.PartialDane, FindingSeverity.ForInformation,
                $"partial DANE: {Listed(hosts.FindAll(host => host.Class == HostClass.Tlsa))} with usable TLSA records, {Listed(hosts.FindAll(host => host.Class != HostClass.Tlsa))} without", null),
            DiscoveryRow.UnusableDane => new(
                DiscoveryRemarkKind.UnusableTlsa, FindingSeverity.ForInformation,
                $"no TLSA record of {Listed(with)} is usable for SMTP (tlsa-invalid, RFC 7672 section 3.1)", null),
            DiscoveryRow.UnsignedMxWithDane => new(
                DiscoveryRemarkKind.MxUnsigned, FindingSeverity.ForInformation,
                $"the MX records of {key} are not signed, though {Listed(with)} has TLSA records: nobody can rely on them", null),
            DiscoveryRow.MxFailed => new(
                DiscoveryRemarkKind.MxLookupFailed, FindingSeverity.LookAtIt,
                $"the MX records of {key} cannot be looked up here, though Postfix found them: {facts.Detail ?? "no detail"}", Check(key)),
            DiscoveryRow.NoMail => new(DiscoveryRemarkKind.NoMail, FindingSeverity.ForInformation, facts.Detail ?? $"{key} takes no mail", null),
            DiscoveryRow.NoAddress => new(
                DiscoveryRemarkKind.NoAddress, FindingSeverity.LookAtIt, facts.Detail ?? $"no MX host of {key} has an address", Check(key)),
            _ => null,
        };
    }

    private static IEnumerable<DiscoveryRemark> OfCover(Discovered memory, DeliveryFacts facts, StsKept policy, DiscoveryRow row, DateTimeOffset now)
    {
        var outside = facts.Hosts.Where(host => !policy.Policy.Covers(host.Name)).ToList();
        if (outside.Count == 0)
            yield break;
        if (row == DiscoveryRow.PolicyCoversNone)
        {
            var next = memory.Sts.FetchedAt is { } last && last + StsRules.BetweenUncovered is var due && due > now ? Time(due) : "with its next mail";
            yield return new(
                DiscoveryRemarkKind.PolicyCoversNone, FindingSeverity.MailWaits,
                $"mail to {memory.Key} is deferred: its policy of {Time(policy.Fetched)} names {Listed(policy.Policy.MxPatterns)}, its MX hosts are {Listed(outside)}, "
                + "which forged MX records would look like, too. The policy is fetched again "
                + $"{next}. Where the domain's postmaster confirms these hosts by another way than mail, an entry exempts it for a week: "
                + $"policyctl domain add {Shell.Quote(memory.Key.Text)} --level default --until 7d --reason 'confirmed by its postmaster'",
                Check(memory.Key.Text));
        }
        else
        {
            yield return new(
                DiscoveryRemarkKind.MxOutsidePolicy, FindingSeverity.ForInformation,
                $"the policy of {memory.Key} does not cover {Listed(outside)} (validation-failure)", null);
        }
    }

    private static IEnumerable<DiscoveryRemark> OfPolicy(Discovered memory, DateTimeOffset now)
    {
        var sts = memory.Sts;
        var (key, kept, inForce) = (memory.Key.Text, sts.Kept, sts.InForce(now));
        if (sts.Announcement == StsAnnouncement.Broken)
        {
            yield return new(
                DiscoveryRemarkKind.RecordBroken, FindingSeverity.ForInformation,
                $"{key} publishes MTA-STS and its record is broken: {sts.Problem} (sts-policy-invalid)", Check(key));
        }

        var failure = sts.Failure is { } status ? $"{status.Name()}: {sts.FailureDetail ?? "no detail"}" : null;
        if (kept is { Policy.Mode: StsMode.Enforce } && inForce is null && now < kept.Expires + LapseIsNews)
        {
            yield return new(
                DiscoveryRemarkKind.PolicyLapsed, FindingSeverity.LookAtIt,
                $"the MTA-STS policy of {key} expired {Time(kept.Expires)} and could not be renewed, mail is not protected by it any more: {failure ?? Gone(sts)}",
                Check(key));
        }
        else if (inForce is not null && failure is not null)
        {
            yield return new(
                DiscoveryRemarkKind.PolicyNotRenewed, FindingSeverity.LookAtIt,
                $"the MTA-STS policy of {key} cannot be renewed since {Time(sts.FailingSince ?? now)}, its protection ends {Time(inForce.Expires)}: {failure}",
                Check(key));
        }
        else if (inForce is not null && sts.Announcement is StsAnnouncement.Absent or StsAnnouncement.Broken)
        {
            yield return new(
                DiscoveryRemarkKind.PolicyNotRenewed, FindingSeverity.LookAtIt,
                $"{key} does not announce its MTA-STS policy any more, its protection ends {Time(inForce.Expires)}", Check(key));
        }
        else if (sts.Announcement == StsAnnouncement.Announced && failure is not null)
        {
            yield return new(
                DiscoveryRemarkKind.PolicyNotFetched, FindingSeverity.ForInformation,
                $"{key} announces an MTA-STS policy that cannot be had: {failure}", Check(key));
        }

        if (inForce is { } current && current.Policy.MaxAge < ShortLife)
        {
            yield return new(
                DiscoveryRemarkKind.PolicyShortLived, FindingSeverity.ForInformation,
                string.Create(CultureInfo.InvariantCulture, $"the MTA-STS policy of {key} asks to be kept for {(long)current.Policy.MaxAge.TotalSeconds} s only; RFC 8461 section 3.2 expects weeks"), null);
        }

        if (sts.OtherBodyAt is { } at && at == kept?.Fetched)
        {
            yield return new(
                DiscoveryRemarkKind.PolicyChangedSilently, FindingSeverity.ForInformation,
                $"{key} changed its MTA-STS policy and not the id in its record; other senders have not seen it", null);
        }
    }

    private static string Check(string key) => $"policyctl check {Shell.Quote(key)}";

    private static string Gone(StsMemory sts) => sts.Announcement switch
    {
        StsAnnouncement.Absent => "its _mta-sts record is gone",
        StsAnnouncement.Broken => $"its _mta-sts record is broken: {sts.Problem}",
        _ => sts.Problem ?? "no detail",
    };

    private static string Time(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture);

    private static string Listed(IEnumerable<HostFacts> hosts) => Listed([.. hosts.Select(host => host.Name)]);

    private static string Listed(IReadOnlyCollection<string> names) => names.Count <= MaxNames
        ? string.Join(", ", names)
        : string.Create(CultureInfo.InvariantCulture, $"{string.Join(", ", names.Take(MaxNames))} and {names.Count - MaxNames} more");
}
