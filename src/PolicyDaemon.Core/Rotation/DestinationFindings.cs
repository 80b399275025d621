using System.Collections.Immutable;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Pins;

namespace PolicyDaemon.Core.Rotation;

/// <summary>What a person should read about a destination, its pins apart: where its mail goes, and what its level would meet there.</summary>
public static class DestinationFindings
{
    /// <summary>What DNS says that stands in the way of mail or of looking.</summary>
    public static RotationFinding? OfResolution(MxResolution resolution)
    {
        ArgumentNullException.ThrowIfNull(resolution);
        if (resolution.Worked)
            return null;
        if (resolution.NextHop.IsSubdomains && resolution.Outcome == ProbeOutcome.NoMx)
        {
            return Finding(
                FindingKind.NothingToProbe, resolution.Outcome, [],
                "a leading-dot key has no MX of its own, and no host was named to probe: its verdict is unknown",
                $"policyctl domain set {resolution.NextHop} --probe-as NAME");
        }

        return Finding(
            FindingKind.DnsTrouble, resolution.Outcome, [],
            resolution.Detail ?? $"looking up {resolution.NextHop}: {resolution.Outcome.Name()}", $"policyctl check {resolution.NextHop}");
    }

    /// <summary>Addresses at which a level that needs no pins would not be met.</summary>
    /// <param name="owner">Stands in the commands.</param>
    /// <param name="judgement">The level's.</param>
    /// <param name="addresses">All known.</param>
    /// <param name="digest">For the keys that are shown.</param>
    public static IEnumerable<RotationFinding> OfLevel(
        string owner, LevelVerdict judgement, ImmutableArray<AddressState> addresses, DigestAlgorithm digest)
    {
        ArgumentNullException.ThrowIfNull(judgement);
        var verdict = judgement.Verdict(addresses);
        if (verdict == DestinationVerdict.Unreachable)
        {
            yield return Finding(
                FindingKind.DestinationUnreachable, ProbeOutcome.Unreachable, [], "no address could be reached in the last probe",
                $"policyctl check {owner}");
        }

        if (verdict is not (DestinationVerdict.Degraded or DestinationVerdict.Mismatch))
            yield break;
        var refused = addresses.Where(address => address.Listed && judgement.Refusal(address) is not null)
            .OrderBy(address => address.MxHost, StringComparer.Ordinal).ThenBy(address => address.History.Target)
            .ToList();
        var outcome = judgement.Refusal(refused[0])!.Value;
        var where = string.Join(", ", refused.Select(address =>
            $"{address.MxHost} [{address.History.Target.Address}] ({judgement.Refusal(address)!.Value.Name()})"));
        yield return Finding(
            FindingKind.LevelNotMet, outcome, [.. refused.SelectMany(address => Seen(address, digest))],
            verdict == DestinationVerdict.Mismatch
                ? $"every reachable address would be refused, mail waits: {where}"
                : $"some address would be refused, mail goes through the others: {where}",
            $"policyctl check {owner}");
    }

    private static IEnumerable<PresentedKey> Seen(AddressState address, DigestAlgorithm digest) =>
        address.History.Algorithms
            .Select(algorithm => address.History.Latest(algorithm)!)
            .Where(run => run.Certificate is not null && run.Last == address.History.LastAttempt)
            .Select(run => new PresentedKey(
                address.MxHost, address.History.Target, run.Certificate!.Digest(PinSubject.PublicKey, digest),
                run.Certificate.Digest(PinSubject.Certificate, digest), run.First));

    private static RotationFinding Finding(
        FindingKind kind, ProbeOutcome outcome, ImmutableArray<PresentedKey> seen, string detail, string remedy) =>
        new(kind, outcome, [], seen, detail, remedy);
}
