using System.Collections.Immutable;
using PolicyDaemon.Core.Policies;

namespace PolicyDaemon.Core.Discovery;

/// <summary>What discovery depends on beside the destination.</summary>
/// <param name="SecurityLevel">Postfix's smtp_tls_security_level: what "not found" amounts to.</param>
/// <param name="Dane">DANE verdicts are given.</param>
/// <param name="MtaSts">MTA-STS policies are kept to.</param>
public sealed record DiscoverySettings(TlsLevel SecurityLevel, bool Dane, bool MtaSts)
{
    public static readonly DiscoverySettings Default = new(TlsLevel.May, true, true);

    /// <summary>True where "not found" lets mail leave in plain text, so that <c>dane</c> is no step down.</summary>
    internal bool AllowsDane => SecurityLevel is TlsLevel.None or TlsLevel.May or TlsLevel.Dane;

    /// <summary>The answer where nothing is known: where plain text is possible anyway Postfix looks for DANE itself, with fresh DNS and failing closed.</summary>
    public DiscoveredAnswer WhileUnknown => Dane && SecurityLevel is TlsLevel.None or TlsLevel.May ? DiscoveredAnswer.Dane : DiscoveredAnswer.NotFound;
}

/// <summary>The truth table of discovery: what DNS says of a destination, and whether an enforce policy is in force, to an answer.</summary>
/// <remarks>
/// <para>DANE outranks MTA-STS only where it can authenticate (RFC 8461 section 2), MTA-STS outranks <c>dane</c>, which an attacker who
/// can forge unsigned records turns into plain text. An answer is never below the level that "not found" amounts to: <c>dane</c> is
/// given at <c>none</c>, <c>may</c> and <c>dane</c> alone, <c>secure</c> nowhere at <c>dane-only</c>.</para>
/// <code>
///     MX                 hosts that have an address         without enforce policy   with one
///  1  signed or none     all with usable TLSA               dane-only                dane-only
///  2  signed or none     none with TLSA                     not found                secure
///  3  signed             the best all usable, others not    dane, else dane-only     dane-only
///  4  signed             some with TLSA, the best not all   dane, else not found     secure
///  5  signed or none     only unusable TLSA                 dane, else not found     secure
///  6  signed or none     a TLSA lookup fails                as 3 and 4               dane-only
///  7  unsigned           some with TLSA                     dane, else not found     secure
///  8  unsigned           none with TLSA                     not found                secure
///  9  lookup fails                                          the last, else unknown   the last, else secure
/// 10  no such domain, null MX                               not found                not found
/// 11                     none                               the last, else unknown   the last, else secure
///     key names a host   usable TLSA                        dane-only                dane-only
///     nobody vouches for DNSSEC                             the last, else unknown   the last, else secure
///
/// dane, else X   dane where plain text is possible at Postfix's level, otherwise X
/// unknown        dane where plain text is possible at Postfix's level, otherwise not found
/// </code>
/// Row 14, an enforce policy that covers none of the MX hosts, is answered all the same: no mail must leave (RFC 8461 section 5).
/// </remarks>
internal static class VerdictTable
{
    /// <param name="facts">What DNS says.</param>
    /// <param name="inForce">The enforce policy in force; null where there is none.</param>
    /// <param name="settings">Postfix's level, and what is switched on.</param>
    public static TableVerdict Of(DeliveryFacts facts, StsKept? inForce, DiscoverySettings settings)
    {
        var verdict = Decide(facts, inForce is not null, settings);
        if (inForce is not null && verdict.Answer == DiscoveredAnswer.Secure && CoversNone(inForce.Policy, facts))
            verdict = verdict with { Row = DiscoveryRow.PolicyCoversNone };
        // Where "not found" amounts to more, as dane-only is more than secure, an answer would weaken what main.cf says.
        return settings.SecurityLevel.IsAbove(verdict.Answer.Level(settings.SecurityLevel)) ? verdict with { Answer = DiscoveredAnswer.NotFound } : verdict;
    }

    /// <summary>Compares how strict two answers are; for a choice between what was known and what is seen while something fails.</summary>
    /// <returns>Greater than 0 where the first is stricter, less where the second is.</returns>
    public static int Compare(DiscoveredAnswer one, DiscoveredAnswer other, DiscoverySettings settings)
    {
        var (first, second) = (one.Level(settings.SecurityLevel), other.Level(settings.SecurityLevel));
        return !first.IsAtLeast(second) ? -1 : second.IsAtLeast(first) ? 0 : 1;
    }

