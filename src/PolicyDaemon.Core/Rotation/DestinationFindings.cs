using System.Collections.Immutable;
using PolicyDaemon.Core.Deliveries;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Pins;

namespace PolicyDaemon.Core.Rotation;

/// <summary>Findings about a destination, its pins apart: where its mail goes, and what its level would meet there.</summary>
/// <param name="entry">The key of the entry: the subject of the findings, and in their commands.</param>
/// <param name="now">The time of the probe.</param>
public sealed class DestinationFindings(string entry, DateTimeOffset now)
{
    /// <summary>What is told where no address is of a family that Postfix uses.</summary>
    internal const string NoFamily =
        "DNS names addresses, and none of a family that Postfix uses (inet_protocols): mail is returned to its sender";

    /// <summary>The finding about a DNS resolution that stands in the way of mail or of a probe; null where there is none.</summary>
    public Finding? OfResolution(MxResolution resolution)
    {
        ArgumentNullException.ThrowIfNull(resolution);
        if (resolution.Worked)
            return null;
        if (resolution is { NextHop.IsSubdomains: true, Outcome: DnsOutcome.NoMx or DnsOutcome.NullMx })
        {
            return Finding(
                FindingKind.NothingToProbe, resolution.Outcome.AsProbeOutcome(), [],
                $"{resolution.NextHop.Host} has no mail server to probe in the place of its subdomains', and no host was named: the verdict is unknown",
                Check(resolution.NextHop.Text));
        }

        return Finding(
            FindingKind.DnsTrouble, resolution.Outcome.AsProbeOutcome(), [],
            resolution.Detail ?? $"looking up {resolution.NextHop}: {resolution.Outcome.Name()}", Check(resolution.NextHop.Text));
    }

    /// <summary>The findings about addresses at which a level that needs no pins would not be met.</summary>
    /// <param name="met">What the level does to mail, at servers as they were when they were met last.</param>
    /// <param name="present">What it does by the last attempts, whatever became of them.</param>
    /// <param name="digest">The digest of the keys that the finding shows.</param>
    public IEnumerable<Finding> OfLevel(MailForecast met, MailForecast present, DigestAlgorithm digest)
    {
        ArgumentNullException.ThrowIfNull(met);
        ArgumentNullException.ThrowIfNull(present);
        if (met.IsOfNoFamily)
        {
            yield return Finding(FindingKind.LevelNotMet, ProbeOutcome.Unreachable, [], NoFamily, Check(entry));
            yield break;
        }

        if (present.Verdict() == DestinationVerdict.Unreachable)
        {
            yield return Finding(
                FindingKind.DestinationUnreachable, ProbeOutcome.Unreachable, [], "no address could be reached in the last probe",
                Check(entry));
        }

        var refusing = met.WithRefusals(present).Where(one => one.Delivery.IsRefused || one.Delivery.OtherCertificate is not null)
            .OrderBy(one => one.Address.MxHost, StringComparer.Ordinal).ThenBy(one => one.Address.History.Target)
            .ToList();
        // A server that refuses STARTTLS shows nothing new, and the mail waits for it all the same.
        var forecast = refusing.TrueForAll(met.Addresses.Contains) ? met : present;
        var verdict = forecast.Verdict();
        var refused = refusing.Select(one => (one.Address, Why: one.Delivery.Why ?? one.Delivery.OtherCertificate!.Value)).ToList();
        if (verdict is not (DestinationVerdict.Degraded or DestinationVerdict.Mismatch) || refused.Count == 0)
            yield break;
        var where = string.Join(", ", refused.Select(one => $"{one.Address.MxHost} [{one.Address.History.Target.Address}] ({one.Why.Name()})"));
        yield return Finding(
            FindingKind.LevelNotMet, refused[0].Why, [.. refused.SelectMany(one => Presented(one.Address, digest))],
            verdict == DestinationVerdict.Mismatch
                ? $"no address that Postfix tries takes mail, it {(forecast.IsSurelyReturned ? "is returned to its sender" : "waits")}: {where}"
                : $"some address would be refused, mail goes through the others: {where}",
            Check(entry));
    }

    private static string Check(string key) => $"policyctl check {Shell.Quote(key)}";

    private static IEnumerable<PresentedKey> Presented(AddressState address, DigestAlgorithm digest) =>
        address.History.Algorithms
            .Select(known => new AddressAlgorithm(address, known))
            .Where(algorithm => algorithm.Latest.Certificate is not null && algorithm.Latest.Last == address.History.LastAttempt)
            .Select(algorithm => algorithm.ToPresentedKey(digest));

    private Finding Finding(FindingKind kind, ProbeOutcome? outcome, ImmutableArray<PresentedKey> seen, string detail, string remedy) =>
        new(kind, entry, detail, remedy, now) { Outcome = outcome, Seen = seen };
}
