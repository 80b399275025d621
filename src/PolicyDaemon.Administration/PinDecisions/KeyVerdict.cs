using System.Collections.Immutable;
using System.Globalization;
using PolicyDaemon.Core;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Rotation;
using PolicyDaemon.Core.Runtime;

namespace PolicyDaemon.Administration.PinDecisions;

/// <summary>The verdict about a key that waits for a decision: is it the partner's next key, or somebody else's.</summary>
/// <remarks>
/// <code>
/// odd              something speaks against it: a finding that does not exclude an attack, another host or address, a chain that is not trusted
///                  where the old one was, the old key shown beside it, a key that was refused
/// dane             a DNSSEC-secure TLSA record names it
/// same-public-key  its certificate holds a public key that is trusted already
/// renewal          a trusted chain for the MX host's name, of the same authority as before, in the place of a certificate that ends
/// unclear          none of these: nothing speaks against it, and nothing says whose it is
/// </code>
/// <para>The first that holds is the verdict. It is for a person who has to decide at night: it says "looks like a renewal" only where an
/// attacker would need a certificate of the same authority for the same name, at the same address, and nothing else is wrong; and where something is not
/// known, it says so. It proves nothing and promotes nothing: what automation goes by is <see cref="Evidence"/>.</para>
/// </remarks>
/// <param name="Kind">The verdict.</param>
/// <param name="For">What speaks for the key.</param>
/// <param name="Against">What speaks against it.</param>
/// <param name="Unknown">What is missing for a better verdict.</param>
public sealed record KeyVerdict(KeyVerdictKind Kind, ImmutableArray<string> For, ImmutableArray<string> Against, ImmutableArray<string> Unknown)
{
    // The longest time before its end at which a certificate is renewed; of short ones a third of their life, as ACME clients do.
    private static readonly TimeSpan EarliestRenewal = TimeSpan.FromDays(60);
    private const int PartOfLife = 3;
    private static readonly TimeSpan Tolerance = TimeSpan.FromDays(1);

    // What was seen longer ago says little about who answers now.
    private static readonly TimeSpan Fresh = TimeSpan.FromHours(6);

    private const int LongestName = 60;

    /// <summary>Findings besides the suspicious ones while which a key is no ordinary renewal.</summary>
    private static readonly ImmutableHashSet<FindingKind> Alarming =
    [
        FindingKind.StartTlsGone, FindingKind.PlaintextInjected, FindingKind.WeakerKey, FindingKind.RotatingTooOften, FindingKind.TooManyKeys,
        FindingKind.BrakeOn, FindingKind.NetworkTrouble, FindingKind.ClockJumped,
    ];

    /// <summary>Findings that say no more than that there is a new key, or speak of pins that are not in question.</summary>
    private static readonly ImmutableHashSet<FindingKind> Expected =
        [FindingKind.NewKey, FindingKind.PinHeld, FindingKind.PinInOtherDigest];

    /// <summary>The verdict in words.</summary>
    public string Sentence => Kind switch
    {
        KeyVerdictKind.Odd => $"odd: {Joined(Against)}" + (For.IsEmpty ? "" : $" (in its favour: {Joined(For)})"),
        KeyVerdictKind.Dane => $"the partner's zone names it: {Joined(For)}",
        KeyVerdictKind.SamePublicKey => $"no new key: {Joined(For)}",
        KeyVerdictKind.Renewal => $"looks like a renewal: {Joined(For)}",
        _ => $"unclear, nothing says whose it is: {Joined(Unknown)}" + (For.IsEmpty ? "" : $" (in its favour: {Joined(For)})"),
    };

    /// <summary>The advice: what a person does before the key is approved.</summary>
    public string Advice => Kind switch
    {
        KeyVerdictKind.Odd => "Do not approve it before the partner has read you its fingerprint, at a telephone number that you knew before",
        KeyVerdictKind.Dane => "The zone is signed and a trusted resolver has checked it: that is the word of whoever runs the partner's DNS",
        KeyVerdictKind.SamePublicKey => "Whoever shows it holds the private key that is trusted already",
        KeyVerdictKind.Renewal => "That is likely and no proof: compare its fingerprint with the partner where you can",
        _ => "Compare its fingerprint with the partner, at a telephone number that you knew before, and approve it then",
    };

