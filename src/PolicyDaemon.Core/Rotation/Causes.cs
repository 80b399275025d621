using System.Collections.Immutable;
using PolicyDaemon.Core.Deliveries;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Pins;

namespace PolicyDaemon.Core.Rotation;

/// <summary>What a person should read of a pinned destination: one finding for each cause, with its consequences in it.</summary>
/// <remarks>
/// <code>
/// what is presented   mx-set-replaced, rejected-key-seen, revoked-key-seen, tlsa-mismatch, dnssec-lost, then the new keys: the first
///                     that holds is the finding, and the others are part of it, as is the mail that waits for it
/// the way to TLS      starttls-gone, plaintext-injected
/// whatever else makes Postfix refuse an address, which none of these explains: pin-mismatch
/// </code>
/// <para>Judged is what the servers showed when they were met last, so that a timeout opens and ends nothing, with the pins as the rules
/// leave them: a key that evidence has just admitted is no finding, and one that evidence will admit within the pass is none yet. A server
/// that refuses STARTTLS shows nothing; that mail waits for it is told all the same.</para>
/// <para>A remedy is one command line that settles the finding for good, or one that only looks: where an attack is not excluded, or the
/// matter is the partner's, nothing that approves, revokes or lowers anything is proposed; while the brake is on, nothing that approves a key
/// without showing it beside the old one.</para>
/// </remarks>
internal sealed class Causes
{
    // A server that shows a new key to each connection fills the candidates within a day.
    private static readonly TimeSpan Flood = TimeSpan.FromDays(1);
    private const int FloodOfCandidates = 8;

    private readonly RotationView view;
    private readonly ImmutableArray<Finding> holds;
    private readonly bool mayChange;
    private readonly ImmutableArray<Finding>.Builder findings = ImmutableArray.CreateBuilder<Finding>();
    private readonly MailForecast? mail;
    private readonly MailForecast? present;

    /// <param name="view">What the servers showed when they were met last (<see cref="RotationView.AsLastMet"/>).</param>
    /// <param name="present">What becomes of mail by the last attempts, whatever became of them; null where no pin is served.</param>
    /// <param name="holds">What always takes a person.</param>
    /// <param name="mayChange">The rules may change pins now.</param>
    private Causes(RotationView view, MailForecast? present, ImmutableArray<Finding> holds, bool mayChange)
    {
        this.view = view;
        this.holds = holds;
        this.mayChange = mayChange;
        this.present = present;
        mail = view.Forecast();
    }

    /// <summary>When rule A or B will have decided about the keys no finding reports yet; null where none is pending.</summary>
    public DateTimeOffset? SettledAt { get; private set; }

    public ImmutableArray<Finding> Findings => findings.ToImmutable();

    public static Causes Of(RotationView view, MailForecast? present, ImmutableArray<Finding> holds, bool mayChange)
    {
        var causes = new Causes(view, present, holds, mayChange);
        var isAboutKeys = causes.Presented();
        causes.Take(FindingKind.StartTlsGone);
        causes.Take(FindingKind.PlaintextInjected);
        causes.Refusals();
        // A server that was reached and is told of is not out of reach.
        if (present.Verdict() == DestinationVerdict.Unreachable && !causes.findings.Any(finding => finding.Kind is FindingKind.StartTlsGone or FindingKind.PlaintextInjected))
        {
            causes.findings.Add(view.Finding(
                FindingKind.DestinationUnreachable, ProbeOutcome.Unreachable, [], "no address could be reached in the last probe", view.Check));
        }

        causes.OtherDigest();
        if (!isAboutKeys)
            causes.Held();

        return causes;
    }

