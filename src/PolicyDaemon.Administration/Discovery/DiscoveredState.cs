using System.Collections.Immutable;
using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Discovery;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Store;
using PolicyDaemon.Store.Discovery;

namespace PolicyDaemon.Administration.Discovery;

/// <summary>What discovery knows of a destination, what it answers, and why: from the store, so that it can be told while policyd is down.</summary>
/// <param name="Key">The key.</param>
/// <param name="Memory">What is remembered; null where nothing is.</param>
/// <param name="Verdict">The verdict at this time; null where nothing was looked up yet.</param>
/// <param name="Answer">What it is answered on the map <c>tlspolicy</c>, were discovery on.</param>
/// <param name="TlsRptAnswer">And on <c>tlspolicy-tlsrpt</c>.</param>
/// <param name="Changes">How the verdict changed, the newest first.</param>
/// <param name="Evidence">What the newest of these changes rests on; null where none is kept.</param>
/// <param name="NextDue">When it is renewed, on use; null where nothing is remembered.</param>
public sealed record DiscoveredState(
    NextHop Key, Discovered? Memory, DiscoveryVerdict? Verdict, LookupAnswer Answer, LookupAnswer TlsRptAnswer,
    IReadOnlyList<StoredVerdictChange> Changes, DiscoveryEvidence? Evidence, DateTimeOffset? NextDue)
{
    /// <summary>What a person should read of it: what was found, and what becomes of the answer.</summary>
    public ImmutableArray<DiscoveryRemark> Remarks { get; init; } = [];

    /// <summary>The reason of the answer, in a sentence.</summary>
    public string Why => Verdict switch
    {
        null => "nothing was found out about it yet: its first lookup starts that",
        { IsUnknown: true } unknown => $"nothing is known: {unknown.Row.Phrase()} (row {unknown.Row.Name()})",
        { LastRow: { } last } failing => $"{failing.Row.Phrase()} (row {failing.Row.Name()}), so that what was known before holds: {last.Phrase()} (row {last.Name()})",
        { Answer: DiscoveredAnswer.Secure } sts => $"its MTA-STS policy is in force; {sts.Row.Phrase()} (row {sts.Row.Name()})",
        var known => $"{known.Row.Phrase()} (row {known.Row.Name()})",
    };

    /// <param name="key">The key.</param>
    /// <param name="store">Where it is remembered.</param>
    /// <param name="settings">The configuration of the daemon.</param>
    /// <param name="now">The time, UTC.</param>
    /// <param name="history">Changes to read at most.</param>
    public static DiscoveredState Read(NextHop key, PolicyStore store, Settings settings, DateTimeOffset now, int history = 1)
    {
        ArgumentNullException.ThrowIfNull(store);
        ArgumentNullException.ThrowIfNull(settings);
        var changes = store.ReadVerdictChanges(key, history);
        var evidence = changes is [var newest, ..] && DiscoveryJson.TryRead(newest.Evidence, out var read, out _) ? read : null;
        return Of(key, store.FindDiscovered(key), settings, now) with { Changes = changes, Evidence = evidence };
    }

    /// <summary>The state of a destination whose memory the caller has read already; without a history.</summary>
    public static DiscoveredState Of(NextHop key, Discovered? memory, Settings settings, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(settings);
        var conditions = settings.Discovery.Conditions(settings.Postfix);
        var verdict = memory is null ? null : DiscoveryVerdict.Of(memory, conditions, now);
        var unknown = DiscoveredReply.Unknown(conditions, settings.Discovery.DefersFirstSight);
        DiscoveryRemark? remark = null;
        var (plain, tlsRpt) = verdict is null || (verdict.IsUnknown && settings.Discovery.DefersFirstSight)
            ? (unknown, unknown)
            : DiscoveredReply.Answers(verdict, settings.Postfix, out remark);
        return new DiscoveredState(key, memory, verdict, plain, tlsRpt, [], null, memory?.NextDue(conditions, now))
        {
            Remarks = [.. verdict?.Remarks ?? [], .. remark is null ? [] : (DiscoveryRemark[])[remark]],
        };
    }

    /// <summary>What Postfix does with an MX host under this verdict.</summary>
    public string MailAt(HostFacts host, TlsLevel level)
    {
        ArgumentNullException.ThrowIfNull(host);
        if (host.Class == HostClass.NoAddress)
            return host.IsFailure ? "no path: its addresses cannot be looked up" : "no path: it has no address";
        return Verdict switch
        {
            { Answer: DiscoveredAnswer.DaneOnly } => host.Class switch
            {
                HostClass.Tlsa => "delivered where its certificate matches its TLSA records",
                HostClass.TlsaFailed => "passed over while its TLSA lookup fails",
                _ => "passed over: it has no usable TLSA records",
            },
            { Answer: DiscoveredAnswer.Secure, Policy: { } kept } => kept.Policy.Covers(host.Name)
                ? "delivered where its certificate is trusted and names a host of the policy"
                : "refused: the policy does not name it",
            { Answer: DiscoveredAnswer.Dane } => host.Class switch
            {
                HostClass.Tlsa => "delivered where its certificate matches its TLSA records",
                HostClass.UnusableTlsa => "delivered over TLS, which nothing authenticates",
                HostClass.TlsaFailed => "passed over while its TLSA lookup fails",
                _ => "TLS where it offers that, otherwise plain text",
            },
            _ => $"as smtp_tls_security_level = {level.Name()} says",
        };
    }

    /// <summary>What Postfix sees of an MX host, as a phrase for people.</summary>
    public static string Phrase(HostClass found) => found switch
    {
        HostClass.NoAddress => "no address",
        HostClass.Insecure => "address not signed",
        HostClass.NoTlsa => "no TLSA records",
        HostClass.UnusableTlsa => "no usable TLSA record",
        HostClass.Tlsa => "usable TLSA records",
        _ => "TLSA lookup fails",
    };

    /// <summary>What the MX records are, as a phrase for people.</summary>
    public static string Phrase(MxState found) => found switch
    {
        MxState.Secure => "signed",
        MxState.Insecure => "not signed",
        MxState.Implicit => "none: the domain itself takes mail",
        MxState.NoDomain => "no such domain",
        MxState.NullMx => "a null MX: the domain takes no mail",
        MxState.Given => "not asked for: the key names the host",
        _ => "cannot be looked up",
    };

    /// <summary>What an answer's DNSSEC is worth, as a phrase for people.</summary>
    public static string Phrase(DnssecStatus security) => security switch
    {
        DnssecStatus.Secure => "secure",
        DnssecStatus.Insecure => "insecure",
        DnssecStatus.Unknown => "not judged",
        _ => "bogus",
    };
}
