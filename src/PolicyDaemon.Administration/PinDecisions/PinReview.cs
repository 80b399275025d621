using System.Collections.Immutable;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Rotation;
using PolicyDaemon.Probe.Dane;
using PolicyDaemon.Store;
using PolicyDaemon.Store.Auditing;
using PolicyDaemon.Store.Probing;

namespace PolicyDaemon.Administration.PinDecisions;

/// <summary>The keys of a destination that wait for a decision, each beside the key that it would follow, as the store has them.</summary>
/// <param name="Entry">The destination.</param>
/// <param name="Probed">What the prober has seen of it; null before its first probe.</param>
/// <param name="Keys">What is shown now and not trusted, the candidates first; where nothing is, the candidates that nobody shows any more.</param>
/// <param name="Others">Further keys that wait for a decision, beyond what a person can compare at once: shown now or, behind those that are, candidates that nobody shows any more.</param>
public sealed record PinReview(Destination Entry, ProbeState? Probed, ImmutableArray<ReviewedKey> Keys, ImmutableArray<Pin> Others)
{
    // As many keys as a person can compare at once; a server that shows one after the other has more.
    private const int MostReviewed = 8;

    /// <param name="store">The store.</param>
    /// <param name="entry">The destination.</param>
    /// <param name="now">The time, UTC.</param>
    public static PinReview Read(PolicyStore store, Destination entry, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(store);
        ArgumentNullException.ThrowIfNull(entry);
        var probed = store.ReadProbeState(entry.Key);
        var waiting = entry.Pins.Where(pin => pin.State == PinState.Candidate || (!pin.IsServed && IsShown(probed, pin))).ToList();
        var shown = waiting.Where(pin => IsShown(probed, pin)).ToList();
        ImmutableArray<Pin> reviewed =
        [
            .. (shown.Count > 0 ? shown : waiting).OrderBy(pin => pin.State == PinState.Candidate ? 0 : 1).ThenByDescending(pin => pin.Since)
                .ThenBy(pin => pin.Fingerprint.Hex, StringComparer.Ordinal).Take(MostReviewed),
        ];
        var reader = new Reader(store, entry, probed, now);
        return new PinReview(
            entry, probed, [.. reviewed.Select(reader.Read)],
            [.. waiting.Where(pin => !reviewed.Contains(pin))]);
    }

    /// <summary>How many of <see cref="Others"/> a server shows now.</summary>
    public int OthersShown => Others.Count(pin => IsShown(Probed, pin));

    /// <summary>The other destinations that show a candidate now at the same MX hosts, and have it as a candidate of their own.</summary>
    /// <param name="store">The store.</param>
    /// <param name="key">The destination.</param>
    /// <param name="candidate">The candidate.</param>
    public static IReadOnlyList<NextHop> ShownAlsoBy(PolicyStore store, NextHop key, Fingerprint candidate)
    {
        ArgumentNullException.ThrowIfNull(store);
        var certificates = (store.ReadProbeState(key)?.PresentationsOf(candidate) ?? [])
            .Where(seen => seen.IsCurrent).Select(seen => seen.Certificate.Id).Distinct();
        return [.. certificates.SelectMany(certificate => store.ListShowing(key, candidate, certificate)).Distinct().OrderBy(other => other.Text, StringComparer.Ordinal)];
    }

    private static bool IsShown(ProbeState? probed, Pin pin) => probed?.PresentationsOf(pin.Fingerprint).Any(seen => seen.IsCurrent) == true;

    /// <summary>Reads what is on record about one pin after the other.</summary>
    private sealed class Reader(PolicyStore store, Destination entry, ProbeState? probed, DateTimeOffset now)
    {
        private readonly IReadOnlyList<StoredObservation> observations = store.ReadObservations(entry.Key);
        private readonly IReadOnlyDictionary<Fingerprint, PinEvidence> decisions = store.ReadEvidence(entry.Key);
        private readonly IReadOnlyDictionary<Fingerprint, PinEvidence> service = store.ReadServiceEvidence(entry.Key);
        private readonly ImmutableArray<Finding> findings =
        [
            .. store.OpenFindings(entry.Key),
            .. FindingKinds.All.Where(row => row.Source == FindingSource.Prober).SelectMany(row => store.OpenFindings(row.Kind)).Select(open => open.Finding)
                .Where(finding => finding.Subject != entry.Key.Text),
        ];

        internal ReviewedKey Read(Pin pin)
        {
            var shown = Shown(run => run.Certificate?.Matches(pin.Fingerprint) == true);
            var old = OldOf(shown);
            var facts = new KeyFacts
            {
                Pin = pin,
                Now = now,
                LastProbe = probed?.LastProbe,
                New = shown,
                Old = old,
                Findings = findings,
                Elsewhere = store.FindElsewhere(entry.Key, pin.Fingerprint),
                AreNamesAuthenticated = probed?.Resolution is { } resolution && Evidence.NamesAreAuthenticated(resolution.MxDnssec, resolution.HostIsGiven),
                IsAnnounced = probed?.Resolution?.Hosts.SelectMany(host => DaneVerification.SecureRecords(host)).Any(record =>
                    record.TryFingerprint(pin.Fingerprint.Algorithm, out var announced, out _) && announced == pin.Fingerprint) == true,
                IsAccepted = shown is not null && IsTrusted(shown.Certificate),
                Weakness = new PinCaution(entry, entry with { Pins = entry.Pins.Serve(pin with { State = PinState.Active, Strength = PinStrength.Person }) })
                    .WeakKeys(probed) is [var weakness, ..] ? weakness : null,
            };
            var oldPin = old is null ? null : entry.Pins.FirstOrDefault(served => served.IsServed && old.Certificate.Matches(served.Fingerprint));
            return new ReviewedKey(
                facts, KeyVerdict.Of(facts), oldPin, oldPin is null ? null : service.GetValueOrDefault(oldPin.Fingerprint) ?? decisions.GetValueOrDefault(oldPin.Fingerprint),
                pin.State.IsRefused() ? decisions.GetValueOrDefault(pin.Fingerprint) : service.GetValueOrDefault(pin.Fingerprint),
                pin.State == PinState.Candidate ? ShownAlsoBy(store, entry.Key, pin.Fingerprint) : []);
        }

