using System.Collections.Immutable;
using PolicyDaemon.Core.Pins;

namespace PolicyDaemon.Core.Policies;

/// <summary>Decides whether a destination can be served, and says why not.</summary>
/// <remarks>
/// See postconf(5), smtp_tls_policy_maps, and smtp/smtp_tls_policy.c. Postfix defers mail over a policy that it cannot read,
/// so what it would refuse is refused here when it is written, with the reason; and what reaches an answer all the same
/// (the configuration changed meanwhile) is a temporary error.
/// </remarks>
public static class PolicyRules
{
    private const int ReasonablePins = 200; // a message lists no more

    /// <summary>The reasons why a destination cannot be served; empty where it can.</summary>
    public static IReadOnlyList<Problem> Problems(Destination destination, PostfixSettings postfix)
    {
        var problems = Find(destination, postfix);
        if (problems.Count == 0 && !destination.Observe && PolicyText.MayBeTooLong(destination) && PolicyText.TextLength(destination, postfix) is var length and > AnswerLimits.SocketmapText)
            problems.Add(TooLong(destination, postfix, length));
        if (problems.Count == 0 && destination.Until is not null && destination.AfterEnd() is { } then)
            problems.AddRange(Problems(then, postfix).Select(problem => problem.At("after its end")));
        return problems;
    }

    /// <summary>The reasons why a change cannot be made: those of the destination as it would be, and of what the change adds.</summary>
    /// <param name="before">The destination as it is; null for a new one.</param>
    /// <param name="after">The destination as it would be.</param>
    /// <param name="postfix">The Postfix that asks.</param>
    /// <remarks>
    /// A pin in a digest that Postfix does not compare can be kept in an observed entry only. It is refused when it is added
    /// and not when it is found: after the configured digest changed, an entry must still take its new pins.
    /// </remarks>
    public static IReadOnlyList<Problem> Problems(Destination? before, Destination after, PostfixSettings postfix)
    {
        var problems = Problems(after, postfix);
        if (after.Observe || !after.Policy.Level.MatchesFingerprints() || problems.Count > 0)
            return problems;

        // What an entry comes to at its end is as much its own as what it is: it was judged when the end was given.
        IEnumerable<Destination?> forms = before is { Until: not null } ? [before, before.AfterEnd()] : [before];
        var known = forms.OfType<Destination>().Where(form => !form.Observe).SelectMany(form => form.Pins).Select(pin => pin.Fingerprint).ToHashSet();
        var compared = postfix.FingerprintDigest.Name();
        return [.. after.Pins
            .Where(pin => pin.IsServed && pin.Fingerprint.Algorithm != postfix.FingerprintDigest && !known.Contains(pin.Fingerprint))
            .Take(ReasonablePins)
            .Select(pin => new Problem(
                $"the pin {pin.Fingerprint.Hex} is a {pin.Fingerprint.Algorithm.Name()} digest and Postfix compares {compared}, so it would never match",
                $"give the {compared} fingerprint, let --probe carry it over (import, domain set), or keep the entry with --observe"))];
    }

    /// <summary>The first of <see cref="Problems(Destination, PostfixSettings)"/>, without the length of the answer: the caller has just written that.</summary>
    internal static Problem? FirstProblem(Destination destination, PostfixSettings postfix) =>
        Find(destination, postfix) is [var first, ..] ? first : null;

    internal static Problem TooLong(Destination destination, PostfixSettings postfix, int length) => new(
        $"the answer has {length} octets and Postfix reads {AnswerLimits.SocketmapText}",
        destination.Policy.Level.MatchesFingerprints()
            ? $"{PolicyText.PinsThatFit(destination, postfix, AnswerLimits.SocketmapText)} pins fit: revoke some, or split the destination"
            : "give fewer names");

    private static List<Problem> Find(Destination destination, PostfixSettings postfix)
    {
        var problems = new List<Problem>();
        var policy = destination.Policy;
        foreach (var attribute in PolicyAttributes.All)
        {
            var values = attribute.Get(policy);
            if (values.IsEmpty)
                continue;
            Find(problems, attribute, values, policy, postfix);
        }

        if (policy.TlsRpt is { } tlsRpt)
            problems.AddRange(Find(tlsRpt, policy));
        problems.AddRange(FindInKey(destination));

        // An observed entry keeps pins that cannot be served: it is answered as not found, and probes convert them.
        if (!destination.Observe && policy.Level.MatchesFingerprints() && FindInPins(destination, postfix) is { } inPins)
            problems.Add(inPins);
        return problems;
    }

    private static void Find(
        List<Problem> problems, PolicyAttribute attribute, ImmutableArray<string> values, TlsPolicy policy, PostfixSettings postfix)
    {
        if (!attribute.LegalAt(policy.Level))
            problems.Add(NotLegal(attribute, policy.Level));

        // The map for Postfix 3.10 and later is asked by nobody older, whatever the other map has to understand.
        if (!attribute.TlsRptOnly && postfix.Version < attribute.Since)
        {
            problems.Add(new Problem(
                $"{attribute.Name} needs Postfix {attribute.Since} and postfix.version is {postfix.Version}",
                "older releases would defer the mail: remove it, or set version to the oldest Postfix that asks"));
        }

        foreach (var value in values)
        {
            if (attribute.Check(value, attribute.TlsRptOnly ? PostfixVersion.Newest : postfix.Version) is { } problem)
                problems.Add(problem.At(attribute.Name));
        }
    }

