using PolicyDaemon.Administration.Forecast;
using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Rotation;
using PolicyDaemon.Probe;
using PolicyDaemon.Probe.Destinations;
using PolicyDaemon.Store.Fleet;

namespace PolicyDaemon.Administration.Fetching;

/// <summary>How a person accepts keys of which nothing proves whose they are.</summary>
public enum KeyAcceptance
{
    /// <summary>A person compared the fingerprints with the partner over another channel.</summary>
    Compared,

    /// <summary>The keys are trusted as they were presented, and the pins show <c>tofu</c> for ever.</summary>
    FirstSight,
}

/// <summary>Fetches the keys that a destination's servers present before its entry is written, and decides which of them become pins.</summary>
public sealed class PinFetch
{
    private readonly Settings settings;
    private readonly TimeProvider time;
    private readonly Destination destination;
    private readonly IReadOnlyList<AcceptedPin> carried;

    private PinFetch(Settings settings, TimeProvider time, Destination destination, ProbedDestination probed)
    {
        this.settings = settings;
        this.time = time;
        this.destination = destination;
        Probed = probed;
        Keys = FetchedKeys.Of(probed, Digest);
        carried = [.. Keys.SelectMany(Carried)];
        Undecided = [.. Keys.Where(key => !key.Certificates.Any(certificate => IsServed(certificate) || carried.Any(pin => certificate.Matches(pin.Fingerprint))))];
    }

    /// <summary>The probe: the DNS resolution and the observations of every address.</summary>
    public ProbedDestination Probed { get; }

    /// <summary>Every public key that was presented.</summary>
    public IReadOnlyList<FetchedKey> Keys { get; }

    /// <summary>The keys that no served pin names, in this digest or another; a key that an approved pin names needs no second approval.</summary>
    public IReadOnlyList<FetchedKey> Undecided { get; }

    /// <summary>The digest that Postfix compares.</summary>
    public DigestAlgorithm Digest => settings.Postfix.FingerprintDigest;

    private string Key => destination.Key.Text;

    /// <summary>Probes the servers; nothing is stored.</summary>
    /// <param name="destination">The entry as it would be, without the pins that are to be fetched.</param>
    /// <param name="progress">Told after each address how many are done and how many there are.</param>
    public static async Task<PinFetch> RunAsync(
        Settings settings, TimeProvider time, Destination destination, IProgress<(int Done, int All)>? progress, CancellationToken cancellation)
    {
        ArgumentNullException.ThrowIfNull(settings);
        ArgumentNullException.ThrowIfNull(destination);
        using var claims = AddressClaims.For(settings.Database, time, isOptional: true);
        using var prober = new ProberComposition(settings.Probe, settings.Postfix, time) { Claims = claims };
        using var probe = prober.CreateDestinationProbe(ledger: null);
        var probed = await probe.RunAsync(DestinationCheck.StateOf(destination.Key, destination, []), triesServerNames: false, progress, cancellation);
        return new PinFetch(settings, time, destination, probed);
    }

    /// <summary>Refuses where there is nothing to decide about: nobody presented a key, or one that a person rejected or revoked is presented.</summary>
    /// <exception cref="RefusedException">So it is.</exception>
    public void RefuseUnpinnable()
    {
        if (Keys.Count == 0)
            throw NothingPresented();
        var rejected = destination.Pins.FirstOrDefault(pin => pin.State.IsRefused()
            && Keys.Any(key => key.Certificates.Any(certificate => certificate.Matches(pin.Fingerprint))));
        if (rejected is not null)
        {
            throw new RefusedException(
                Refusal.RejectedKeyPresented,
                $"{rejected.Fingerprint} is presented, which was {rejected.State.Name()} on {rejected.Since:yyyy-MM-dd}; a probe does not bring it back, nothing was changed");
        }
    }

    /// <summary>Accepts every presented key that no served pin names yet, because a person decided so.</summary>
    public FetchedPins Accept(KeyAcceptance how)
    {
        var strength = how == KeyAcceptance.FirstSight ? PinStrength.Tofu : PinStrength.Person;
        return Fetched([.. carried, .. Undecided.Select(key => Accepted(key, strength))]);
    }

