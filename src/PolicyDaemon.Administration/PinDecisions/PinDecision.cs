using System.Collections.Immutable;
using PolicyDaemon.Administration.Changes;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Rotation;
using PolicyDaemon.Core.Runtime;

namespace PolicyDaemon.Administration.PinDecisions;

/// <summary>A person's decision about pins of one destination, as a plan for <see cref="ChangeFlow"/>.</summary>
/// <remarks>
/// Add      a key that was announced: standby, served at once
/// Approve  a candidate, which a probe saw: active, served at once
/// Reject   refused for good; seeing it again is an alarm
/// Revoke   not served any more; only a person serves it again, and seeing it is an alarm
/// </remarks>
public sealed class PinDecision
{
    private readonly Destination before;
    private readonly TlsLevel level;
    private readonly IReadOnlyList<Fingerprint> fingerprints;
    private readonly bool hasReason;
    private readonly DigestAlgorithm digest;
    private readonly TimeProvider time;
    private readonly Lazy<ProbeState?> probeState;
    private readonly Lazy<string?> brake;

    /// <param name="view">The store as it is.</param>
    /// <param name="key">The destination.</param>
    /// <param name="names">The names of the pins.</param>
    /// <param name="hasReason">True where the person gave a reason.</param>
    /// <param name="digest">The digest that Postfix compares.</param>
    /// <param name="asGiven">Whole fingerprints are taken as they are, whatever pin they may also name: those of a pin that is to be added.</param>
    /// <exception cref="RefusedException">The key is not configured, or has no pin of such a name.</exception>
    public PinDecision(
        StoreView view, NextHop key, IReadOnlyList<PinName> names, bool hasReason, DigestAlgorithm digest, TimeProvider time, bool asGiven = false)
    {
        ArgumentNullException.ThrowIfNull(view);
        ArgumentNullException.ThrowIfNull(names);
        before = view.Get(key);
        level = (before.At(view.Now) ?? before).Policy.Level;
        this.hasReason = hasReason;
        this.digest = digest;
        this.time = time;
        probeState = new Lazy<ProbeState?>(() => view.Store.ReadProbeState(key));
        brake = new Lazy<string?>(() => view.Store.OpenFindings(FindingKind.BrakeOn) is [var on, ..] ? on.Finding.Detail : null);
        var meant = names.Select(name => (Name: name, Pin: name.In(before, () => probeState.Value, asGiven))).ToList();
        fingerprints = [.. meant.Select(one => one.Pin).Distinct()];
        Remarks = asGiven ? [] : [.. meant.Select(one => one.Name.Remark(one.Pin, () => probeState.Value)).OfType<string>()];
    }

    /// <summary>Which pins are meant by names that are not theirs, a sentence each: the fingerprint of the certificate where the pin is of its public key.</summary>
    public IReadOnlyList<string> Remarks { get; }

    /// <summary>The entries that a decision is about, and the names of the pins that it is about in each.</summary>
    /// <param name="view">The store as it is.</param>
    /// <param name="selection">Keys and patterns; of those that a pattern matches, the ones that are meant.</param>
    /// <param name="names">The pins.</param>
    /// <param name="isNew">The pins are new to the entries, so that every one at a level with pins is meant.</param>
    /// <param name="isMeant">Of the pins of entries that a pattern matches, only these are meant; null: whatever has such a name, and in an entry with
    /// one of them, each of them.</param>
    /// <exception cref="RefusedException">A pattern matches no entry that has such a pin.</exception>
    public static IReadOnlyList<MeantPins> Meant(
        StoreView view, KeySelection selection, IReadOnlyList<PinName> names, bool isNew = false, Func<Pin, bool>? isMeant = null)
    {
        ArgumentNullException.ThrowIfNull(view);
        ArgumentNullException.ThrowIfNull(selection);
        ArgumentNullException.ThrowIfNull(names);
        var keys = selection.In(view.Store);
        if (!selection.HasPattern)
            return [.. keys.Select(key => new MeantPins(key, names))];
        var meant = new List<MeantPins>();
        foreach (var entry in keys.Select(view.Find).OfType<Destination>().Where(entry => entry.At(view.Now)?.Policy.Level.MatchesFingerprints() == true))
        {
            var probed = new Lazy<ProbeState?>(() => view.Store.ReadProbeState(entry.Key));
            var known = isNew ? names : [.. names.Where(name => name.Of(entry, () => probed.Value).Any(pin => isMeant?.Invoke(pin) != false))];
            if (known.Count > 0)
                meant.Add(new MeantPins(entry.Key, isMeant is null ? names : known));
        }

        return meant.Count > 0 ? meant : throw new RefusedException(Refusal.NoSuchPin, "no entry that the pattern matches has such a pin; see: policyctl pin list");
    }

