using System.Collections.Immutable;
using PolicyDaemon.Administration.Changes;
using PolicyDaemon.Administration.PinDecisions;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Store.Auditing;

namespace PolicyDaemon.Administration.Tables;

/// <summary>What becomes of an entry where a file declares it: policy, mode, note and the rest are the file's, and the pins those that it names.</summary>
/// <remarks>
/// <para>A file is older than what probes have seen since it was written, and it is applied again and again. So a pin that the rules of the
/// life cycle put into service, by evidence or as the same key in another digest, stays served though the file lacks it, and one that they took
/// out stays retired though the file still has it: otherwise each run would undo what keeps mail flowing. Both are told, and in mode locked,
/// where a person decides everything, the file does. A pin that a person put into service is the file's, whatever the rules made of it since.</para>
/// <para>What a person rejected or revoked stays so whether the file says so or not.</para>
/// </remarks>
internal sealed class DeclaredEntry(StoreView view, TimeProvider time, bool hasReason)
{
    private readonly DateTimeOffset now = PinEditing.Now(time);

    internal PlannedChange Plan(Destination declared)
    {
        var before = view.Find(declared.Key);
        if (before is null)
            return new PlannedChange(declared.Key, null, declared);
        var remarks = new List<string>();
        var pins = Pins(before, declared, remarks);
        var wanted = declared with { Pins = pins };
        // That the former policy is back at the end of --until is policyd's to write, and no difference.
        return new PlannedChange(declared.Key, before, wanted == before.At(view.Now) ? before : wanted) { Warnings = remarks };
    }

    private ImmutableArray<Pin> Pins(Destination before, Destination declared, List<string> remarks)
    {
        var pins = before.Pins;
        var wanted = declared.Pins.Where(pin => pin.IsServed).ToList();
        var followsEvidence = declared.Mode != PinMode.Locked;
        var decided = new Lazy<IReadOnlyDictionary<Fingerprint, PinEvidence>>(() => view.Store.ReadServiceEvidence(before.Key));
        var replaced = wanted.Where(pin => before.Pins.Find(pin.Fingerprint) is { State: PinState.Retired } && RuleOf(pin) is not null).ToList();
        foreach (var pin in wanted.Except(replaced))
            pins = Trust(pins, before, pin);
        if (declared.Policy.Level.MatchesFingerprints())
            pins = WithoutOthers(pins, declared.Pins, RuleOf, remarks);
        pins = declared.Pins.Where(pin => pin.State.IsRefused()).Aggregate(pins, Refuse);
        // An entry without a pin would be answered with a temporary error.
        if (replaced.Count > 0 && !pins.Any(pin => pin.IsServed))
            pins = replaced.Aggregate(pins, (all, pin) => Trust(all, before, pin));
        else
            remarks.AddRange(replaced.Select(pin => $"the pin {pin.Fingerprint} was retired by the rule {RuleOf(pin)} and stays so; take it out of the file, or serve it again with: policyctl pin add"));

        return pins;

        // The rule that put the pin into service or took it out; null where a person did, or where the file decides.
        string? RuleOf(Pin pin) => followsEvidence && decided.Value.TryGetValue(pin.Fingerprint, out var decision) ? decision.Rule : null;
    }

    private ImmutableArray<Pin> Refuse(ImmutableArray<Pin> pins, Pin refused)
    {
        pins = refused.State == PinState.Rejected ? pins.Reject(refused.Fingerprint, now) : pins.Revoke(refused.Fingerprint, now);
        return refused.Subject != PinSubject.Unknown && pins.Find(refused.Fingerprint) is { Subject: PinSubject.Unknown } known
            ? pins.Replace(known, known with { Subject = refused.Subject })
            : pins;
    }

    private ImmutableArray<Pin> WithoutOthers(ImmutableArray<Pin> pins, ImmutableArray<Pin> declared, Func<Pin, string?> ruleOf, List<string> remarks)
    {
        foreach (var pin in pins.Where(pin => pin.IsServed && declared.Find(pin.Fingerprint) is null).ToList())
        {
            if (ruleOf(pin) is { } rule)
                remarks.Add($"the pin {pin.Fingerprint} came by the rule {rule}, is not in the file and stays; take it over into the file, or refuse it with: policyctl pin revoke");
            else
                pins = pins.Retire(pin.Fingerprint, now);
        }

        return pins;
    }

    private ImmutableArray<Pin> Trust(ImmutableArray<Pin> pins, Destination before, Pin pin)
    {
        var trusted = PinEditing.Trust(before.Key, pins, pin.Fingerprint, pin.Subject, time, hasReason);
        // What is served already keeps the strength that the store has on record.
        return pin.Strength == PinStrength.Tofu && pins.Find(pin.Fingerprint) is not { IsServed: true } && trusted.Find(pin.Fingerprint) is { } served
            ? trusted.Replace(served, served with { Strength = PinStrength.Tofu })
            : trusted;
    }
}
