using System.Collections.Immutable;
using System.Diagnostics.CodeAnalysis;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Findings;

namespace PolicyDaemon.Core.Discovery;

/// <summary>What a person should read about a discovered destination. The names in <see cref="DiscoveryRemarkNames"/> are stored and shown.</summary>
public enum DiscoveryRemarkKind
{
    /// <summary>Row 1: a host with DANE is outside of the policy in force.</summary>
    MxOutsidePolicy,

    /// <summary>Rows 3 and 4: hosts with TLSA records beside hosts without.</summary>
    PartialDane,

    /// <summary>Row 5: TLSA records, none of them usable.</summary>
    UnusableTlsa,

    /// <summary>Row 6: a TLSA lookup fails.</summary>
    TlsaLookupFailed,

    /// <summary>Row 7: unsigned MX records lead to hosts with TLSA records.</summary>
    MxUnsigned,

    /// <summary>Row 9: our resolver fails where Postfix found the MX records.</summary>
    MxLookupFailed,

    /// <summary>Row 10: the domain does not exist, or takes no mail.</summary>
    NoMail,

    /// <summary>Row 11: no MX host has an address.</summary>
    NoAddress,

    /// <summary>Row 12: an MX record names an address.</summary>
    MxIsAddress,

    /// <summary>Row 14: the policy in force covers none of the MX hosts.</summary>
    PolicyCoversNone,

    /// <summary>The <c>_mta-sts</c> record is published and broken.</summary>
    RecordBroken,

    /// <summary>A record, and the policy cannot be fetched or read; none is kept.</summary>
    PolicyNotFetched,

    /// <summary>The policy asks to be kept for less than a day.</summary>
    PolicyShortLived,

    /// <summary>The policy in force could not be renewed: protection will end.</summary>
    PolicyNotRenewed,

    /// <summary>Another policy under the same id: senders that go by the id have not seen it.</summary>
    PolicyChangedSilently,

    /// <summary>The policy has expired and could not be renewed: protection is lost.</summary>
    PolicyLapsed,

    /// <summary>The policy names so many hosts that no answer can.</summary>
    AnswerTooLong,
}

/// <param name="Kind">What it is.</param>
/// <param name="Severity">What it means for mail.</param>
/// <param name="Detail">What was seen, in a sentence.</param>
/// <param name="Remedy">The command that shows more; null where there is nothing to do here. None weakens anything: what an attack looks like is not settled by a command.</param>
public sealed record DiscoveryRemark(DiscoveryRemarkKind Kind, FindingSeverity Severity, string Detail, string? Remedy)
{
    // Of a domain that nobody writes to any more nobody need read.
    private static readonly TimeSpan Interest = TimeSpan.FromDays(7);

    /// <summary>What people are told without asking: where mail waits, or protection ends or is lost; the rest is other people's concern.</summary>
    /// <param name="remarks">What was remarked.</param>
    /// <param name="memory">Of which destination.</param>
    /// <param name="now">The time, UTC.</param>
    public static ImmutableArray<Finding> Findings(IEnumerable<DiscoveryRemark> remarks, Discovered memory, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(remarks);
        ArgumentNullException.ThrowIfNull(memory);
        return now - memory.Used > Interest
            ? []
            :
            [
                .. remarks.Select(remark => (Remark: remark, Kind: FindingOf(remark.Kind))).Where(found => found.Kind is not null)
                    .Select(found => new Finding(found.Kind!.Value, memory.Key.Text, found.Remark.Detail, found.Remark.Remedy ?? $"policyctl discovery show {Shell.Quote(memory.Key.Text)}", now)),
            ];
    }

    private static FindingKind? FindingOf(DiscoveryRemarkKind kind) => kind switch
    {
        DiscoveryRemarkKind.PolicyCoversNone => FindingKind.PolicyCoversNone,
        DiscoveryRemarkKind.PolicyNotRenewed => FindingKind.PolicyNotRenewed,
        DiscoveryRemarkKind.PolicyLapsed => FindingKind.PolicyLapsed,
        DiscoveryRemarkKind.AnswerTooLong => FindingKind.AnswerTooLong,
        _ => null,
    };
}

/// <summary>Stored and shown names.</summary>
public static class DiscoveryRemarkNames
{
    private static readonly StoredNames<DiscoveryRemarkKind> Kinds = new(
        (DiscoveryRemarkKind.MxOutsidePolicy, "mx-outside-policy"),
        (DiscoveryRemarkKind.PartialDane, "partial-dane"),
        (DiscoveryRemarkKind.UnusableTlsa, "unusable-tlsa"),
        (DiscoveryRemarkKind.TlsaLookupFailed, "tlsa-lookup-failed"),
        (DiscoveryRemarkKind.MxUnsigned, "mx-unsigned"),
        (DiscoveryRemarkKind.MxLookupFailed, "mx-lookup-failed"),
        (DiscoveryRemarkKind.NoMail, "no-mail"),
        (DiscoveryRemarkKind.NoAddress, "no-address"),
        (DiscoveryRemarkKind.MxIsAddress, "mx-is-address"),
        (DiscoveryRemarkKind.PolicyCoversNone, "policy-covers-none"),
        (DiscoveryRemarkKind.RecordBroken, "record-broken"),
        (DiscoveryRemarkKind.PolicyNotFetched, "policy-not-fetched"),
        (DiscoveryRemarkKind.PolicyShortLived, "policy-short-lived"),
        (DiscoveryRemarkKind.PolicyNotRenewed, "policy-not-renewed"),
        (DiscoveryRemarkKind.PolicyChangedSilently, "policy-changed-silently"),
        (DiscoveryRemarkKind.PolicyLapsed, "policy-lapsed"),
        (DiscoveryRemarkKind.AnswerTooLong, "answer-too-long"));

    public static string Name(this DiscoveryRemarkKind kind) => Kinds.Of(kind);

    public static bool TryParse([NotNullWhen(true)] string? name, out DiscoveryRemarkKind kind) => Kinds.TryParse(name, out kind);
}