    /// <summary>The one finding about what is presented, and about DNS that leads there.</summary>
    private bool Presented()
    {
        List<Finding> same =
        [
            .. Held(FindingKind.MxSetReplaced), .. RefusedKey(PinState.Rejected, FindingKind.RejectedKeySeen), .. RefusedKey(PinState.Revoked, FindingKind.RevokedKeySeen), .. Held(FindingKind.TlsaMismatch), .. Held(FindingKind.DnssecLost), .. NewKeys(),
            .. HeldInUse(),
        ];
        if (same is not [var first, ..])
            return false;
        var seen = same.SelectMany(finding => finding.Seen).Distinct();
        var refused = mail?.Addresses.Any(one => one.Delivery.IsRefused && one.Delivery.Why == ProbeOutcome.PinMismatch) == true;
        var sentences = same.Select(finding => finding.Detail)
            .Append(LastPinUnseen())
            .Append(refused ? Consequence(mail) : null)
            .Append(first.Kind is FindingKind.NewKey or FindingKind.RotatingTooOften ? "compare its fingerprint with the partner over another channel before it is approved" : null)
            .OfType<string>();
        findings.Add(first with { Detail = string.Join("; ", sentences), Seen = [.. seen] });
        return true;
    }

    private IEnumerable<Finding> RefusedKey(PinState state, FindingKind kind)
    {
        var algorithms = view.Current.Where(algorithm => view.Pins.Refusal(algorithm.Certificate)?.State == state).ToList();
        if (algorithms.Count == 0)
            yield break;
        yield return view.Finding(
            kind, ProbeOutcome.PinMismatch, algorithms,
            $"{Hosts(algorithms)} a key that was {KeyRecord.Of(view.Pins.Refusal(algorithms[0].Certificate)!, view)}; speak with the partner, somebody else may answer in the partner's place",
            view.Check);
    }

    private IEnumerable<Finding> NewKeys()
    {
        var algorithms = new List<AddressAlgorithm>();
        foreach (var algorithm in view.Current.Where(algorithm => !view.Pins.Accepts(algorithm.Certificate) && !view.Pins.Refuses(algorithm.Certificate)))
        {
            if (SettledByEvidence(algorithm) is { } at)
                SettledAt = SettledAt is null || at < SettledAt ? at : SettledAt;
            else
                algorithms.Add(algorithm);
        }

        // Of the keys that wait, and not of the last probe alone: it would begin and end with every key that is shown and gone.
        if (algorithms.Count == 0 && !IsFlooded)
            yield break;
        var held = algorithms.Select(algorithm => CandidateHolds.Of(algorithm, view)).OfType<(FindingKind Kind, string Detail)>().ToList();
        var keys = algorithms.Select(Approvable).Distinct().ToList();
        if (keys.Contains(null) || IsFlooded)
        {
            yield return view.Finding(
                FindingKind.TooManyKeys, ProbeOutcome.PinMismatch, algorithms,
                (algorithms.Count == 0 ? "there was" : Hosts(algorithms))
                + " one new key after the other; the oldest that nobody presents any more makes way for the next; reject those that are not the partner's",
                view.Command("pin list"));
        }
        else if (held.Find(hold => hold.Kind == FindingKind.WeakerKey) is { Detail: { } weaker })
        {
            yield return view.Finding(
                FindingKind.WeakerKey, ProbeOutcome.PinMismatch, algorithms,
                $"{weaker}; ask the partner for a stronger one, or approve it with a reason", view.Check);
        }
        else
        {
            var rotating = held.Find(hold => hold.Kind == FindingKind.RotatingTooOften).Detail;
            yield return view.Finding(
                rotating is null ? FindingKind.NewKey : FindingKind.RotatingTooOften, ProbeOutcome.PinMismatch, algorithms,
                (rotating is null ? "" : rotating + ", too many to follow by itself; ")
                + $"{Hosts(algorithms)} a key that is not pinned{KeyRecord.Of(algorithms[0].Certificate, view)}",
                // Without the fingerprints: named ones are approved unseen, and what is to be compared is shown first.
                view.Command("pin approve"));
        }
    }

