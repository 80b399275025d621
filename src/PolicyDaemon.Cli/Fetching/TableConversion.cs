using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Text.Json;
using PolicyDaemon.Administration.Forecast;
using PolicyDaemon.Cli.Output;
using PolicyDaemon.Cli.Output.Json;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Probe;
using PolicyDaemon.Probe.Destinations;

namespace PolicyDaemon.Cli.Fetching;

/// <summary>Carries pins of a table over to the digest that Postfix compares, where a server shows the certificate or key that they name.</summary>
/// <remarks>Where it is shown does not matter: who shows the preimage of the digest proves what was pinned. So a row for
/// <c>.example.com</c>, which has no MX of its own, is proven by the servers of <c>example.com</c>.</remarks>
internal sealed class TableConversion(CommandContext context)
{
    private const int AtOnce = 16;

    private readonly DigestAlgorithm digest = context.Settings.Postfix.FingerprintDigest;
    private readonly ConcurrentDictionary<NextHop, ProbedDestination> visits = new();

    /// <summary>Probes the servers of every row that has such pins, each address once.</summary>
    internal async Task ProbeAsync(IEnumerable<Destination> rows, CancellationToken cancellation)
    {
        var wanted = rows.Where(NeedsConversion).DistinctBy(Where).ToList();
        using var prober = new ProberComposition(context.Settings.Probe, digest, context.Host.Time);
        using var probe = prober.CreateDestinationProbe(ledger: null);
        using var progress = Progress.Start(context.Host, "probing", wanted.Count, worthShowing: 1);
        var done = 0;
        await Parallel.ForEachAsync(
            wanted, new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = cancellation }, async (row, stop) =>
            {
                var key = Where(row);
                visits[key] = await probe.RunAsync(DestinationCheck.StateOf(key, row with { Key = key }, []), triesServerName: false, null, stop);
                progress.Report(Interlocked.Increment(ref done));
            });
    }

    /// <summary>Visits whose destinations these rows are, to be recorded.</summary>
    internal IReadOnlyList<ProbedDestination> ProbesOf(IEnumerable<Destination> rows) =>
        [.. rows.Select(row => row.Key).Distinct().Where(visits.ContainsKey).Select(key => visits[key])];

    /// <summary>The row with its pins carried over.</summary>
    internal ConvertedRow Convert(Destination row)
    {
        if (!NeedsConversion(row))
            return new ConvertedRow(row, null, [], null);
        var visit = visits[Where(row)];
        var pins = ImmutableArray.CreateBuilder<Pin>();
        var accepted = new List<AcceptedPin>();
        var unproven = new List<Pin>();
        foreach (var pin in row.Pins)
        {
            if (!IsForeign(pin))
            {
                pins.Add(pin);
            }
            else if (Prove(pin, visit) is { } proven)
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
            return new ConvertedRow(row, $"{row.Key.ToDisplayString()}: {Missing(row, unproven, visit)}", [], null);
        // Kept for the record; Postfix could not match it anyway.
        pins.AddRange(unproven.Select(pin => pin with { State = PinState.Retired }));
        return new ConvertedRow(
            row with { Pins = pins.ToImmutable() }, null,
            [.. unproven.Select(pin => $"{row.Key.ToDisplayString()}: {Missing(row, [pin], visit)}; it is kept as retired")],
            JsonSerializer.Serialize(FetchedKeyJson.From(visit, accepted, digest), FetchedEvidenceJson.Default.FetchedKeyJson));
    }

    private bool NeedsConversion(Destination row) => Core.Policies.TlsLevels.MatchesFingerprints(row.Policy.Level) && row.Pins.Any(IsForeign);

    private bool IsForeign(Pin pin) => pin.IsServed && pin.Fingerprint.Algorithm != digest;

    private static NextHop Where(Destination row) => row.Key.IsSubdomains ? NextHop.Parse(row.Key.Text[1..]) : row.Key;

    /// <summary>SHA-1 resists a second preimage, which is all that counts here; MD5 is a person's to decide.</summary>
    private AcceptedPin? Prove(Pin pin, ProbedDestination visit)
    {
        if (pin.Fingerprint.Algorithm == DigestAlgorithm.Md5)
            return null;
        foreach (var certificate in visit.Addresses.SelectMany(address => address.Seen.Certificates).Select(presented => presented.Certificate))
        {
            if (certificate.Matches(pin.Fingerprint, out var subject))
                return new AcceptedPin(certificate.Digest(subject, digest), subject, pin.Strength, pin.Fingerprint);
        }

        return null;
    }

    private string Missing(Destination row, List<Pin> unproven, ProbedDestination visit)
    {
        var pin = unproven[0].Fingerprint;
        var named = $"the {pin.Algorithm.Name()} pin {pin.Hex}{(unproven.Count > 1 ? $" and {unproven.Count - 1} more" : "")} cannot be carried over to {digest.Name()}";
        if (pin.Algorithm == DigestAlgorithm.Md5)
            return $"{named}: MD5 proves nothing by itself; compare with the partner and give the {digest.Name()} fingerprint";
        var seen = FetchedKeys.Of(visit, digest);
        return seen.Count == 0
            ? $"{named}: no server of {Where(row)} showed a certificate; see policyctl check {Shell.Quote(Where(row).Text)}"
            : $"{named}: no server of {Where(row)} shows what it names; seen instead: {string.Join(", ", seen.Select(key => key.Pin))}. "
                + "If the partner confirms that, give it in the table; or keep the row with --unservable observe";
    }
}