    /// <summary>Accepts the keys where DANE proves every one of them.</summary>
    /// <exception cref="RefusedException">A key is presented that DANE does not prove.</exception>
    public FetchedPins AcceptProven()
    {
        var unproven = Undecided.Where(key => key.Evidence != PinStrength.Dane).ToList();
        return unproven.Count == 0
            ? Fetched([.. carried, .. Undecided.Select(key => Accepted(key, PinStrength.Dane))])
            : throw new RefusedException(
                Refusal.NoEvidence, "--yes accepts keys with DANE evidence only; nothing was changed",
                [
                    .. unproven.Select(key => $"{key.Pin} at {key.Where}: {key.Why}"),
                    "compare it with the partner over another channel, then: --expect FINGERPRINT",
                ]);
    }

    /// <summary>Accepts exactly these fingerprints: each is presented, and nothing else is.</summary>
    /// <exception cref="RefusedException">A fingerprint is not presented, or another key is.</exception>
    public FetchedPins AcceptExactly(IReadOnlyList<Fingerprint> expected)
    {
        ArgumentNullException.ThrowIfNull(expected);
        var other = Keys.SelectMany(key => key.Certificates.Where(certificate => !expected.Any(certificate.Matches)).Select(certificate => (key, certificate))).ToList();
        var missing = expected.Where(pin => !Keys.Any(key => key.Certificates.Any(certificate => certificate.Matches(pin)))).ToList();
        if (other.Count > 0 || missing.Count > 0)
        {
            throw new RefusedException(
                Refusal.NotAsExpected, $"{Key} does not show exactly what is expected; nothing was changed",
                [
                    .. expected.Select(pin => $"expected {pin}{(missing.Contains(pin) ? ", which was not seen" : "")}"),
                    .. other.Select(one => $"seen     {one.key.Pin} (public key), {one.certificate.Digest(PinSubject.Certificate, Digest)} (certificate) at {one.key.Where}"),
                ]);
        }

        return Fetched(
        [
            .. expected.Select(pin =>
            {
                Keys.SelectMany(key => key.Certificates).First(certificate => certificate.Matches(pin)).Matches(pin, out var subject);
                return new AcceptedPin(pin, subject, PinStrength.Person);
            }),
        ]);
    }

    private FetchedPins Fetched(IReadOnlyList<AcceptedPin> accepted) => new(settings, time, Probed, accepted);

    /// <summary>The strength of a pin: <c>dane</c> where DANE proves the key, otherwise by how the person accepted it.</summary>
    private static AcceptedPin Accepted(FetchedKey key, PinStrength otherwise) => new(
        key.Pin, PinSubject.PublicKey,
        key.Evidence == PinStrength.Dane || (key.Evidence == PinStrength.WebPki && otherwise == PinStrength.Person) ? key.Evidence.Value : otherwise);

    /// <summary>Carries over the served pins in another digest that name a presented key or certificate.</summary>
    private IEnumerable<AcceptedPin> Carried(FetchedKey key)
    {
        foreach (var pin in destination.Pins.Where(pin => pin.NeedsConversion(Digest) && pin.IsProof()))
        {
            foreach (var certificate in key.Certificates)
            {
                if (pin.Convert(certificate, Digest) is { } converted)
                    yield return new AcceptedPin(converted.Fingerprint, converted.Subject, pin.Strength, pin.Fingerprint);
            }
        }
    }

    private bool IsServed(ServerCertificate certificate) =>
        destination.Pins.Any(pin => pin.IsServed && pin.Fingerprint.Algorithm == Digest && certificate.Matches(pin.Fingerprint));

    private RefusedException NothingPresented()
    {
        if (!Probed.Resolution.Worked)
        {
            return new RefusedException(
                Probed.Resolution.Outcome == DnsOutcome.Failed ? Refusal.NotReached : Refusal.NoCertificate,
                $"{Key}: {Probed.Resolution.Detail ?? Probed.Resolution.Outcome.Name()}; nothing was changed"
                + (destination.Key.IsSubdomains && destination.ProbeAs.IsEmpty ? ". Name the hosts that take mail for its subdomains: --probe-as NAME" : ""));
        }

        return new RefusedException(
            Probed.Addresses.Any(address => address.Observation.Outcome.IsConclusive()) ? Refusal.NoCertificate : Refusal.NotReached,
            $"{Key}: no server showed a certificate; nothing was changed. See: policyctl check {Shell.Quote(Key)}");
    }
}