    /// <summary>The verdict that these facts come to.</summary>
    public static KeyVerdict Of(KeyFacts facts)
    {
        ArgumentNullException.ThrowIfNull(facts);
        ImmutableArray<string> against = [.. Refused(facts), .. OfFindings(facts), .. facts.New is { } shown ? OfPlaces(facts, shown) : []];
        var isProven = IsProvenByDane(facts);
        var supports = Support(facts, isProven).ToImmutableArray();
        ImmutableArray<string> unknown = [.. Missing(facts)];
        var kind = against.Length > 0 ? KeyVerdictKind.Odd
            : isProven ? KeyVerdictKind.Dane
            : IsSameKey(facts) ? KeyVerdictKind.SamePublicKey
            : unknown.IsEmpty ? KeyVerdictKind.Renewal
            : KeyVerdictKind.Unclear;
        return new KeyVerdict(kind, supports, against, unknown);
    }

    private static IEnumerable<string> Refused(KeyFacts facts)
    {
        if (facts.Pin.State.IsRefused())
            yield return $"it was {facts.Pin.State.Name()} here on {facts.Pin.Since:yyyy-MM-dd}";
        if (facts.Elsewhere is { } other && other.State.IsRefused())
            yield return $"{other.Key} has {other.State.Name()} it";
        if (facts.Weakness is { } weakness)
            yield return weakness;
    }

    private static IEnumerable<string> OfFindings(KeyFacts facts) => facts.Findings
        .Where(finding => finding.Kind.Description().IsSuspicious || (Alarming.Contains(finding.Kind) && !(finding.Kind == FindingKind.WeakerKey && facts.Weakness is not null)))
        .Select(finding => finding.Kind.IsOf(FindingSource.Prober)
            ? $"{finding.Kind.Name()}: {finding.Kind.Description().Meaning}"
            : $"{finding.Kind.Name()}: {finding.Detail}");

    /// <summary>The faults of the places that show the key.</summary>
    private static IEnumerable<string> OfPlaces(KeyFacts facts, ShownKey shown)
    {
        var places = Current(shown);
        if (places.Any(place => place.Dane == DaneVerdict.Mismatch))
            yield return "a DNSSEC-secure TLSA record exists and does not match it";
        if (facts.IsAccepted)
            yield break;
        if (shown.Certificate.NotAfter <= facts.Now)
            yield return $"its certificate ended on {shown.Certificate.NotAfter:yyyy-MM-dd}";
        if (shown.Certificate.NotBefore > facts.Now)
            yield return $"its certificate begins on {shown.Certificate.NotBefore:yyyy-MM-dd} only";
        if (places.Max(place => place.StrangersBefore) is > 0 and var strangers)
            yield return $"the same address has shown {Phrases.Count(strangers, "other new key", "other new keys")} before it";
        if (facts.Old is not { } old)
            yield break;
        var isSame = IsSameKey(facts);
        if (old.IsTrusted && !shown.IsTrusted)
            yield return $"{ChainOf(shown)}, and the chain of the old one was trusted";
        if (old.CoversHosts && !shown.CoversHosts)
            yield return $"its certificate is not for the name {string.Join(", ", shown.Hosts.Where(host => !shown.Certificate.Covers(host)))}, and the old one was";
        var hosts = shown.Hosts.Except(old.Hosts, StringComparer.OrdinalIgnoreCase).ToList();
        if (hosts.Count > 0)
            yield return $"another MX host shows it, {string.Join(", ", hosts)}, than showed the old one, {string.Join(", ", old.Hosts)}";
        else if (places.Where(place => !place.HasShownTrusted).ToList() is { Count: > 0 } others)
            yield return $"an address shows it that has shown no trusted key before, {string.Join(", ", others)}";
        if (!isSame && facts.OldStillAt.ToList() is { Count: > 0 } still)
            yield return $"the old key is still shown, by {string.Join(", ", still)}";
    }

