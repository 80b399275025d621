using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Pins;

namespace PolicyDaemon.Core.Rotation;

/// <summary>The reasons for which one new key always takes a person, whatever the evidence for it: a weaker key, too many new keys of its host.</summary>
internal static class CandidateHolds
{
    private const int MaxRotations = 2;
    private static readonly TimeSpan RotationWindow = TimeSpan.FromDays(7);

    /// <summary>The kind of finding that the key that is presented here gives rise to, and its sentence; null where nothing holds it.</summary>
    public static (FindingKind Kind, string Detail)? Of(AddressAlgorithm algorithm, RotationView view)
    {
        if (IsWeaker(algorithm, view, out var detail))
            return (FindingKind.WeakerKey, detail);
        var rotations = Rotations(algorithm.Address.MxHost, view);
        return rotations > MaxRotations
            ? (FindingKind.RotatingTooOften, $"{algorithm.Address.MxHost} showed {rotations} new keys within 7 days")
            : null;
    }

    private static bool IsWeaker(AddressAlgorithm algorithm, RotationView view, out string detail)
    {
        var before = algorithm.Runs
            .Where(run => run.Certificate is { } seen && !seen.Equals(algorithm.Certificate) && view.Pins.Accepts(seen))
            .Select(run => run.Certificate!.StrengthBits)
            .DefaultIfEmpty()
            .Last();
        if (before == 0)
        {
            before = view.Algorithms.SelectMany(other => other.Runs)
                .Where(run => run.Certificate is { } seen && view.Pins.Accepts(seen))
                .Select(run => run.Certificate!.StrengthBits)
                .DefaultIfEmpty()
                .Min();
        }

        var isWeak = KeyStrength.IsWeak(algorithm.Certificate, before, "the one before", out var sentence);
        detail = $"the new key of {algorithm.Address.MxHost} {sentence}";
        return isWeak;
    }

    /// <summary>How many keys of a host are new within the window; the keys it was first seen with are not new.</summary>
    private static int Rotations(string host, RotationView view)
    {
        var algorithms = view.Algorithms.Where(algorithm => algorithm.Address.MxHost == host).ToList();
        var firstOfHost = algorithms.SelectMany(algorithm => algorithm.Runs).Min(run => run.First);
        return algorithms
            .SelectMany(algorithm => algorithm.Runs.Where(run => run.Certificate is not null && run.First > firstOfHost && run != algorithm.Runs[0]))
            .GroupBy(run => run.Certificate!.KeyId)
            .Where(runs => FirstSeen(runs.Key, algorithms) > view.Now - RotationWindow)
            .Count();
    }

    private static DateTimeOffset FirstSeen(Fingerprint key, IEnumerable<AddressAlgorithm> algorithms) =>
        algorithms.SelectMany(algorithm => algorithm.Runs).Where(run => run.Certificate?.KeyId == key).Min(run => run.First);
}