        /// <summary>The trusted key in whose place another one is shown: of the same algorithm at the same address, or else whatever was trusted last.</summary>
        private ShownKey? OldOf(ShownKey? shown)
        {
            var algorithm = shown?.Certificate.Algorithm;
            var candidates = (probed?.Addresses ?? [])
                .SelectMany(address => address.History.CertificateRuns.Where(run => run.Certificate is { } seen && IsTrusted(seen)).Select(run => (
                    Run: run,
                    IsSamePlace: run.Algorithm == algorithm && shown!.Places.Any(place => place.Target == address.History.Target),
                    IsSameAlgorithm: run.Algorithm == algorithm)))
                .ToList();
            if (candidates.Count == 0)
                return null;
            var last = candidates.OrderByDescending(one => one.IsSamePlace).ThenByDescending(one => one.IsSameAlgorithm).ThenByDescending(one => one.Run.Last).First();
            var key = last.Run.Certificate!.KeyId;
            return Shown(run => run.Certificate?.KeyId == key && IsTrusted(run.Certificate));
        }

        private bool IsTrusted(ServerCertificate certificate) => entry.Pins.Any(pin => pin.IsServed && certificate.Matches(pin.Fingerprint));

        private ShownKey? Shown(Func<CertificateRun, bool> isMeant)
        {
            var places = new List<(ShownPlace Place, ServerCertificate Certificate)>();
            foreach (var address in probed?.Addresses ?? [])
            {
                foreach (var runs in address.History.CertificateRuns.Where(isMeant).GroupBy(run => run.Algorithm))
                {
                    var last = runs.MaxBy(run => run.Last)!;
                    places.Add((Place(address, [.. runs], last), last.Certificate!));
                }
            }

            return places.Count == 0
                ? null
                : new ShownKey(
                    places.OrderByDescending(one => one.Place.IsCurrent).ThenByDescending(one => one.Place.Last).First().Certificate,
                    [.. places.Select(one => one.Place).OrderBy(place => place.MxHost, StringComparer.Ordinal).ThenBy(place => place.Target)]);
        }

        private ShownPlace Place(MxAddress address, List<CertificateRun> runs, CertificateRun last)
        {
            var observed = observations.FirstOrDefault(one => one.Target == address.History.Target && one.Certificates.Any(seen => seen.CertificateFingerprint == last.Certificate!.Id.Hex))
                ?.Certificates.First(seen => seen.CertificateFingerprint == last.Certificate!.Id.Hex);
            return new ShownPlace(
                address.MxHost, address.History.Target, runs.Min(run => run.First), last.Last, runs.Sum(run => run.Probes),
                address.Listed && ReferenceEquals(last, address.History.Latest(last.Algorithm)))
            {
                WasShownLast = last.Last == address.History.CertificateRuns.Max(run => run.Last),
                IsTrusted = last.TrustedSince is not null && (observed is null || observed.Chain == ChainVerdict.Trusted.Name()),
                ChainDetail = observed?.ChainDetail,
                Dane = probed?.Resolution is { } resolution && resolution.Hosts.FirstOrDefault(host => host.Name == address.MxHost) is { } mx
                    ? DaneVerification.Judge(mx, resolution, last, now)
                    : DaneVerdict.None,
                HasShownTrusted = address.History.CertificateRuns.Any(run => run.Certificate is { } seen && IsTrusted(seen)),
                HasSeveral = address.History.HasSeveral,
                StrangersBefore = address.History.Runs(last.Algorithm).TakeWhile(run => !ReferenceEquals(run, last)).Reverse()
                    .TakeWhile(run => run.Certificate is null || !IsTrusted(run.Certificate))
                    .Select(run => run.Certificate?.KeyId).OfType<Fingerprint>().Where(key => key != last.Certificate!.KeyId).Distinct().Count(),
            };
        }
    }
}

/// <summary>A key that waits for a decision, with what is on record about it.</summary>
/// <param name="Facts">What the verdict rests on.</param>
/// <param name="Verdict">The verdict.</param>
/// <param name="OldPin">The served pin of the old key; null where none was seen.</param>
/// <param name="OldDecision">The decision that serves it.</param>
/// <param name="Earlier">An earlier decision about the key itself: the one that refused it, or took it out of service; null where there was none.</param>
/// <param name="AlsoBy">The other destinations that show it at the same MX hosts, and wait for the same decision.</param>
public sealed record ReviewedKey(
    KeyFacts Facts, KeyVerdict Verdict, Pin? OldPin, PinEvidence? OldDecision, PinEvidence? Earlier, IReadOnlyList<NextHop> AlsoBy)
{
    /// <summary>The pin that would be approved.</summary>
    public Pin Pin => Facts.Pin;

    /// <summary>True where a person may approve it here without having refused it before.</summary>
    public bool IsOffered => Pin.State is PinState.Candidate or PinState.Retired;
}
