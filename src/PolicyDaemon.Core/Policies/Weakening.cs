using System.Globalization;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Pins;

namespace PolicyDaemon.Core.Policies;

/// <summary>Says how a change can weaken what protects mail. Each such change takes a person and a <c>--reason</c>.</summary>
/// <remarks>
/// <para>Compared is what Postfix is told before and after: of a destination without an enforced entry of its own, what its
/// nearest enforced parent says. Where neither exists, main.cf decides and is not known here; a first entry is then no
/// weakening, only a warning (<see cref="PolicyWarnings"/>).</para>
/// <para>Level <c>default</c> is as good as no entry and takes a reason all the same, as it keeps discovery away; so does <c>discovered</c>
/// from wherever its floor says less than was said before.</para>
/// <para>An entry that ends by itself is compared as it is now and as it will be from each end on, its own and that of the one before: what is
/// given back later than before, or to less, takes a reason now, and at its end nobody is asked.</para>
/// <para>What cannot be compared counts as weaker: a level beside the ladder, an attribute that hands a decision back to main.cf, an
/// attribute for which nobody decided what another value means (<see cref="PolicyAttribute.Change"/>).</para>
/// <para>Not weakening: adding or approving a pin. It widens what is accepted, but it is the everyday act of this program, done by
/// a person who names the fingerprint, recorded with its strength, and nothing is accepted that this person did not see (what probes
/// saw that speaks against it is a question of its own, which takes a reason by itself). Nor is revoking a pin, the last excepted; nor <c>servername</c>, <c>connection_reuse</c> and <c>enable_rpk</c>, which change what is
/// asked of the peer and not what is accepted of it.</para>
/// </remarks>
public static class Weakening
{
    /// <summary>The ways in which a change can weaken, a sentence each; empty where it cannot.</summary>
    /// <param name="before">The entry as it is; null for a new one.</param>
    /// <param name="after">The entry as it would be; null for a removal.</param>
    /// <param name="postfix">For which Postfix.</param>
    /// <param name="find">Finds another entry by its key, as it is before the change.</param>
    /// <param name="now">The time of the change, UTC.</param>
    public static IReadOnlyList<string> Of(
        Destination? before, Destination? after, PostfixSettings postfix, Func<NextHop, Destination?> find, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(find);
        var reasons = new List<string>(Now(before?.At(now), after?.At(now), postfix, key => find(key)?.At(now)));
        if (after is null)
            return reasons;
        foreach (var end in ((DateTimeOffset?[])[before?.Until, after.Until]).OfType<DateTimeOffset>().Where(end => end > now).Distinct().Order())
        {
            foreach (var reason in Now(before?.At(end), after.At(end), postfix, key => find(key)?.At(end)))
            {
                if (!reasons.Contains(reason))
                    reasons.Add($"from {end.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture)} on: {reason}");
            }
        }

        return reasons;
    }

    /// <summary>The ways in which a change can weaken what is in force at one time.</summary>
    internal static IReadOnlyList<string> Now(
        Destination? before, Destination? after, PostfixSettings postfix, Func<NextHop, Destination?> find)
    {
        if (after is null)
            return before is null ? [] : [Removal(before, find)];

        var name = after.Key.ToDisplayString();
        if (after.Observe)
            return before is { Observe: false } ? [$"{name} is no longer enforced, only observed: {Instead(after.Key, find)}"] : [];

        var enforced = before is { Observe: false } ? before : null;
        var reasons = new List<string>();
        var subdomains = Subdomains(after.Key, find, out _);
        // At level default the key is not found, as if it had no entry: Postfix goes on to the parent's.
        var own = subdomains is not null && enforced?.Policy.Level == TlsLevel.Default ? null : enforced;
        var told = subdomains is not null && after.Policy.Level == TlsLevel.Default ? subdomains with { Key = after.Key } : after;
        if (own is not null)
            reasons.AddRange(OfPolicy(own, told, name));
        else if ((subdomains ?? EnforcedParent(after.Key, find)) is { } parent)
            reasons.AddRange(OfPolicy(parent, told, $"{name}, under {parent.Key.ToDisplayString()},"));
        else if (after.Key.IsDefault && after.Policy.Level.Protection() == Protection.PlainTextPossible)
            reasons.Add($"mail to every domain that publishes nothing may leave in plain text, at level {after.Policy.Level.Name()}, whatever main.cf says");
        if (enforced is null && reasons.Count == 0 && told.Policy.Level == TlsLevel.Default)
            reasons.Add($"{name} is not discovered any more: its mail follows smtp_tls_security_level of main.cf, whatever it publishes");
        reasons.AddRange(OfPins(before, after, postfix, name));
        return reasons;
    }

    private static string Removal(Destination before, Func<NextHop, Destination?> find)
    {
        var name = before.Key.ToDisplayString();
        return before.Observe
            ? $"the observed entry {name} goes, and with it what is known about its pins"
            : $"{name} goes: {Instead(before.Key, find)}";
    }

