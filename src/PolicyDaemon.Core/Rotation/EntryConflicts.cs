using System.Collections.Immutable;
using PolicyDaemon.Core.Deliveries;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;

namespace PolicyDaemon.Core.Rotation;

/// <summary>Finds where an entry stands against what its destination publishes, each with the command that settles it. Pure.</summary>
/// <remarks>
/// <code>
/// pins                        usable TLSA records match at every address          dane-only, which the partner keeps current
/// pins                        an enforce policy is met at every address           secure, with the policy's names
/// may, encrypt, dane          DANE or an enforce policy would deliver             the level that is published
/// default for 90 days         the same                                            the exemption goes
/// </code>
/// <para>Only where mail goes through now both ways: while anything else is found about the servers, an attack above all, nothing is proposed.
/// Nor is it of entries that end by themselves, that are only observed, or that a person has settled by mode locked.</para>
/// <para>What is published by MTA-STS discovery has found out (<see cref="DestinationState.Published"/>); what TLSA records say, the probe itself.</para>
/// </remarks>
public static class EntryConflicts
{
    /// <summary>An exemption that is older is asked about.</summary>
    public static readonly TimeSpan LongExemption = TimeSpan.FromDays(90);

    /// <param name="state">The destination.</param>
    /// <param name="addresses">Its addresses, the latest probe included.</param>
    /// <param name="postfix">The Postfix that sends its mail.</param>
    /// <param name="now">The time of the probe.</param>
    public static IEnumerable<Finding> Of(DestinationState state, ImmutableArray<AddressState> addresses, PostfixSettings postfix, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(state);
        if (state.Observe || state.IsTemporary || state.Mode == PinMode.Locked || !state.Key.CanPublish)
            yield break;
        var dane = new TlsPolicy { Level = TlsLevel.DaneOnly };
        var better = Delivers(dane) ? dane : state.Published is { Level: TlsLevel.Secure } published && Delivers(published) ? published : null;
        if (better is null)
            yield break;
        var key = Shell.Quote(state.Entry.Text);
        var what = better.Level == TlsLevel.DaneOnly ? "usable TLSA records match at every address" : "its MTA-STS policy is in force and met at every address";
        switch (state.Policy.Level)
        {
            case TlsLevel.Fingerprint:
                yield return better.Level == TlsLevel.DaneOnly
                    ? Found(FindingKind.PinBesideDane, $"{state.Entry} is pinned, and {what}: at dane-only its owner keeps them current", $"policyctl domain set {key} --level dane-only")
                    : Found(
                        FindingKind.PinBesidePolicy, $"{state.Entry} is pinned, and {what}: at secure, with the names of the policy, a new key of its servers needs nobody here",
                        $"policyctl domain set {key} {Secure(better)} --reason 'its MTA-STS policy is met'");
                break;
            case TlsLevel.May or TlsLevel.Encrypt or TlsLevel.Dane:
                // No level is compared with dane, so that every change from it takes a reason.
                var reason = state.Policy.Level == TlsLevel.Dane ? " --reason 'more is published'" : "";
                yield return Found(
                    FindingKind.EntryBelowPublished, $"{state.Entry} is at level {state.Policy.Level.Name()}, and {what}: without the entry, or at {better.Level.Name()}, its server would have to prove its identity",
                    $"policyctl domain set {key} {(better.Level == TlsLevel.DaneOnly ? "--level dane-only" : Secure(better))}{Unset(state.Policy)}{reason}");
                break;
            case TlsLevel.Default when now - state.ExemptSince >= LongExemption:
                yield return Found(
                    FindingKind.ExemptionOutlived, $"{state.Entry} has been exempt from discovery since {state.ExemptSince:yyyy-MM-dd}, and {what} by now: without the exemption mail would be delivered, and protected",
                    $"policyctl domain remove {key} --reason 'what it publishes works again'");
                break;
        }

        bool Delivers(TlsPolicy policy) =>
            MailForecast.Of(new DeliveryRules(DeliveryPolicy.Of(policy, state.Key), postfix), addresses).Verdict() == DestinationVerdict.Ok;

        Finding Found(FindingKind kind, string detail, string remedy) => new(kind, state.Entry.Text, detail, remedy, now);
    }

    private static string Secure(TlsPolicy policy) =>
        $"--level secure {string.Join(' ', policy.Match.Select(name => $"--match {Shell.Quote(name)}"))} --servername hostname";

    /// <summary>What an entry has of its own and would keep: of no attribute is it known that the published policy needs it.</summary>
    private static string Unset(TlsPolicy policy) => policy.TlsRpt is null ? "" : string.Concat(
        PolicyAttributes.All.Where(row => row.TlsRptOnly && !row.Get(policy).IsEmpty).Select(row => $" --unset {row.Name}"));
}
