using PolicyDaemon.Administration.Explaining;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Tables;

namespace PolicyDaemon.Cli.Json;

/// <summary>A destination: one of <c>domain list</c>, or <c>domain show</c>.</summary>
/// <param name="Key">The canonical key.</param>
/// <param name="Unicode">The key with U-labels.</param>
/// <param name="Level">The TLS security level, <c>default</c> or <c>discovered</c>.</param>
/// <param name="Attributes">The policy's attributes by their names in postconf(5), without the pins.</param>
/// <param name="Mode"><c>locked</c>, <c>assist</c> or <c>auto</c>.</param>
/// <param name="Observe">True while it is not enforced.</param>
/// <param name="Note">The administrator's words; null where there are none.</param>
/// <param name="Pins">Every pin, served or not.</param>
/// <param name="Answer">What the map <c>tlspolicy</c> answers.</param>
/// <param name="AnswerTlsrpt">What the map <c>tlspolicy-tlsrpt</c> answers.</param>
/// <param name="ProbeAs">Hosts to probe for a leading-dot key.</param>
/// <param name="Probed">What the prober knows of it; null before the first probe.</param>
/// <param name="Observations">What the last probes of each address saw, newest first; null without <c>--probes</c>.</param>
internal sealed record DestinationJson(
    string Key,
    string Unicode,
    string Level,
    IReadOnlyDictionary<string, IReadOnlyList<string>> Attributes,
    string Mode,
    bool Observe,
    string? Note,
    IReadOnlyList<PinJson> Pins,
    AnswerJson Answer,
    AnswerJson AnswerTlsrpt,
    IReadOnlyList<string> ProbeAs,
    ProbeStateJson? Probed,
    IReadOnlyList<ObservationJson>? Observations = null)
{
    /// <summary>At level discovered: the least that is taken; null for none.</summary>
    public string? Floor { get; init; }

    /// <summary>When the entry ends by itself; null where it does not.</summary>
    public DateTimeOffset? Until { get; init; }

    /// <summary>The policy that the entry comes to then, in the syntax of <c>apply</c>; null where the entry goes, or does not end.</summary>
    public string? Then { get; init; }

    /// <summary>What is open about it, advice included; null in a list.</summary>
    public IReadOnlyList<FindingJson>? Findings { get; init; }

    internal static DestinationJson From(
        Destination destination, PostfixSettings postfix, ProbeStateJson? probed = null, PinProbeState? known = null) => new(
        destination.Key.Text,
        destination.Key.ToDisplayString(),
        destination.Policy.Level.Name(),
        PolicyAttributes.All
            .Select(attribute => (attribute.Name, Values: attribute.Get(destination.Policy)))
            .Where(attribute => !attribute.Values.IsEmpty)
            .ToDictionary(attribute => attribute.Name, attribute => (IReadOnlyList<string>)attribute.Values, StringComparer.Ordinal),
        destination.Mode.Name(),
        destination.Observe,
        destination.Note,
        PinJson.Of(destination, postfix, known ?? PinProbeState.None),
        AnswerJson.From(PolicyText.Answer(destination, postfix, MapName.TlsPolicy)),
        AnswerJson.From(PolicyText.Answer(destination, postfix, MapName.TlsPolicyTlsRpt)),
        destination.ProbeAs,
        probed)
    {
        Floor = destination.Floor == DiscoveryFloor.None ? null : destination.Floor.Name(),
        Until = destination.Until,
        Then = EntryAttributes.Text("then", destination),
    };
}
