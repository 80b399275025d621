using System.Collections.Concurrent;
using System.Collections.Immutable;
using PolicyDaemon.Administration.Fetching;
using PolicyDaemon.Administration.Forecast;
using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Probe;
using PolicyDaemon.Probe.Destinations;

namespace PolicyDaemon.Administration.Tables;

/// <summary>A row of a table after its pins were carried over.</summary>
/// <param name="Row">The row, with the pins that could be.</param>
/// <param name="Problem">Why none could; null where one could, or none needed it.</param>
/// <param name="Warnings">Pins that are lost for Postfix.</param>
/// <param name="Evidence">What was seen, as JSON for the audit log.</param>
public sealed record ConvertedRow(Destination Row, string? Problem, IReadOnlyList<string> Warnings, string? Evidence);

/// <summary>Carries pins of a table over to the digest that Postfix compares, where a server shows the certificate or key that they name.</summary>
/// <remarks>Where it is shown does not matter: who shows the preimage of the digest proves what was pinned. So a row for
/// <c>.example.com</c>, which has no MX of its own, is proven by the servers of <c>example.com</c>.</remarks>
public sealed class TableConversion(Settings settings, TimeProvider time)
{
    private const int AtOnce = 16;

    private readonly DigestAlgorithm digest = settings.Postfix.FingerprintDigest;
    private readonly ConcurrentDictionary<NextHop, ProbedDestination> probes = new();

    /// <summary>Probes the servers of every row that has such pins, each address once; nothing is stored.</summary>
    /// <param name="progress">Told after each how many are done and how many there are.</param>
    public async Task ProbeAsync(IEnumerable<Destination> rows, IProgress<(int Done, int All)>? progress, CancellationToken cancellation)
    {
        var wanted = rows.Where(NeedsConversion).DistinctBy(Where).ToList();
        using var prober = new ProberComposition(settings.Probe, digest, time);
        using var probe = prober.CreateDestinationProbe(ledger: null);
        var done = 0;
        await Parallel.ForEachAsync(
            wanted, new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = cancellation }, async (row, stop) =>
            {
                var key = Where(row);
                probes[key] = await probe.RunAsync(DestinationCheck.StateOf(key, row with { Key = key }, []), triesServerName: false, null, stop);
                progress?.Report((Interlocked.Increment(ref done), wanted.Count));
            });
    }

    /// <summary>Stores what was seen of the destinations that these rows are, once their entries are there.</summary>
    /// <returns>Why it could not be stored; null where it was.</returns>
    public Task<string?> StoreAsync(IEnumerable<Destination> rows) => FetchedPins.StoreAsync(
        settings, time, [.. rows.Select(row => row.Key).Distinct().Where(probes.ContainsKey).Select(key => probes[key])]);

    /// <summary>The row with its pins carried over.</summary>
    public ConvertedRow Convert(Destination row)
    {
        ArgumentNullException.ThrowIfNull(row);
        if (!NeedsConversion(row))
            return new ConvertedRow(row, null, [], null);
        var probed = probes[Where(row)];
        var pins = ImmutableArray.CreateBuilder<Pin>();
        var accepted = new List<AcceptedPin>();
        var unproven = new List<Pin>();
        foreach (var pin in row.Pins)
        {
            if (!IsForeign(pin))
            {
                pins.Add(pin);
            }
            else if (Prove(pin, probed) is { } proven)
            {
                accepted.Add(proven);
                if (!row.Pins.Concat(pins).Any(known => known.Fingerprint == proven.Fingerprint))
                    pins.Add(pin with { Fingerprint = proven.Fingerprint, Subject = proven.Subject });
                pins.Add(pin with { State = PinState.Retired });
            }
            else
            {
                unproven.Add(pin);
            }
        }

        if (unproven.Count > 0 && !pins.Any(pin => pin.IsServed))
            return new ConvertedRow(row, $"{row.Key.ToDisplayString()}: {Missing(row, unproven, probed)}", [], null);
        // Kept for the record; Postfix could not match it anyway.
        pins.AddRange(unproven.Select(pin => pin with { State = PinState.Retired }));
        return new ConvertedRow(
            row with { Pins = pins.ToImmutable() }, null,
            [.. unproven.Select(pin => $"{row.Key.ToDisplayString()}: {Missing(row, [pin], probed)}; it is kept as retired")],
            FetchEvidence.Json(probed, accepted, digest));
    }

    private bool NeedsConversion(Destination row) => row.Policy.Level.MatchesFingerprints() && row.Pins.Any(IsForeign);

    private bool IsForeign(Pin pin) => pin.IsServed && pin.Fingerprint.Algorithm != digest;

    private static NextHop Where(Destination row) => row.Key.IsSubdomains ? NextHop.Parse(row.Key.Text[1..]) : row.Key;

    /// <summary>SHA-1 resists a second preimage, which is all that counts here; MD5 is a person's to decide.</summary>
    private AcceptedPin? Prove(Pin pin, ProbedDestination probed)
    {
        if (pin.Fingerprint.Algorithm == DigestAlgorithm.Md5)
            return null;
        foreach (var certificate in probed.Addresses.SelectMany(address => address.Seen.Certificates).Select(presented => presented.Certificate))
        {
            if (certificate.Matches(pin.Fingerprint, out var subject))
                return new AcceptedPin(certificate.Digest(subject, digest), subject, pin.Strength, pin.Fingerprint);
        }

        return null;
    }

    private string Missing(Destination row, List<Pin> unproven, ProbedDestination probed)
    {
        var pin = unproven[0].Fingerprint;
        var named = $"the {pin.Algorithm.Name()} pin {pin.Hex}{(unproven.Count > 1 ? $" and {unproven.Count - 1} more" : "")} cannot be carried over to {digest.Name()}";
        if (pin.Algorithm == DigestAlgorithm.Md5)
            return $"{named}: MD5 proves nothing by itself; compare with the partner and give the {digest.Name()} fingerprint";
        var seen = FetchedKeys.Of(probed, digest);
        return seen.Count == 0
            ? $"{named}: no server of {Where(row)} showed a certificate; see policyctl check {Shell.Quote(Where(row).Text)}"
            : $"{named}: no server of {Where(row)} shows what it names; seen instead: {string.Join(", ", seen.Select(key => key.Pin))}. "
                + "If the partner confirms that, give it in the table; or keep the row with --unservable observe";
    }
}