    private static TableVerdict Decide(DeliveryFacts facts, bool enforce, DiscoverySettings settings)
    {
        var hosts = facts.Hosts.Where(host => host.Class != HostClass.NoAddress).Select(host => settings.Dane ? host : host with { Class = Plain(host.Class) }).ToImmutableArray();
        if (facts.Mx == MxState.Given)
            return Given(hosts, settings, facts.IsVouched);
        if (facts.Mx is MxState.NoDomain or MxState.NullMx)
            return new(DiscoveryRow.NoMail, DiscoveredAnswer.NotFound);
        if (facts.Mx == MxState.Failed)
            return Unknown(DiscoveryRow.MxFailed, enforce, settings);
        if (hosts.IsEmpty)
        {
            return facts.Hosts.Any(host => host.IsFailure) || enforce
                ? Unknown(DiscoveryRow.NoAddress, enforce, settings)
                : new(DiscoveryRow.NoAddress, DiscoveredAnswer.NotFound);
        }

        if (!facts.IsVouched && settings.Dane)
            return Unknown(DiscoveryRow.NotVouched, enforce, settings);
        return facts.Mx == MxState.Insecure ? Unsigned(hosts, enforce, settings) : Signed(hosts, enforce, settings);
    }

    private static TableVerdict Signed(ImmutableArray<HostFacts> hosts, bool enforce, DiscoverySettings settings)
    {
        if (hosts.All(host => host.Class == HostClass.Tlsa))
            return new(DiscoveryRow.AllDane, DiscoveredAnswer.DaneOnly);
        if (!hosts.Any(HasTlsa))
            return new(DiscoveryRow.NoDane, enforce ? DiscoveredAnswer.Secure : DiscoveredAnswer.NotFound);

        // A host whose TLSA lookup fails may well have records: Postfix passes over it, and so nothing may be decided for its sake.
        var isBest = hosts.Where(host => host.Preference == hosts[0].Preference).All(host => host.Class is HostClass.Tlsa or HostClass.TlsaFailed);
        var without = settings.AllowsDane ? DiscoveredAnswer.Dane : isBest ? DiscoveredAnswer.DaneOnly : DiscoveredAnswer.NotFound;
        if (hosts.Any(host => host.Class == HostClass.TlsaFailed))
            return new(DiscoveryRow.FailedDane, enforce ? DiscoveredAnswer.DaneOnly : without);
        if (isBest)
            return new(DiscoveryRow.BestDane, enforce ? DiscoveredAnswer.DaneOnly : without);
        return new(
            hosts.Any(host => host.Class == HostClass.Tlsa) ? DiscoveryRow.SomeDane : DiscoveryRow.UnusableDane,
            enforce ? DiscoveredAnswer.Secure : without);
    }

    private static TableVerdict Unsigned(ImmutableArray<HostFacts> hosts, bool enforce, DiscoverySettings settings)
    {
        var row = hosts.Any(HasTlsa) ? DiscoveryRow.UnsignedMxWithDane : DiscoveryRow.UnsignedMx;
        if (enforce)
            return new(row, DiscoveredAnswer.Secure);
        return new(row, row == DiscoveryRow.UnsignedMxWithDane && settings.AllowsDane ? DiscoveredAnswer.Dane : DiscoveredAnswer.NotFound);
    }

    private static TableVerdict Given(ImmutableArray<HostFacts> hosts, DiscoverySettings settings, bool isVouched)
    {
        // No policy of MTA-STS is about a host that an administrator names (RFC 8461 section 2).
        if (settings.Dane && (hosts.IsEmpty || !isVouched || hosts.Any(host => host.Class == HostClass.TlsaFailed)))
            return Unknown(DiscoveryRow.GivenHost, enforce: false, settings);
        return new(DiscoveryRow.GivenHost, !hosts.IsEmpty && hosts.All(host => host.Class == HostClass.Tlsa) ? DiscoveredAnswer.DaneOnly : DiscoveredAnswer.NotFound);
    }

    private static TableVerdict Unknown(DiscoveryRow row, bool enforce, DiscoverySettings settings) =>
        enforce ? new(row, DiscoveredAnswer.Secure) : new(row, settings.WhileUnknown) { IsUnknown = true };

    private static bool HasTlsa(HostFacts host) => host.Class is HostClass.Tlsa or HostClass.UnusableTlsa or HostClass.TlsaFailed;

    private static HostClass Plain(HostClass found) => found is HostClass.Insecure ? HostClass.Insecure : HostClass.NoTlsa;

    private static bool CoversNone(StsPolicy policy, DeliveryFacts facts) =>
        facts.Mx is not (MxState.Failed or MxState.NoDomain or MxState.NullMx) && !facts.Hosts.IsEmpty && !facts.Hosts.Any(host => policy.Covers(host.Name));
}

/// <param name="Row">The row that decided.</param>
/// <param name="Answer">What it answers.</param>
internal readonly record struct TableVerdict(DiscoveryRow Row, DiscoveredAnswer Answer)
{
    /// <summary>The answer is what is given where nothing is known.</summary>
    public bool IsUnknown { get; init; }
}