    /// <summary>True for a pin that a person may revoke, or that a person refused already.</summary>
    public static bool IsRevocable(Pin pin)
    {
        ArgumentNullException.ThrowIfNull(pin);
        return pin.IsServed || pin.State.IsRefused();
    }

    /// <summary>The destination.</summary>
    public NextHop Key => before.Key;

    private string QuotedKey => Shell.Quote(Key.Text);

    /// <param name="subject">What the fingerprints were taken of, if it is known.</param>
    /// <exception cref="RefusedException">The level takes no pins, or a pin was rejected and nobody said why it should come back.</exception>
    public PlannedChange Add(PinSubject subject)
    {
        if (!level.MatchesFingerprints())
        {
            throw new RefusedException(
                Refusal.LevelTakesNoPins,
                $"{Key} is at level {level.Name()}, which takes no pins; to pin it: "
                + $"policyctl domain set {QuotedKey} --level fingerprint --match {fingerprints[0]}");
        }

        return Planned(fingerprints.Aggregate(
            before.Pins, (pins, fingerprint) => PinEditing.Trust(Key, pins, fingerprint, subject, time, hasReason)));
    }

    /// <exception cref="RefusedException">There is no such pin.</exception>
    public PlannedChange Approve()
    {
        var after = fingerprints.Aggregate(before.Pins, Approve);
        return Planned(after) with { Warnings = after.SequenceEqual(before.Pins) || brake.Value is not { } why ? [] : [$"the brake is on: {why}; compare the fingerprint with the partner over another channel, or undo this"] };
    }

    /// <exception cref="RefusedException">The level takes no pins.</exception>
    public PlannedChange Reject() => Reject(fingerprints);

    /// <summary>Rejects the candidates that no server presents any more.</summary>
    /// <exception cref="RefusedException">The level takes no pins, or there is no such candidate.</exception>
    public PlannedChange RejectUnseen()
    {
        var unseen = before.Pins
            .Where(pin => pin.State == PinState.Candidate && probeState.Value?.PresentationsOf(pin.Fingerprint).Any(seen => seen.IsCurrent) != true)
            .Select(pin => pin.Fingerprint).ToList();
        return unseen.Count > 0
            ? Reject(unseen)
            : throw new RefusedException(Refusal.NoSuchPin, $"{Key} has no candidate that nobody presents; see: policyctl pin list {QuotedKey}");
    }

    private PlannedChange Reject(IReadOnlyList<Fingerprint> refused)
    {
        if (!level.MatchesFingerprints())
            throw new RefusedException(Refusal.LevelTakesNoPins, $"{Key} is at level {level.Name()}, which takes no pins");
        var after = refused.Aggregate(before.Pins, (pins, fingerprint) => pins.Reject(fingerprint, PinEditing.Now(time)));
        return Planned(after) with
        {
            Warnings = [.. refused.SelectMany(fingerprint => StillAccepted(after, fingerprint)), .. NotAcceptedAnyMore(after)],
        };
    }