    private static string Instead(NextHop key, Func<NextHop, Destination?> find) =>
        EnforcedParent(key, find) is { } parent
            ? $"its mail then follows {parent.Key.ToDisplayString()}, at level {LevelOf(parent)}"
            : "its mail then follows smtp_tls_security_level of main.cf, which may be plain text";

    /// <summary>What answers where the key has no entry: its nearest parent's, or <c>*</c>, from which an entry for subdomains takes these away as well.</summary>
    private static Destination? EnforcedParent(NextHop key, Func<NextHop, Destination?> find) =>
        Subdomains(key, find, out var isExempt)
        ?? (!isExempt && !key.IsDefault && key.IsInReachOfDefault && find(NextHop.Default) is { Observe: false } everybody ? everybody : null);

    /// <summary>The entry for subdomains that answers where the key itself is not found.</summary>
    /// <param name="isExempt">True where there is none, and one at level <c>default</c> keeps <c>*</c> away.</param>
    private static Destination? Subdomains(NextHop key, Func<NextHop, Destination?> find, out bool isExempt)
    {
        isExempt = false;
        foreach (var parent in key.LookupChain().Skip(1))
        {
            if (find(parent) is not { Observe: false } found)
                continue;
            if (found.Policy.Level != TlsLevel.Default)
                return found;
            // Not found is what it says, so that Postfix goes on.
            isExempt = true;
        }

        return null;
    }

    private static IEnumerable<string> OfPolicy(Destination from, Destination to, string name)
    {
        var (before, after, key) = (from.Policy, to.Policy, to.Key);
        if (LevelWeakens(from, to))
            yield return $"the level of {name} changes from {LevelOf(from)} to {LevelOf(to)}, "
                + (after.Level.IsOfPostfix()
                    ? "which is no step up (none, may, encrypt, then fingerprint or secure)"
                    : after.Level == TlsLevel.Default ? "and main.cf may say anything" : "and a destination may publish less than that, or nothing");
        if (before.Level == after.Level && after.Level.MatchesNames())
        {
            foreach (var wider in MatchWidening.Of(before, after, key))
                yield return $"{name} would accept {wider}";
        }

        if (!after.Level.UsesTls())
            yield break;
        if (before.Level.UsesTls())
        {
            if (CiphersWeaken(before.Ciphers, after.Ciphers))
                yield return $"the cipher grade of {name} changes from {Shown(before.Ciphers)} to {Shown(after.Ciphers)}";
            if (ProtocolsWeaken(before.Protocols, after.Protocols))
                yield return $"the protocols of {name} change from {Shown(before.Protocols)} to {Shown(after.Protocols)}";
            if (ExclusionsWeaken(before.Exclude, after.Exclude))
                yield return $"the excluded ciphers of {name} change from {Shown(before.Exclude)} to {Shown(after.Exclude)}, "
                    + "and what is not named any more is allowed";
        }

        if (after.Level.MatchesNames() && before.Level.MatchesNames() && TrustAnchorsWiden(before, after))
            yield return $"the trust anchors of {name} change from {Shown(before.TaFiles)} to {Shown(after.TaFiles)}";
        if (before.TlsRpt?.PolicyFailure is not null && after.TlsRpt?.PolicyFailure is null && before.Level.MatchesNames())
            yield return $"{name} loses policy_failure={before.TlsRpt.PolicyFailure}, which holds its mail back";
        if (PatternsReplaceMatch(after) && !(PatternsReplaceMatch(before) && Equals(before.TlsRpt, after.TlsRpt)))
            yield return $"the mx_host_pattern attributes of {name} replace its match names in Postfix 3.10.5 and later";
        foreach (var reason in OfUncompared(PolicyAttributes.All, before, after, name))
            yield return reason;
    }

    /// <summary>True unless every mail is at least as sure as before. What main.cf or a destination says by itself is not known here: above it is only what asks for more than either can say.</summary>
    private static bool LevelWeakens(Destination from, Destination to)
    {
        var (before, after) = (from.Policy.Level, to.Policy.Level);
        return (before, after) switch
        {
            (TlsLevel.AsDiscovered, TlsLevel.AsDiscovered) => to.Floor < from.Floor,
            _ when before == after => false,
            (TlsLevel.Default, _) => false, // as a first entry
            (_, TlsLevel.Default) => before is not (TlsLevel.None or TlsLevel.May),
            (TlsLevel.None or TlsLevel.May, TlsLevel.AsDiscovered) => false,
            // The floor says as much as the level did: an equal one of names or keys is another's choice of them.
            (_, TlsLevel.AsDiscovered) => to.Floor.Level() is not { } floor
                || !(floor.IsAbove(before) || (floor == before && before is TlsLevel.Encrypt or TlsLevel.DaneOnly)),
            (TlsLevel.AsDiscovered, TlsLevel.DaneOnly) => false,
            (TlsLevel.AsDiscovered, TlsLevel.Fingerprint or TlsLevel.Secure) => from.Floor >= DiscoveryFloor.Secure,
            (TlsLevel.AsDiscovered, _) => true,
            _ => !after.IsAbove(before),
        };
    }

