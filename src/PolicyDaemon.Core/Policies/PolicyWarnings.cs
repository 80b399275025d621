using PolicyDaemon.Core.Pins;

namespace PolicyDaemon.Core.Policies;

/// <summary>Something legal in an entry that is not what most people mean.</summary>
/// <param name="Kind">The kind, by which a caller tells warnings apart.</param>
/// <param name="Problem">What is doubtful, and what to write instead.</param>
public sealed record PolicyWarning(PolicyWarningKind Kind, Problem Problem)
{
    public override string ToString() => Problem.ToString();
}

/// <summary>The kinds of <see cref="PolicyWarning"/>.</summary>
public enum PolicyWarningKind
{
    /// <summary>A level that lets mail leave in plain text.</summary>
    PlainText,

    /// <summary>A level that is less than smtp_tls_security_level.</summary>
    BelowSecurityLevel,

    /// <summary>A level of the entry <c>*</c> that many destinations cannot meet.</summary>
    ForEverybody,

    /// <summary>A level that falls back where the destination has no TLSA records.</summary>
    FallsBack,

    /// <summary>A name that comes from DNS is what the certificate is compared with.</summary>
    NameFromDns,

    /// <summary>No SNI is sent.</summary>
    NoServerName,

    /// <summary>The next hop is no name that a certificate could carry.</summary>
    NoNameToMatch,

    /// <summary>A leading-dot key does not answer for the domain itself.</summary>
    SubdomainsOnly,

    /// <summary>A port whose meaning is another than most people expect.</summary>
    Port,

    /// <summary>Ciphers or protocols that are broken, retired or needlessly excluded.</summary>
    WeakTls,

    /// <summary>An attribute that has no effect here.</summary>
    NoEffect,

    /// <summary>An attribute that replaces what is configured elsewhere.</summary>
    Replaces,

    /// <summary>A digest in which a colliding certificate can be made.</summary>
    WeakDigest,

    /// <summary>Pins that are not served, because Postfix compares another digest.</summary>
    OtherDigest,

    /// <summary>Pins trusted at first sight.</summary>
    FirstSight,

    /// <summary>Pins of which it is not known what they are a digest of.</summary>
    UnknownSubject,

    /// <summary>The answer does not fit into a line of tcp_table.</summary>
    TooLongForTcpTable,
}

/// <summary>Finds what is legal in an entry and still not what most people mean.</summary>
public static class PolicyWarnings
{
    private const string NameFromDns = "trusts the MX host's name from DNS, which without DNSSEC anybody on the path can choose";

    /// <param name="answer">What it is answered, where the caller knows that already.</param>
    public static IReadOnlyList<PolicyWarning> Of(Destination destination, PostfixSettings postfix, LookupAnswer? answer = null) =>
        [
            .. OfLevel(destination, postfix),
            .. OfKey(destination),
            .. OfAttributes(destination.Policy),
            .. destination.Policy.Level.MatchesFingerprints() ? OfPins(destination, postfix) : [],
            .. OfSize(destination, postfix, answer),
        ];

    private static PolicyWarning Warning(PolicyWarningKind kind, string reason, string advice = "") => new(kind, new Problem(reason, advice));

