using PolicyDaemon.Administration.Explaining;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Store.Auditing;

namespace PolicyDaemon.Cli.Json;

/// <summary>A pin.</summary>
/// <param name="Fingerprint">Lower-case hexadecimal without colons.</param>
/// <param name="Digest"><c>md5</c>, <c>sha1</c>, <c>sha256</c> or <c>sha512</c>.</param>
/// <param name="Subject"><c>unknown</c>, <c>certificate</c> or <c>public-key</c>.</param>
/// <param name="State"><c>candidate</c>, <c>standby</c>, <c>active</c>, <c>retiring</c>, <c>retired</c> or <c>rejected</c>.</param>
/// <param name="Strength"><c>tofu</c>, <c>person</c>, <c>webpki</c> or <c>dane</c>; null for a candidate, which nothing trusts yet.</param>
/// <param name="Since">When it entered its state.</param>
/// <param name="Served">Whether it stands in the answer.</param>
/// <param name="LeftOut">Why it does not; null where it does.</param>
/// <param name="FirstSeen">The first probe that saw it, as far as remembered; null where none did.</param>
/// <param name="LastSeen">The last.</param>
/// <param name="SeenAt">Where it was seen.</param>
/// <param name="Evidence">The decision that brought it into its state; null where the audit log does not say.</param>
internal sealed record PinJson(
    string Fingerprint, string Digest, string Subject, string State, string? Strength, DateTimeOffset Since, bool Served,
    string? LeftOut, DateTimeOffset? FirstSeen, DateTimeOffset? LastSeen, IReadOnlyList<PresentationJson> SeenAt, PinEvidence? Evidence)
{
    /// <summary>Every pin of a destination, in its order.</summary>
    internal static IReadOnlyList<PinJson> Of(Destination destination, PostfixSettings postfix, PinProbeState known)
    {
        var selection = PinSelection.Of(destination, postfix);
        return [.. destination.Pins.Select(pin => From(pin, PinAnswer.WhyLeftOut(destination, selection, pin), known))];
    }

    private static PinJson From(Pin pin, string? leftOut, PinProbeState known) => new(
        pin.Fingerprint.Hex,
        pin.Fingerprint.Algorithm.Name(),
        pin.Subject.Name(),
        pin.State.Name(),
        pin.State == PinState.Candidate ? null : pin.Strength?.Name(),
        pin.Since,
        leftOut is null,
        leftOut,
        known.Seen(pin)?.First,
        known.Seen(pin)?.Last,
        [.. known.PresentationsOf(pin).Select(PresentationJson.From)],
        known.EvidenceOf(pin));
}

/// <summary>Where a pinned key or certificate was presented.</summary>
/// <param name="MxHost">The MX host.</param>
/// <param name="Address">IPv4 or IPv6.</param>
/// <param name="Port">The port.</param>
/// <param name="Sni">The name that is sent (SNI); null for none.</param>
/// <param name="FirstSeen">The first probe that saw it there, as far as remembered.</param>
/// <param name="LastSeen">The last.</param>
/// <param name="Current">It is what was presented there last.</param>
/// <param name="NotAfter">The end of the certificate that it was seen in last.</param>
internal sealed record PresentationJson(
    string MxHost, string Address, int Port, string? Sni, DateTimeOffset FirstSeen, DateTimeOffset LastSeen, bool Current, DateTimeOffset NotAfter)
{
    internal static PresentationJson From(PinPresentation seen) => new(
        seen.MxHost, seen.Target.Address.ToString(), seen.Target.Port, seen.Target.ServerName, seen.First, seen.Last, seen.IsCurrent,
        seen.Certificate.NotAfter);
}

/// <summary>A row of <c>pin list</c>.</summary>
/// <param name="Key">The destination.</param>
/// <param name="Pin">The pin.</param>
internal sealed record ListedPinJson(string Key, PinJson Pin);
