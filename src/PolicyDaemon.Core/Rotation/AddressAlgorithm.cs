using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Pins;

namespace PolicyDaemon.Core.Rotation;

/// <summary>An address with one key algorithm: a server presents one certificate there at a time.</summary>
internal sealed class AddressAlgorithm(AddressState address, KeyAlgorithm keyAlgorithm)
{
    public AddressState Address { get; } = address;

    public KeyAlgorithm KeyAlgorithm { get; } = keyAlgorithm;

    /// <summary>The runs of the algorithm at the address, oldest first, never empty.</summary>
    public IReadOnlyList<CertificateRun> Runs { get; } = [.. address.History.Runs(keyAlgorithm)];

    public CertificateRun Latest => Runs[^1];

    /// <summary>True where the last attempt at the address saw the latest certificate.</summary>
    public bool IsCurrent =>
        Address.Listed && Address.History.IsSecured && Latest.Certificate is not null && Latest.Last == Address.History.LastAttempt;

    /// <summary>The certificate seen in the last attempt; only where it is current.</summary>
    public ServerCertificate Certificate => Latest.Certificate ?? throw new InvalidOperationException("nothing was seen here");

    public DaneVerdict Dane => Address.DaneOf(KeyAlgorithm);

    /// <summary>The latest runs in which served keys other than the pin were presented here, and nothing else.</summary>
    public IEnumerable<CertificateRun> SinceReplaced(Pin pin, PinSet pins) =>
        Runs.Reverse().TakeWhile(run => run.Certificate is null
            || (!run.Certificate.Matches(pin.Fingerprint) && pins.Served.Any(other => run.Certificate.Matches(other.Fingerprint))));

    /// <summary>When the pin's key or certificate was last seen here; null where it never was.</summary>
    public DateTimeOffset? LastSeen(Pin pin) => Runs.LastOrDefault(run => run.Certificate?.Matches(pin.Fingerprint) == true)?.Last;

    public PresentedKey ToPresentedKey(DigestAlgorithm digest) => new(
        Address.MxHost, Address.History.Target, Certificate.Digest(PinSubject.PublicKey, digest),
        Certificate.Digest(PinSubject.Certificate, digest), Latest.First);
}