    /// <summary>When evidence A will have admitted the key that is presented there; null where it will not by itself.</summary>
    private DateTimeOffset? SettledByEvidence(AddressAlgorithm algorithm)
    {
        if (!mayChange || algorithm.Dane != DaneVerdict.Match || !view.Pins.HasRoomForServed || CandidateHolds.Of(algorithm, view) is not null
            || !Evidence.NamesAreAuthenticated(view.Input.Mx.Dnssec, view.Input.Mx.HostIsGiven))
            return null;
        var since = view.Pins.All.Where(pin => pin.State == PinState.Candidate && algorithm.Certificate.Matches(pin.Fingerprint))
            .Select(pin => (DateTimeOffset?)pin.Since).Min();
        return since is { } seen && !view.Input.Brake.HasWaited(seen, view.Now) ? seen + view.Input.Brake.Options.EvidenceWait : null;
    }

    /// <summary>The pin that a person approves to have the certificate accepted; null where nothing is kept of it.</summary>
    private Fingerprint? Approvable(AddressAlgorithm algorithm) => view.Pins.All
        .Where(pin => pin.State is PinState.Candidate or PinState.Retired && pin.Fingerprint.Algorithm == view.Input.Digest && algorithm.Certificate.Matches(pin.Fingerprint))
        .OrderBy(pin => pin.Fingerprint == algorithm.Certificate.Digest(PinSubject.PublicKey, view.Input.Digest) ? 0 : 1)
        .Select(pin => (Fingerprint?)pin.Fingerprint).FirstOrDefault();

    private bool IsFlooded => !view.Pins.HasRoomForCandidate
        && view.Pins.All.Count(pin => pin.State == PinState.Candidate && view.Now - pin.Since < Flood) >= FloodOfCandidates;

    /// <summary>Refused addresses that no other finding explains.</summary>
    private void Refusals()
    {
        if (mail is null)
            return;
        if (mail.IsOfNoFamily)
        {
            findings.Add(view.Finding(FindingKind.PinMismatch, ProbeOutcome.Unreachable, [], DestinationFindings.NoFamily, view.Check));
            return;
        }

        var refused = mail.WithRefusals(present ?? mail)
            .Where(one => one.Delivery.IsRefused && one.Delivery.Why != ProbeOutcome.PinMismatch && !one.Address.History.LostStartTls
                && one.Delivery.Why != ProbeOutcome.PlaintextInjected)
            .OrderBy(one => one.Address.MxHost, StringComparer.Ordinal).ThenBy(one => one.Address.History.Target)
            .ToList();
        if (refused.Count == 0)
            return;
        var consequence = Consequence(refused.TrueForAll(mail.Addresses.Contains) ? mail : present) ?? "it is not tried";
        var where = string.Join(", ", refused.Select(one => $"{one.Address.MxHost} [{one.Address.History.Target.Address}] ({one.Delivery.Why!.Value.Name()})"));
        findings.Add(view.Finding(
            FindingKind.PinMismatch, refused[0].Delivery.Why!.Value, view.Current.Where(algorithm => !view.Pins.Accepts(algorithm.Certificate)),
            $"no certificate can be compared with the pins at {where}; {consequence}; ask the partner what changed there", view.Check));
    }

    private void OtherDigest()
    {
        var waiting = view.Pins.Served.Where(pin => pin.NeedsConversion(view.Input.Digest)).ToList();
        var algorithms = view.Current
            .Where(algorithm => waiting.Exists(pin => algorithm.Certificate.Matches(pin.Fingerprint))
                && !view.Pins.Served.Any(pin => pin.Fingerprint.Algorithm == view.Input.Digest && algorithm.Certificate.Matches(pin.Fingerprint)))
            .ToList();
        var keys = algorithms.Select(Approvable).OfType<Fingerprint>().Distinct().ToList();
        if (algorithms.Count == 0)
            return;
        findings.Add(view.Finding(
            FindingKind.PinInOtherDigest, ProbeOutcome.PinMismatch, algorithms,
            $"a pin is known in {waiting[0].Fingerprint.Algorithm.Name()} only, and {view.Input.Digest.Name()} is served; it names what is presented",
            keys.Count == 0 ? view.Check : $"{view.Command("pin approve")} {string.Join(' ', keys)}"));
    }