    private static IEnumerable<PolicyWarning> OfLevel(Destination destination, PostfixSettings postfix)
    {
        var policy = destination.Policy;
        var trustsDns = policy.Effective().Contains(DefaultMatch.HostName, StringComparer.OrdinalIgnoreCase);
        switch (policy.Level)
        {
            case TlsLevel.Verify or TlsLevel.Secure or TlsLevel.DaneOnly when destination.Key.IsDefault:
                yield return Warning(
                    PolicyWarningKind.ForEverybody, $"at level {policy.Level.Name()} mail to every domain that publishes nothing, and has no "
                    + (policy.Level == TlsLevel.DaneOnly ? "TLSA records" : "certificate for its own name") + ", waits and is returned",
                    "policyctl discovery report says what is published by those that get mail");
                break;
            case TlsLevel.None or TlsLevel.May when destination.Key.IsDefault:
                yield return Warning(
                    PolicyWarningKind.PlainText, $"level {policy.Level.Name()} overrides a stricter smtp_tls_security_level in main.cf for every domain that publishes nothing");
                break;
            case TlsLevel.None or TlsLevel.May:
                yield return Warning(
                    PolicyWarningKind.PlainText, $"level {policy.Level.Name()} overrides a stricter smtp_tls_security_level in main.cf: "
                    + $"mail to this destination {(policy.Level == TlsLevel.None ? "leaves" : "may leave")} in plain text");
                break;
            case TlsLevel.AsDiscovered when destination.Floor == DiscoveryFloor.None:
                yield return Warning(
                    PolicyWarningKind.FallsBack, "level discovered without a floor comes to main.cf's own level where the destination publishes nothing",
                    "--floor encrypt, secure or dane-only says what is the least");
                break;
            case TlsLevel.Dane:
                yield return Warning(
                    PolicyWarningKind.FallsBack, "level dane becomes may where the destination has no TLSA records, or Postfix no DNSSEC",
                    "use dane-only to insist");
                break;
            case TlsLevel.Verify when trustsDns:
                yield return Warning(PolicyWarningKind.NameFromDns, $"level verify {NameFromDns}", "use secure, or give match names");
                break;
            case TlsLevel.Secure when trustsDns:
                yield return Warning(PolicyWarningKind.NameFromDns, $"match=hostname {NameFromDns}", "name the hosts instead");
                break;
        }

        if (policy.Level is not (TlsLevel.None or TlsLevel.May) && policy.Level.IsOfPostfix() && !policy.Level.IsAtLeast(postfix.SecurityLevel))
            yield return Warning(
                PolicyWarningKind.BelowSecurityLevel, $"level {policy.Level.Name()} is less than main.cf says without an entry: "
                + $"smtp_tls_security_level is {postfix.SecurityLevel.Name()} (security_level in [postfix])", "choose one that is as much");
        if (policy.Level.MatchesNames() && policy.ServerName is null)
            yield return Warning(
                PolicyWarningKind.NoServerName, $"level {policy.Level.Name()} without servername sends no SNI unless main.cf does, and a server "
                + "with several certificates may present another one", "consider servername=hostname");
        if (policy.Level.MatchesNames() && !destination.Key.IsDefault && NexthopHasNoName(destination) && policy.Effective().All(IsNexthop))
            yield return Warning(
                PolicyWarningKind.NoNameToMatch, $"the destination {destination.Key.ToDisplayString()} is no host name that a certificate could carry",
                "give match names, or every delivery is deferred");
    }

    private static IEnumerable<PolicyWarning> OfKey(Destination destination)
    {
        var key = destination.Key;
        if (key.IsSubdomains)
            yield return Warning(
                PolicyWarningKind.SubdomainsOnly, $"{key.ToDisplayString()} answers for subdomains only",
                $"{key.ToDisplayString()[1..]} itself needs an entry of its own");
        if (key.Port == 465)
            yield return Warning(
                PolicyWarningKind.Port, "port 465 is for TLS from the first octet (smtp_tls_wrappermode)",
                $"probes speak STARTTLS, and {key.ToDisplayString()} will be unreachable to them");
        if (key.Port == 25)
            yield return Warning(
                PolicyWarningKind.Port, $"{key.ToDisplayString()} is not the same key as {key.ToDisplayString()[..^":25".Length]} to Postfix",
                "only mail routed with the port written out finds this entry");
    }