    private static string LevelOf(Destination entry) => entry.Policy.Level.Name()
        + (entry.Floor == DiscoveryFloor.None ? "" : $" with floor {entry.Floor.Name()}");

    /// <summary>The attributes without a rule of their own whose value is another one: each takes a reason.</summary>
    internal static IEnumerable<string> OfUncompared(IEnumerable<PolicyAttribute> attributes, TlsPolicy before, TlsPolicy after, string name)
    {
        foreach (var attribute in attributes.Where(attribute => attribute.Change == ValueChange.Weakens))
        {
            var (old, next) = (attribute.Get(before), attribute.Get(after));
            if (!old.AsSpan().SequenceEqual(next.AsSpan()))
                yield return $"{attribute.Name} of {name} changes from {(old.IsEmpty ? "not set" : Shown(old))} to {(next.IsEmpty ? "not set" : Shown(next))}, and no rule says that this protects as well";
        }
    }

    private static IEnumerable<string> OfPins(Destination? before, Destination after, PostfixSettings postfix, string name)
    {
        if (!after.Policy.Level.MatchesFingerprints())
            yield break;

        // What an observed entry held was not trusted yet: enforcing it trusts its pins for the first time.
        var wasServed = before is { Observe: false } && before.Policy.Level.MatchesFingerprints()
            ? before.Pins.Where(pin => pin.IsServed).Select(pin => pin.Fingerprint).ToHashSet()
            : [];
        var refused = (before?.Pins ?? []).Where(pin => pin.State.IsRefused()).ToDictionary(pin => pin.Fingerprint, pin => pin.State);
        foreach (var pin in after.Pins.Where(pin => pin.IsServed && !wasServed.Contains(pin.Fingerprint)))
        {
            if (refused.TryGetValue(pin.Fingerprint, out var state))
                yield return $"{name} would serve the pin {pin.Fingerprint.Hex}, which was {state.Name()}";
            else if (pin.Strength == PinStrength.Tofu && !IsCarriedOver(pin, before, after))
                yield return $"{name} would trust the pin {pin.Fingerprint.Hex} at first sight, with no evidence of whose it is";
        }

        if (wasServed.Any(fingerprint => fingerprint.Algorithm == postfix.FingerprintDigest)
            && !after.Pins.Any(pin => pin.IsServed && pin.Fingerprint.Algorithm == postfix.FingerprintDigest))
            yield return $"{name} loses its last pin, and its mail is deferred until it has another";
    }

    // What was trusted at first sight stays so in another digest, which takes the place of the pin that goes.
    private static bool IsCarriedOver(Pin pin, Destination? before, Destination after) =>
        before is { Observe: false } && before.Pins.Any(old =>
            old.IsServed && old.Strength == PinStrength.Tofu && old.Fingerprint.Algorithm != pin.Fingerprint.Algorithm
            && !after.Pins.Any(kept => kept.IsServed && kept.Fingerprint == old.Fingerprint));

    // Without the attribute main.cf decides: giving it up may weaken, and only the strictest grade is sure not to.
    private static bool CiphersWeaken(string? before, string? after) =>
        !string.Equals(before, after, StringComparison.OrdinalIgnoreCase)
        && (after is null || Grade(after) < (before is null ? Grade("high") : Grade(before)));

    private static int Grade(string ciphers) => ciphers.ToLowerInvariant() switch
    {
        "high" => 3,
        "medium" => 2,
        "low" or "export" => 1,
        _ => 0, // null: no encryption
    };

    private static bool ProtocolsWeaken(string? before, string? after)
    {
        if (before == after)
            return false;
        if (after is null || !TlsProtocols.TryRange(after, out var lowest, out var highest))
            return true;

        // RFC 8996 retired what is older than TLS 1.2: no main.cf is assumed to ask for more.
        if (before is null || !TlsProtocols.TryRange(before, out var lowestBefore, out var highestBefore))
            (lowestBefore, highestBefore) = (TlsProtocols.Tls12, TlsProtocols.Tls13);
        return lowest < lowestBefore || highest < highestBefore;
    }

    // Given at all, exclude replaces the exclusions of main.cf, whatever they are.
    private static bool ExclusionsWeaken(string? before, string? after) =>
        before != after && (before is null || after is null || before.Split(':').Except(after.Split(':'), StringComparer.Ordinal).Any());

    private static bool TrustAnchorsWiden(TlsPolicy before, TlsPolicy after) =>
        before.TaFiles.Length > 0 && after.TaFiles.IsEmpty // back to every authority that main.cf trusts
        || after.TaFiles.Except(before.TaFiles, StringComparer.Ordinal).Any();

    private static bool PatternsReplaceMatch(TlsPolicy policy) =>
        policy.TlsRpt is { MxHostPatterns.Length: > 0, PolicyType: "sts" } && policy.Match.Length > 0;

    private static string Shown(string? value) => value ?? "main.cf's own";

    private static string Shown(IReadOnlyCollection<string> values) => values.Count == 0 ? "main.cf's own" : string.Join(", ", values);
}
