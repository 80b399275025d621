using PolicyDaemon.Core.Pins;

namespace PolicyDaemon.Core.Rotation;

/// <summary>The brake: when many MX hosts of pinned destinations show a new key at once, our own network, resolver or clock is the
/// likelier culprit.</summary>
/// <remarks>It counts MX hosts: a provider that renews the key of one host is one, however many destinations are its customers.</remarks>
/// <param name="PinnedHosts">The MX hosts of all destinations with served pins, each once.</param>
/// <param name="HostsWithNewKeys">How many MX hosts showed a <see cref="HostWithNewKey"/> within <see cref="RotationOptions.BrakeWindow"/>.</param>
/// <param name="PassEnded">When the last pass ended: every target that was due at its start has been probed.</param>
public readonly record struct Brake(int PinnedHosts, int HostsWithNewKeys, DateTimeOffset? PassEnded)
{
    private readonly RotationOptions? options;

    /// <summary>Its thresholds and its wait.</summary>
    public RotationOptions Options
    {
        get => options ?? RotationOptions.Default;
        init => options = value;
    }

    /// <summary>More than 1 % of the hosts, and at least 5, unless configured otherwise: nothing promotes by itself.</summary>
    public bool IsOn => HostsWithNewKeys >= Options.BrakeAtLeast && (long)HostsWithNewKeys * 100 > (long)PinnedHosts * Options.BrakePercent;

    /// <summary>True where a key seen at that time has waited for the end of a pass, or long enough.</summary>
    /// <remarks>A time in the future is from before the clock was set back, and no pass that is known ended before that.</remarks>
    public bool HasWaited(DateTimeOffset seen, DateTimeOffset now) =>
        PassEnded > seen || (seen > now && PassEnded is not null) || now - seen >= Options.EvidenceWait;
}

/// <summary>What the ledger knows for the <see cref="Brake"/>.</summary>
public readonly record struct BrakeCounts(int PinnedHosts, int HostsWithNewKeys);

/// <summary>An MX host that presents a key of which nobody knew: no pin serves or rejects it, and none announced it.</summary>
/// <param name="MxHost">The host's name.</param>
/// <param name="Since">When any of its addresses presented the key first.</param>
public readonly record struct HostWithNewKey(string MxHost, DateTimeOffset Since)
{
    // Pins are dated in whole seconds, observations need not be.
    private static readonly TimeSpan Second = TimeSpan.FromSeconds(1);

    /// <summary>The new keys of the last probes that are young enough to count.</summary>
    internal static IEnumerable<HostWithNewKey> In(RotationView view)
    {
        foreach (var slot in view.Current)
        {
            var certificate = slot.Certificate;
            if (view.Pins.Accepts(certificate) || view.Pins.Refuses(certificate))
                continue;
            var runs = view.CertificateSlots
                .SelectMany(other => other.Runs, (other, run) => (other.Address.MxHost, Run: run))
                .Where(seen => seen.Run.Certificate?.KeyId == certificate.KeyId)
                .ToList();
            var first = runs.Min(seen => seen.Run.First);
            var isAnnounced = view.Input.Pins.Any(pin =>
                pin.State == PinState.Candidate && certificate.Matches(pin.Fingerprint) && pin.Since + Second < first);
            var since = runs.Where(seen => seen.MxHost == slot.Address.MxHost).Min(seen => seen.Run.First);
            if (!isAnnounced && view.Now - since <= view.Options.BrakeWindow)
                yield return new HostWithNewKey(slot.Address.MxHost, since);
        }
    }
}