    private static IEnumerable<string> Support(KeyFacts facts, bool isProven)
    {
        if (isProven)
        {
            yield return facts.New?.IsCurrent == true
                ? "a DNSSEC-secure TLSA record matches it"
                : "a DNSSEC-secure TLSA record announces it, and no server shows it yet";
        }

        if (IsSameKey(facts))
            yield return facts.IsAccepted ? "it is the public key of the certificate that is pinned and in use" : "the certificate is new, and its public key is that of the pinned one before";
        if (facts.Elsewhere is { SharesHost: true } other && other.State.IsServed())
            yield return $"it is a pin of {other.Key}, whose mail goes to the same MX host";
        if (facts.Pin is { State: PinState.Candidate or PinState.Retired, Strength: not null })
            yield return "it was a pin here before";
        if (facts is not { New: { } shown, Old: { } old, IsAccepted: false } || !IsTrustedForHosts(shown))
            yield break;
        if (IsTrustedForHosts(old) && IsOfSameAuthority(shown.Certificate, old.Certificate))
            yield return $"same CA ({Authority(shown.Certificate)})";
        if (old.CoversHosts)
            yield return $"same name ({string.Join(", ", shown.Hosts)})";
        if (EndsSoon(shown, old))
            yield return OldEnd(facts, old);
    }

    /// <summary>What a renewal would have and this has not, or what is not known.</summary>
    private static IEnumerable<string> Missing(KeyFacts facts)
    {
        if (facts.New is not { } shown)
        {
            yield return "no probe has seen it";
            yield break;
        }

        if (!shown.IsCurrent)
            yield return $"no server shows it any more, the last one did at {UtcTime.Text(shown.Last)}";
        if (facts.LastProbe is not { } last || facts.Now - last > Fresh)
            yield return $"the last probe is {(facts.LastProbe is { } at ? (facts.Now - at).ToLongText() + " old" : "not known")}";
        if (Current(shown).Any(place => place.Dane == DaneVerdict.Unknown))
            yield return "the TLSA records of its MX host could not be looked up";
        foreach (var finding in facts.Findings.Where(finding => finding.Kind.IsOf(FindingSource.Probe) && !Expected.Contains(finding.Kind)
            && !Alarming.Contains(finding.Kind) && !finding.Kind.Description().IsSuspicious))
            yield return $"{finding.Kind.Name()}: {finding.Detail}";
        if (facts.Elsewhere is { SharesHost: false } other && other.State.IsServed())
            yield return $"it is a pin of another destination, {other.Key}, behind other MX hosts";
        if (facts.Old is not { } old)
        {
            yield return "no trusted key was seen here before, so that there is nothing to compare it with";
            if (!IsTrustedForHosts(shown))
                yield return IsNot(shown);
            yield break;
        }

        if (facts.OldPerhapsAt.ToList() is { Count: > 0 } perhaps)
            yield return $"the old key is of another algorithm and may be there besides, at {string.Join(", ", perhaps)}";
        if (!IsTrustedForHosts(shown))
            yield return IsNot(shown) + (old.IsIssuedByItself && shown.IsIssuedByItself ? ", as the old one was" : "");
        else if (!IsTrustedForHosts(old))
            yield return "nobody but itself spoke for the old one, so that the authority of the new one says nothing";
        else if (!IsOfSameAuthority(shown.Certificate, old.Certificate))
            yield return $"another CA ({Authority(shown.Certificate)}) than before ({Authority(old.Certificate)})";
        if (shown.Certificate.NotBefore <= old.Certificate.NotBefore)
            yield return "its certificate is no newer than the old one";
        if (!EndsSoon(shown, old))
            yield return string.Create(
                CultureInfo.InvariantCulture, $"the old certificate was valid for {Phrases.Count(Phrases.DaysUntil(old.Certificate.NotAfter, shown.First), "day")} more when it came");
    }

