using System.Diagnostics.CodeAnalysis;
using PolicyDaemon.Core.Policies;

namespace PolicyDaemon.Core.Discovery;

/// <summary>The row of <see cref="VerdictTable"/> that decided. Their numbers are those of the manual's table.</summary>
public enum DiscoveryRow
{
    /// <summary>Nobody vouches for DNSSEC: the resolver is not trusted or failed its self-test.</summary>
    NotVouched,

    /// <summary>Every host has usable TLSA records.</summary>
    AllDane,

    /// <summary>No host has TLSA records.</summary>
    NoDane,

    /// <summary>The best hosts have usable TLSA records, others do not.</summary>
    BestDane,

    /// <summary>Some hosts have TLSA records, the best not all.</summary>
    SomeDane,

    /// <summary>TLSA records, and none of them usable.</summary>
    UnusableDane,

    /// <summary>The TLSA lookup of a host fails.</summary>
    FailedDane,

    /// <summary>Unsigned MX records that lead to hosts with TLSA records.</summary>
    UnsignedMxWithDane,

    /// <summary>Unsigned MX records, no TLSA records.</summary>
    UnsignedMx,

    /// <summary>The MX lookup fails.</summary>
    MxFailed,

    /// <summary>The domain does not exist, or takes no mail.</summary>
    NoMail,

    /// <summary>No MX host has an address.</summary>
    NoAddress,

    /// <summary>The policy in force covers none of the MX hosts.</summary>
    PolicyCoversNone,

    /// <summary>The key names the host: its DANE only.</summary>
    GivenHost,
}

/// <summary>The answer of discovery for a destination.</summary>
public enum DiscoveredAnswer
{
    /// <summary>Not found: Postfix's default level applies.</summary>
    NotFound,

    Dane,

    Secure,

    DaneOnly,
}

/// <summary>Shown and stored names.</summary>
public static class DiscoveryNames
{
    private static readonly StoredNames<DiscoveredAnswer> Answers = new(
        (DiscoveredAnswer.NotFound, "not-found"), (DiscoveredAnswer.Dane, "dane"), (DiscoveredAnswer.Secure, "secure"), (DiscoveredAnswer.DaneOnly, "dane-only"));

    private static readonly StoredNames<DiscoveryRow> Rows = new(
        (DiscoveryRow.AllDane, "1"), (DiscoveryRow.NoDane, "2"), (DiscoveryRow.BestDane, "3"), (DiscoveryRow.SomeDane, "4"),
        (DiscoveryRow.UnusableDane, "5"), (DiscoveryRow.FailedDane, "6"), (DiscoveryRow.UnsignedMxWithDane, "7"), (DiscoveryRow.UnsignedMx, "8"),
        (DiscoveryRow.MxFailed, "9"), (DiscoveryRow.NoMail, "10"), (DiscoveryRow.NoAddress, "11"), (DiscoveryRow.PolicyCoversNone, "14"),
        (DiscoveryRow.GivenHost, "host"), (DiscoveryRow.NotVouched, "resolver"));

    public static string Name(this DiscoveredAnswer answer) => Answers.Of(answer);

    public static bool TryParse([NotNullWhen(true)] string? name, out DiscoveredAnswer answer) => Answers.TryParse(name, out answer);

    /// <summary>The level that an answer comes to.</summary>
    /// <param name="answer">The answer.</param>
    /// <param name="securityLevel">What "not found" amounts to.</param>
    public static TlsLevel Level(this DiscoveredAnswer answer, TlsLevel securityLevel) => answer switch
    {
        DiscoveredAnswer.DaneOnly => TlsLevel.DaneOnly,
        DiscoveredAnswer.Secure => TlsLevel.Secure,
        DiscoveredAnswer.Dane => TlsLevel.Dane,
        _ => securityLevel,
    };

    /// <summary>The row as the manual numbers it.</summary>
    public static string Name(this DiscoveryRow row) => Rows.Of(row);

    public static bool TryParse([NotNullWhen(true)] string? name, out DiscoveryRow row) => Rows.TryParse(name, out row);

    /// <summary>The situation of the row, as a phrase for people.</summary>
    public static string Phrase(this DiscoveryRow row) => row switch
    {
        DiscoveryRow.NotVouched => "the resolver is not trusted, or failed its self-test",
        DiscoveryRow.AllDane => "every MX host has usable TLSA records",
        DiscoveryRow.NoDane => "no MX host has TLSA records",
        DiscoveryRow.BestDane => "the best MX hosts have usable TLSA records, others do not",
        DiscoveryRow.SomeDane => "some MX hosts have TLSA records, the best not all of them",
        DiscoveryRow.UnusableDane => "no TLSA record is usable",
        DiscoveryRow.FailedDane => "the TLSA lookup of an MX host fails",
        DiscoveryRow.UnsignedMxWithDane => "the MX records are not signed, though MX hosts have TLSA records",
        DiscoveryRow.UnsignedMx => "the MX records are not signed, and no MX host has TLSA records",
        DiscoveryRow.MxFailed => "the MX lookup fails",
        DiscoveryRow.NoMail => "the domain does not exist, or takes no mail",
        DiscoveryRow.NoAddress => "no MX host has an address",
        DiscoveryRow.PolicyCoversNone => "the policy in force covers none of the MX hosts",
        _ => "the key names the host",
    };
}
