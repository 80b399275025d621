using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Pins;

namespace PolicyDaemon.Core.Rotation;

/// <summary>An address with one key algorithm: the place where one certificate is seen at a time.</summary>
internal sealed class CertificateSlot(AddressState address, KeyAlgorithm algorithm)
{
    public AddressState Address { get; } = address;

    public KeyAlgorithm Algorithm { get; } = algorithm;

    /// <summary>Oldest first, never empty.</summary>
    public IReadOnlyList<CertificateRun> Runs { get; } = [.. address.History.Runs(algorithm)];

    public CertificateRun Latest => Runs[^1];

    /// <summary>The last attempt at this address saw this certificate.</summary>
    public bool IsCurrent =>
        Address.Listed && Address.History.IsSecured && Latest.Certificate is not null && Latest.Last == Address.History.LastAttempt;

    /// <summary>The certificate seen in the last attempt; only for a current slot.</summary>
    public ServerCertificate Certificate => Latest.Certificate ?? throw new InvalidOperationException("nothing was seen here");

    public DaneVerdict Dane => Address.DaneOf(Algorithm);

    /// <summary>The runs at the end in which this place presented something other than the pin, and served pins only.</summary>
    public IEnumerable<CertificateRun> SinceReplaced(Pin pin, PinSet pins) =>
        Runs.Reverse().TakeWhile(run => run.Certificate is null
            || (!run.Certificate.Matches(pin.Fingerprint) && pins.Served.Any(other => run.Certificate.Matches(other.Fingerprint))));

    /// <summary>When the pin was last seen here; null: never.</summary>
    public DateTimeOffset? LastSeen(Pin pin) => Runs.LastOrDefault(run => run.Certificate?.Matches(pin.Fingerprint) == true)?.Last;

    public PresentedKey ToPresentedKey(DigestAlgorithm digest) => new(
        Address.MxHost, Address.History.Target, Certificate.Digest(PinSubject.PublicKey, digest),
        Certificate.Digest(PinSubject.Certificate, digest), Latest.First);
}
