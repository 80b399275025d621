using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Pins;

namespace PolicyDaemon.Core.Rotation;

/// <summary>The pins during one evaluation, with the transitions that the rules have proposed so far.</summary>
internal sealed class PinSet
{
    // So that no zone and no server can make an answer grow until it does not fit: tcp_table takes 62 SHA-256 pins.
    private const int MaxServed = 32;

    // A server with a new key for each connection fills no table.
    private const int MaxCandidates = 16;

    private readonly List<Pin> pins;
    private readonly List<PinTransition> transitions = [];
    private readonly HashSet<Fingerprint> moved = [];
    private readonly DateTimeOffset now;

    public PinSet(IEnumerable<Pin> pins, DateTimeOffset now)
    {
        // In the order of their octets: the order in which they were added must not matter.
        this.pins = [.. pins.OrderBy(pin => pin.Fingerprint.Hex, StringComparer.Ordinal)];
        this.now = now;
    }

    public IReadOnlyList<PinTransition> Transitions => transitions;

    /// <summary>Every pin; a copy, so that a rule may change the set while it walks.</summary>
    public IReadOnlyList<Pin> All => [.. pins];

    public IEnumerable<Pin> Served => pins.Where(pin => pin.IsServed);

    public bool HasRoomForCandidate => pins.Count(pin => pin.State == PinState.Candidate) < MaxCandidates;

    public static int Candidates => MaxCandidates;

    public bool HasRoomForServed => Served.Count() < MaxServed;

    public IEnumerable<Pin> In(PinState state) => [.. pins.Where(pin => pin.State == state && !moved.Contains(pin.Fingerprint))];

    public bool Accepts(ServerCertificate certificate) => Served.Any(pin => certificate.Matches(pin.Fingerprint));

    /// <summary>The pin by which a person refused this certificate; null where nobody did.</summary>
    /// <remarks>What was rejected is refused whatever else is pinned. A pin that was revoked beside another one that serves the same
    /// certificate, as a certificate's beside its key's, was only not needed any more.</remarks>
    public Pin? Refusal(ServerCertificate certificate) =>
        pins.Find(pin => pin.State == PinState.Rejected && certificate.Matches(pin.Fingerprint))
        ?? (Accepts(certificate) ? null : pins.Find(pin => pin.State == PinState.Revoked && certificate.Matches(pin.Fingerprint)));

    public bool Refuses(ServerCertificate certificate) => Refusal(certificate) is not null;

    public Pin? Find(Fingerprint fingerprint) => pins.Find(pin => pin.Fingerprint == fingerprint);

    public void Add(Fingerprint fingerprint, PinSubject subject, PinState state, PinStrength? strength, RotationRule rule, string reason)
    {
        Require(null, state, rule);
        pins.Add(new Pin(fingerprint, subject, state, strength, now));
        moved.Add(fingerprint);
        transitions.Add(new PinTransition(fingerprint, subject, null, state, strength, rule, reason));
    }

    /// <summary>Moves a pin, once in an evaluation; the last served pin stays served whatever a rule says.</summary>
    /// <exception cref="InvalidOperationException">A rule proposes what no rule may.</exception>
    public void Move(Pin pin, PinState to, PinStrength? strength, RotationRule rule, string reason)
    {
        if (moved.Contains(pin.Fingerprint) || PinMoves.TakesLastServed(pins, pin, to))
            return;
        Require(pin.State, to, rule);
        pins[pins.IndexOf(pin)] = pin with { State = to, Strength = strength, Since = now };
        moved.Add(pin.Fingerprint);
        transitions.Add(new PinTransition(pin.Fingerprint, pin.Subject, pin.State, to, strength, rule, reason));
    }

    /// <summary>Forgets a pin that nothing ever trusted.</summary>
    /// <exception cref="InvalidOperationException">Something has.</exception>
    public void Forget(Pin pin, RotationRule rule, string reason)
    {
        if (pin.Strength is not null)
            throw new InvalidOperationException($"{rule.Name()}: no rule forgets a pin that was trusted");
        if (!moved.Add(pin.Fingerprint))
            return;
        Require(pin.State, null, rule);
        pins.Remove(pin);
        transitions.Add(new PinTransition(pin.Fingerprint, pin.Subject, pin.State, null, null, rule, reason));
    }

    private static void Require(PinState? from, PinState? to, RotationRule rule)
    {
        if (!PinMoves.IsLegal(from, to, PinMover.Rules))
            throw new InvalidOperationException($"{rule.Name()}: no rule moves a pin from {from?.Name() ?? "nothing"} to {to?.Name() ?? "nothing"}");
    }
}