    /// <summary>An announced key that is in use by now, and of which the zone did not say how strong it is.</summary>
    private IEnumerable<Finding> HeldInUse()
    {
        foreach (var algorithm in view.Current.Where(algorithm => view.Pins.In(PinState.Standby).Any(pin => pin.Strength == PinStrength.Dane && algorithm.Certificate.Matches(pin.Fingerprint))))
        {
            if (CandidateHolds.Of(algorithm, view) is var (kind, detail))
            {
                yield return view.Finding(
                    kind, ProbeOutcome.PinMismatch, [algorithm], $"{detail}; the zone announced it, so that it is served; ask the partner whether it is meant", view.Check);
                yield break;
            }
        }
    }

    /// <summary>What is said of an announced key that came to nothing and stays, beside what is presented instead; null where there is none.</summary>
    private string? LastPinUnseen() =>
        SettledAt is null && view.Pins.Served.ToList() is [{ State: PinState.Standby } pin] && Expiry.IsOver(pin, view)
            ? $"the only pin was announced more than {view.Options.StandbyExpiry.ToLongText()} ago and has never been seen; it stays, because it is the last"
            : null;

    /// <summary>Opens pin-held for pins last seen at addresses that DNS no longer names, where other pins are in use, which revoking these leaves.</summary>
    private void Held()
    {
        var held = new List<(Pin Pin, string Where)>();
        foreach (var pin in view.Pins.Served)
        {
            var holders = view.Algorithms
                .Where(algorithm => algorithm.Latest.Certificate?.Matches(pin.Fingerprint) == true && !algorithm.Address.Listed)
                .ToList();
            var isElsewhere = view.Algorithms.Any(algorithm => algorithm.Address.Listed && algorithm.Latest.Certificate?.Matches(pin.Fingerprint) == true);
            if (holders.Count > 0 && !isElsewhere)
                held.Add((pin, string.Join(", ", holders.Select(algorithm => $"{algorithm.Address.MxHost} [{algorithm.Address.History.Target.Address}]").Distinct())));
        }

        if (held.Count == 0 || view.Current.IsEmpty || !view.Current.All(algorithm => view.Pins.Accepts(algorithm.Certificate)))
            return;
        findings.Add(view.Finding(
            FindingKind.PinHeld, ProbeOutcome.PinMismatch, [],
            string.Join("; ", held.Select(one => $"pin {one.Pin.Fingerprint} was last seen at {one.Where}, which DNS does not name any more"))
            + "; it does not retire by itself, and a server that is known to be gone needs none",
            $"{view.Command("pin revoke")} {string.Join(' ', held.Select(one => one.Pin.Fingerprint))}"));
    }

    /// <summary>What the refusals do to mail; null where nothing is refused.</summary>
    private string? Consequence(MailForecast? forecast) => (forecast?.Verdict(), view.Input.IsObserved) switch
    {
        (DestinationVerdict.Mismatch, false) when forecast!.IsSurelyReturned => "every address would be refused: mail is returned to its sender",
        (DestinationVerdict.Mismatch, false) => "every address would be refused: mail waits",
        (DestinationVerdict.Degraded, false) => "some address would be refused: mail goes through the others",
        (DestinationVerdict.Mismatch, true) => "the entry is only observed; enforced, it would have mail wait",
        (DestinationVerdict.Degraded, true) => "the entry is only observed; enforced, mail would go through other addresses",
        _ => null,
    };

    private IEnumerable<Finding> Held(FindingKind kind) => holds.Where(hold => hold.Kind == kind);

    private void Take(FindingKind kind)
    {
        foreach (var hold in Held(kind))
            findings.Add(hold with { Detail = string.Join("; ", new[] { hold.Detail, Consequence(mail) }.OfType<string>()) });
    }

    private static string Hosts(IEnumerable<AddressAlgorithm> algorithms)
    {
        var hosts = algorithms.Select(algorithm => algorithm.Address.MxHost).Distinct().ToList();
        return $"{string.Join(", ", hosts)} {(hosts.Count == 1 ? "presents" : "present")}";
    }
}