    private static IEnumerable<PolicyWarning> OfAttributes(TlsPolicy policy)
    {
        if (policy.Ciphers is { } grade && !IsWord(grade, "high") && !IsWord(grade, "medium"))
            yield return Warning(
                PolicyWarningKind.WeakTls,
                IsWord(grade, "null") ? "ciphers=null allows connections without any encryption" : $"ciphers={grade} allows ciphers that are broken",
                "use medium or high");
        if (policy.Protocols is { } protocols && TlsProtocols.TryRange(protocols, out var lowest, out var highest))
        {
            if (lowest < TlsProtocols.Tls12)
                yield return Warning(
                    PolicyWarningKind.WeakTls, $"protocols={protocols} allows {TlsProtocols.Name(lowest)}, which RFC 8996 retired", "use TLSv1.2 as the lowest");
            if (highest < TlsProtocols.Tls13)
                yield return Warning(PolicyWarningKind.WeakTls, $"protocols={protocols} rules out TLSv1.3", "prefer a lower bound alone");
        }

        if (policy.Exclude is not null)
            yield return Warning(
                PolicyWarningKind.Replaces, "exclude replaces smtp_tls_exclude_ciphers and smtp_tls_mandatory_exclude_ciphers of main.cf",
                "repeat here what they exclude");
        if (policy.EnableRpk is not null && policy.Level is TlsLevel.Dane or TlsLevel.DaneOnly or TlsLevel.Verify or TlsLevel.Secure)
            yield return Warning(
                PolicyWarningKind.NoEffect, $"enable_rpk has no effect at level {policy.Level.Name()}", "it acts at may, encrypt and fingerprint");
        if (policy.ServerName is not null && policy.Level is TlsLevel.Dane or TlsLevel.DaneOnly)
            yield return Warning(PolicyWarningKind.NoEffect, "servername is ignored where the destination has TLSA records");
        if (policy.TlsRpt is { } tlsRpt)
        {
            if (tlsRpt.MxHostPatterns.Length > 0 && policy.Match.Length > 0 && IsWord(tlsRpt.PolicyType, "sts"))
                yield return Warning(
                    PolicyWarningKind.Replaces,
                    "with policy_type=sts and mx_host_pattern Postfix 3.10.5 and later replaces the match list by hostname and checks the patterns instead");
            if (tlsRpt.PolicyFailure is not null && policy.Level is TlsLevel.May or TlsLevel.Encrypt)
                yield return Warning(PolicyWarningKind.NoEffect, $"policy_failure does not stop a delivery at level {policy.Level.Name()}");
        }
    }

    private static IEnumerable<PolicyWarning> OfPins(Destination destination, PostfixSettings postfix)
    {
        var digest = postfix.FingerprintDigest.Name();
        var selection = PinSelection.Of(destination, postfix);
        if (postfix.FingerprintDigest is DigestAlgorithm.Md5 or DigestAlgorithm.Sha1 && selection.Served.Length > 0)
            yield return Warning(
                PolicyWarningKind.WeakDigest, $"{digest} is a weak digest, a certificate that collides can be made",
                "set smtp_tls_fingerprint_digest = sha256 in main.cf and fingerprint_digest here");
        var foreign = selection.LeftOut.Count(left => left.Pin.IsServed && left.Pin.Fingerprint.Algorithm != postfix.FingerprintDigest);
        if (foreign > 0)
            yield return Warning(
                PolicyWarningKind.OtherDigest, $"{(foreign == 1 ? "1 pin is" : $"{foreign} pins are")} in another digest than {digest} and not served");
        var tofu = selection.Served.Count(pin => pin.Strength == PinStrength.Tofu);
        if (tofu > 0)
            yield return Warning(
                PolicyWarningKind.FirstSight, $"{(tofu == 1 ? "1 pin was" : $"{tofu} pins were")} trusted at first sight",
                "compare with the partner over another channel");
        if (destination.Policy.EnableRpk == true && selection.Served.Any(pin => pin.Subject == PinSubject.Unknown))
            yield return Warning(
                PolicyWarningKind.UnknownSubject, "enable_rpk needs pins of public keys, and it is not known what some of these pins are of");
    }

    private static IEnumerable<PolicyWarning> OfSize(Destination destination, PostfixSettings postfix, LookupAnswer? known)
    {
        if (destination.Observe)
            yield break;
        var answer = known ?? PolicyText.Answer(destination, postfix, MapName.TlsPolicy);
        var length = PolicyText.TcpLineLength(answer.Text);
        if (answer.Kind != LookupAnswerKind.Found || length <= AnswerLimits.TcpTableLine)
            yield break;
        var overhead = length - answer.Text.Length;
        var fits = destination.Policy.Level.MatchesFingerprints()
            ? $" ({PolicyText.PinsThatFit(destination, postfix, AnswerLimits.TcpTableLine - overhead)} pins fit)"
            : "";
        yield return Warning(
            PolicyWarningKind.TooLongForTcpTable,
            $"the answer does not fit into a line of tcp_table, {length} of {AnswerLimits.TcpTableLine} octets{fits}: over tcp_table this destination is a temporary error",
            "use socketmap");
    }

    private static bool NexthopHasNoName(Destination destination) =>
        destination.Key.IsPath || destination.Key.Host.All(c => char.IsAsciiDigit(c) || c == '.') || destination.Key.Host.Contains(':', StringComparison.Ordinal);

    private static bool IsNexthop(string name) => IsWord(name, DefaultMatch.NextHopName) || IsWord(name, DefaultMatch.BelowNextHop);

    private static bool IsWord(string value, string word) => string.Equals(value, word, StringComparison.OrdinalIgnoreCase);
}