    private static bool IsProvenByDane(KeyFacts facts) => facts.AreNamesAuthenticated
        && (facts.New is { IsCurrent: true } shown ? Current(shown).All(place => place.Dane == DaneVerdict.Match) : facts.IsAnnounced);

    private static bool IsSameKey(KeyFacts facts) =>
        facts.New is { IsCurrent: true } shown && (facts.IsAccepted || shown.Certificate.KeyId == facts.Old?.Certificate.KeyId);

    /// <summary>The places that show the key now; of a key that nobody shows any more those that did.</summary>
    private static List<ShownPlace> Current(ShownKey shown) =>
        shown.IsCurrent ? [.. shown.Places.Where(place => place.IsCurrent)] : [.. shown.Places];

    private static bool IsTrustedForHosts(ShownKey key) => key.IsTrusted && key.CoversHosts;

    private static bool EndsSoon(ShownKey shown, ShownKey old)
    {
        var third = (old.Certificate.NotAfter - old.Certificate.NotBefore) / PartOfLife;
        return old.Certificate.NotAfter - shown.First <= (third < EarliestRenewal ? third : EarliestRenewal) + Tolerance;
    }

    private static string OldEnd(KeyFacts facts, ShownKey old)
    {
        var days = Phrases.DaysUntil(old.Certificate.NotAfter, facts.Now);
        return days switch
        {
            > 0 => $"the old certificate ends in {Phrases.Count(days, "day")}",
            0 => "the old certificate ends today",
            _ => $"the old certificate ended {Phrases.Count(-days, "day")} ago",
        };
    }

    private static string IsNot(ShownKey shown) => shown.IsIssuedByItself ? "it is self-signed"
        : !shown.IsTrusted ? ChainOf(shown)
        : $"its certificate is not for the name {string.Join(", ", shown.Hosts.Where(host => !shown.Certificate.Covers(host)))}";

    private static string ChainOf(ShownKey shown) => shown.IsIssuedByItself ? "it is self-signed"
        : "its chain is not trusted" + (shown.Places.Select(place => place.ChainDetail).OfType<string>().FirstOrDefault() is { } detail ? $" ({Phrases.Cut(detail, LongestName)})" : "");

    /// <summary>True where both name the same issuer, or issuers of one organisation: authorities change their issuing certificates at will. Of
    /// chains that are not trusted it says nothing, since anybody writes such names.</summary>
    private static bool IsOfSameAuthority(ServerCertificate one, ServerCertificate other) =>
        one.Issuer == other.Issuer || (one.IssuerOrganisation is { Length: > 0 } name && name == other.IssuerOrganisation);

    private static string Authority(ServerCertificate certificate) =>
        Phrases.Cut(certificate.IssuerOrganisation is { Length: > 0 } name ? name : certificate.Issuer, LongestName);

    private static string Joined(ImmutableArray<string> parts) => string.Join("; ", parts);
}

/// <summary>What a key that waits for a decision looks like.</summary>
public enum KeyVerdictKind
{
    /// <summary>Something speaks against it.</summary>
    Odd,

    /// <summary>Nothing speaks against the key, and nothing says whose it is.</summary>
    Unclear,

    /// <summary>A trusted chain of the same authority for the same name, in the place of a certificate that ends.</summary>
    Renewal,

    /// <summary>The public key is trusted already.</summary>
    SamePublicKey,

    /// <summary>A DNSSEC-secure TLSA record names it.</summary>
    Dane,
}

/// <summary>The names of verdicts about a key.</summary>
public static class KeyVerdictKinds
{
    private static readonly StoredNames<KeyVerdictKind> Names = new(
        (KeyVerdictKind.Odd, "odd"), (KeyVerdictKind.Unclear, "unclear"), (KeyVerdictKind.Renewal, "renewal"),
        (KeyVerdictKind.SamePublicKey, "same-public-key"), (KeyVerdictKind.Dane, "dane"));

    /// <summary>The verdict's name in JSON.</summary>
    public static string Name(this KeyVerdictKind kind) => Names.Of(kind);
}
