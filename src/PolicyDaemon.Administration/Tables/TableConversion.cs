using System.Collections.Concurrent;
using PolicyDaemon.Administration.Fetching;
using PolicyDaemon.Administration.Forecast;
using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Rotation;
using PolicyDaemon.Probe;
using PolicyDaemon.Probe.Destinations;
using PolicyDaemon.Store.Fleet;

namespace PolicyDaemon.Administration.Tables;

/// <summary>A row of a table after its pins were carried over.</summary>
/// <param name="Row">The row, with the pins that were carried over.</param>
/// <param name="Problem">Why no pin could be carried over; null where one was, or none needed it.</param>
/// <param name="Warnings">Pins that are lost for Postfix.</param>
/// <param name="Evidence">What the probe saw, as JSON for the audit log.</param>
public sealed record ConvertedRow(Destination Row, string? Problem, IReadOnlyList<string> Warnings, string? Evidence);

/// <summary>Carries pins of a table over to the digest that Postfix compares, where a server shows the certificate or key that they name.</summary>
/// <remarks>By the rule of <see cref="PinConversion"/>. Where the key is presented does not matter, so a row for
/// <c>.example.com</c>, which has no MX of its own, is proven by the servers of <c>example.com</c>.</remarks>
public sealed class TableConversion(Settings settings, TimeProvider time)
{
    private const int AtOnce = 16;

    private readonly DigestAlgorithm digest = settings.Postfix.FingerprintDigest;
    private readonly ConcurrentDictionary<NextHop, ProbedDestination> probes = new();

    /// <summary>Probes the servers of every row that has such pins, each address once; nothing is stored.</summary>
    /// <param name="progress">Told after each destination how many are done and how many there are.</param>
    public async Task ProbeAsync(IEnumerable<Destination> rows, IProgress<(int Done, int All)>? progress, CancellationToken cancellation)
    {
        var wanted = rows.Where(NeedsConversion).DistinctBy(Where).ToList();
        using var claims = AddressClaims.For(settings.Database, time, isOptional: true);
        using var prober = new ProberComposition(settings.Probe, settings.Postfix, time) { Claims = claims };
        using var probe = prober.CreateDestinationProbe(ledger: null);
        var done = 0;
        await Parallel.ForEachAsync(
            wanted, new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = cancellation }, async (row, stop) =>
            {
                var key = Where(row);
                probes[key] = await probe.RunAsync(DestinationCheck.StateOf(key, row with { Key = key }, []), triesServerNames: false, null, stop);
                progress?.Report((Interlocked.Increment(ref done), wanted.Count));
            });
    }

    /// <summary>Stores the probes of these rows' destinations, after their entries were written.</summary>
    /// <returns>Why the probes could not be stored; null where they were.</returns>
    public Task<string?> StoreAsync(IEnumerable<Destination> rows) => FetchedPins.StoreAsync(
        settings, time, [.. rows.Select(row => row.Key).Distinct().Where(probes.ContainsKey).Select(key => probes[key])]);

    /// <summary>The row with its pins carried over.</summary>
    public ConvertedRow Convert(Destination row)
    {
        ArgumentNullException.ThrowIfNull(row);
        if (!NeedsConversion(row))
            return new ConvertedRow(row, null, [], null);
        var probed = probes[Where(row)];
        var pins = row.Pins;
        var accepted = new List<AcceptedPin>();
        var unproven = new List<Pin>();
        foreach (var pin in row.Pins.Where(pin => pin.NeedsConversion(digest)))
        {
            if (Prove(pin, probed) is { } proven)
            {
                accepted.Add(new AcceptedPin(proven.Fingerprint, proven.Subject, proven.Strength, pin.Fingerprint));
                if (pins.Find(proven.Fingerprint) is null)
                    pins = pins.Insert(pins.IndexOf(pin), proven);
            }
            else
            {
                unproven.Add(pin);
            }

            // Kept for the record, proven or not: Postfix could not match it anyway.
            pins = pins.Retire(pin.Fingerprint, pin.Since);
        }

        if (unproven.Count > 0 && !pins.Any(pin => pin.IsServed))
            return new ConvertedRow(row, $"{row.Key.ToDisplayString()}: {Missing(row, unproven, probed)}", [], null);
        return new ConvertedRow(
            row with { Pins = pins }, null,
            [.. unproven.Select(pin => $"{row.Key.ToDisplayString()}: {Missing(row, [pin], probed)}; it is kept as retired")],
            FetchEvidence.Json(probed, accepted, digest));
    }

    private bool NeedsConversion(Destination row) => row.Policy.Level.MatchesFingerprints() && row.Pins.Any(pin => pin.NeedsConversion(digest));

    private static NextHop Where(Destination row) => row.Key.IsSubdomains ? NextHop.Parse(row.Key.Text[1..]) : row.Key;

    private Pin? Prove(Pin pin, ProbedDestination probed) => pin.IsProof()
        ? probed.Addresses.SelectMany(address => address.Observation.Certificates)
            .Select(presented => pin.Convert(presented.Certificate, digest))
            .FirstOrDefault(converted => converted is not null)
        : null;

    private string Missing(Destination row, List<Pin> unproven, ProbedDestination probed)
    {
        var pin = unproven[0].Fingerprint;
        var named = $"the {pin.Algorithm.Name()} pin {pin.Hex}{(unproven.Count > 1 ? $" and {unproven.Count - 1} more" : "")} cannot be carried over to {digest.Name()}";
        if (!unproven[0].IsProof())
            return $"{named}: MD5 proves nothing by itself; compare with the partner and give the {digest.Name()} fingerprint";
        var seen = FetchedKeys.Of(probed, digest);
        return seen.Count == 0
            ? $"{named}: no server of {Where(row)} showed a certificate; see policyctl check {Shell.Quote(Where(row).Text)}"
            : $"{named}: no server of {Where(row)} shows what it names; seen instead: {string.Join(", ", seen.Select(key => key.Pin))}. "
                + "If the partner confirms that, give it in the table; or keep the row with --unservable observe";
    }
}