    internal static Problem NotLegal(PolicyAttribute attribute, TlsLevel level) => level switch
    {
        TlsLevel.None => new(
            $"level none takes no attributes, Postfix would send plain text and ignore {attribute.Name}", "remove it or raise the level"),
        TlsLevel.Default => new($"level default takes no attributes, main.cf decides: {attribute.Name} would have no effect", "remove it or choose another level"),
        TlsLevel.AsDiscovered => new(
            $"level discovered takes no attributes, the destination's own records decide: {attribute.Name} would have no effect", "remove it or choose another level"),
        TlsLevel.Fingerprint when attribute.Name == PolicyAttributes.MatchName => new(
            "at level fingerprint match takes pins", "give fingerprints, or choose level verify or secure to match names"),
        _ => new($"{attribute.Name} is not legal at level {level.Name()}, only at {LevelsOf(attribute)}", "remove it or change the level"),
    };

    /// <summary>The problem of a fingerprint in a <c>match</c> that takes names; null for anything else.</summary>
    /// <remarks>Read as names it would be split at its colons, and the message would speak of a fragment.</remarks>
    public static Problem? IsFingerprintAt(TlsLevel level, string match) => !level.MatchesFingerprints() && Fingerprint.LooksLikeOne(match)
        ? new Problem(
            $"match is a fingerprint, which level {level.Name()} does not compare", $"for a pin the level is {TlsLevel.Fingerprint.Name()}")
        : null;

    private static IEnumerable<Problem> Find(TlsRptAttributes tlsRpt, TlsPolicy policy)
    {
        if (tlsRpt.PolicyType.Length == 0)
            yield return new Problem(
                "policy_type: it is missing, and the other TLSRPT attributes need it", "add policy_type=sts or policy_type=no-policy-found");

        // Where the destination asks for TLSRPT reports, 3.10.0 to 3.10.5 copy both lists without looking (tls/tlsrpt_wrapper.c).
        if (tlsRpt.PolicyType.Equals("sts", StringComparison.OrdinalIgnoreCase) && (tlsRpt.PolicyStrings.IsEmpty || tlsRpt.MxHostPatterns.IsEmpty))
            yield return new Problem(
                "policy_type: with sts Postfix 3.10.0 to 3.10.5 crashes without policy_string or mx_host_pattern", "give both, or policy_type=no-policy-found");

        // Since 3.10.5 Postfix replaces the match list by the word hostname where mx patterns are given: no pin would be left.
        if (policy.Level.MatchesFingerprints() && tlsRpt.MxHostPatterns.Length > 0)
            yield return new Problem(
                "mx_host_pattern: Postfix replaces the pins by a name where mx patterns are given", "remove the patterns or the pins");

        // smtp/smtp_proto.c hands no policy_failure to tlsproxy(8): the mail would be delivered.
        if (tlsRpt.PolicyFailure is not null && policy.ConnectionReuse == true)
            yield return new Problem(
                "policy_failure: it is lost with connection_reuse=yes and the mail would be delivered", "remove one of the two");
    }

    private static IEnumerable<Problem> FindInKey(Destination destination)
    {
        var (level, key) = (destination.Policy.Level, destination.Key);
        if (destination is { Former: not null, Until: null })
            yield return new Problem("what it comes to at its end takes an end", "say until when");
        if (destination.Floor != DiscoveryFloor.None && level != TlsLevel.AsDiscovered)
            yield return new Problem(
                $"a floor is for level discovered: at {level.Name()} the level itself is the least", "remove the floor, or choose level discovered");
        if (key.IsDefault && (level.MatchesFingerprints() || !level.IsOfPostfix()))
        {
            yield return new Problem(
                $"* is for every domain, and level {level.Name()} is for one",
                level.MatchesFingerprints() ? "no servers have all the same key: choose encrypt or secure" : "what is discovered comes first anyway; to give * up, remove it");
        }
        else if (level == TlsLevel.AsDiscovered && !key.CanPublish)
            yield return new Problem(
                $"{key.ToDisplayString()} publishes nothing that could be discovered",
                key.IsSubdomains
                    ? "each subdomain is discovered by its own name, where no entry answers for it"
                    : "discovered are domains, with or without a port, and host names in brackets; choose another level");
    }

    private static Problem? FindInPins(Destination destination, PostfixSettings postfix)
    {
        var digest = postfix.FingerprintDigest.Name();
        var servedState = false;
        var served = false;
        foreach (var pin in destination.Pins)
        {
            servedState |= pin.IsServed;
            served |= pin.IsServed && pin.Fingerprint.Algorithm == postfix.FingerprintDigest;
            if (pin.IsServed && destination.Policy.EnableRpk == true && pin.Subject == PinSubject.Certificate)
                return new Problem(
                    $"enable_rpk: the pin {pin.Fingerprint.Hex} is of a certificate, and a server may then send its bare key only",
                    "pin the public key, or remove enable_rpk");
        }

        // No match at all would borrow the pins of main.cf (up to 3.8), or fail.
        if (!servedState)
            return destination.Pins.IsEmpty
                ? new Problem("level fingerprint has no pins", "add one with --match FINGERPRINT, or fetch its servers' keys with --probe")
                : new Problem(
                    $"no pin would be served, and its mail would wait ({(destination.Pins.Length == 1 ? "its pin is" : $"its {destination.Pins.Length} pins are all")} refused, retired or not approved yet)",
                    "first approve or add the one that is right (pin approve, pin add), or choose another level");
        return served
            ? null
            : new Problem(
                $"every pin is in another digest than {digest}, which Postfix compares",
                $"set fingerprint_digest here and smtp_tls_fingerprint_digest in main.cf to the pins' digest, add pins in {digest}, let --probe "
                + "carry over those that a server proves (import, domain set), or keep the entry with --observe (import: --unservable observe)");
    }

    private static string LevelsOf(PolicyAttribute attribute) =>
        string.Join(", ", Enum.GetValues<TlsLevel>().Where(attribute.LegalAt).Select(level => level.Name()));
}