    /// <summary>Revokes the pins; one that is refused already stays as it is.</summary>
    /// <exception cref="RefusedException">There is no such served pin.</exception>
    public PlannedChange Revoke()
    {
        var after = before.Pins;
        foreach (var fingerprint in fingerprints)
        {
            if (after.Find(fingerprint) is not { } pin || !IsRevocable(pin))
                throw new RefusedException(Refusal.NoSuchPin, $"{Key} has no served pin {fingerprint}; see: policyctl pin list {QuotedKey}");
            after = after.Revoke(fingerprint, PinEditing.Now(time));
        }

        return Planned(after) with { Warnings = [.. NotAcceptedAnyMore(after)] };
    }

    private PlannedChange Planned(ImmutableArray<Pin> after) => new(Key, before, before with { Pins = after });

    private ImmutableArray<Pin> Approve(ImmutableArray<Pin> pins, Fingerprint fingerprint)
    {
        var pin = pins.FirstOrDefault(pin => pin.Fingerprint == fingerprint) ?? throw new RefusedException(
            Refusal.NoSuchPin,
            $"{Key} has no such candidate as {fingerprint}; see: policyctl pin list {QuotedKey}; "
            + $"a key that no probe saw: policyctl pin add {QuotedKey} {fingerprint}");
        if (pin.IsServed)
            return pins;
        var isPresented = probeState.Value?.PresentationsOf(fingerprint).Any(seen => seen.IsCurrent) == true;
        var state = isPresented ? PinState.Active : PinState.Standby;
        var now = PinEditing.Now(time);
        pins = pins.Serve(pin with { State = state, Strength = PinStrength.Person, Since = now });
        // A pin in a digest that Postfix does not compare, and that names the same, has done its work.
        return fingerprint.Algorithm == digest && probeState.Value is { } known
            ? pins.RetireConverted([.. known.PresentationsOf(fingerprint).Select(seen => seen.Certificate)], digest, now)
            : pins;
    }

    /// <summary>Warns where servers show keys that were served and would not be any more: their mail waits from then on.</summary>
    private IEnumerable<string> NotAcceptedAnyMore(ImmutableArray<Pin> after)
    {
        if (before.At(time.GetUtcNow()) is not { Observe: false } inForce || !inForce.Policy.Level.MatchesFingerprints() || probeState.Value is not { } probed)
            yield break;
        var shown = probed.Addresses.Where(address => address.Listed)
            .Select(address => address.History.Algorithms.Select(algorithm => address.History.Latest(algorithm)!.Certificate).OfType<ServerCertificate>().ToList())
            .Where(certificates => certificates.Count > 0).ToList();
        var lost = shown.Count(certificates => certificates.Exists(certificate => IsServed(before.Pins, certificate) && !IsServed(after, certificate)));
        var last = lost == 0 ? "" : $"by the last probe {UtcTime.Text(probed.LastProbe!.Value)}";
        if (lost == shown.Count && lost > 0)
            yield return $"mail for {Key} waits from now on: {last} every address shows a key that is not served any more, and none of them a pin that is left";
        else if (lost > 0)
            yield return $"mail for {Key} waits from now on where it meets no other: {last} {lost} of {Phrases.Count(shown.Count, "address", "addresses")} show a key that is not served any more";
    }

    private static bool IsServed(ImmutableArray<Pin> pins, ServerCertificate certificate) => pins.Any(pin => pin.IsServed && certificate.Matches(pin.Fingerprint));

    /// <summary>Warns where another pin still accepts the same server, such as one of its certificate beside one of its key.</summary>
    private IEnumerable<string> StillAccepted(ImmutableArray<Pin> after, Fingerprint refused) =>
        (probeState.Value?.PresentationsOf(refused) ?? [])
            .SelectMany(seen => after.Where(pin => pin.IsServed && seen.Certificate.Matches(pin.Fingerprint)))
            .DistinctBy(pin => pin.Fingerprint)
            .Select(pin => $"the same certificate is still accepted by the pin {pin.Fingerprint} ({pin.Subject.Name()}); reject it too");
}

/// <summary>The pins of one entry that a decision is about.</summary>
/// <param name="Key">The entry.</param>
/// <param name="Names">Their names.</param>
public sealed record MeantPins(NextHop Key, IReadOnlyList<PinName> Names);
