using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Runtime;
using PolicyDaemon.Store;

namespace PolicyDaemon.Administration.PinDecisions;

/// <summary>Evidence that settles a new key without a person, or would: the partner's signed zone names the key that no pin serves yet.</summary>
/// <remarks>By the verdict that <c>pin approve</c> shows, so that <c>explain</c>, <c>probe</c> and <c>status</c> say the same.</remarks>
/// <param name="Pin">The candidate that the zone names.</param>
/// <param name="At">When it is followed at the earliest; null where it is held back.</param>
/// <param name="HeldBy">Why it is not followed by itself, a clause; null where it is.</param>
public sealed record SettlingEvidence(Pin Pin, DateTimeOffset? At, string? HeldBy)
{
    private const string Named = "the partner's signed zone names the new key (DANE)";

    /// <summary>What becomes of the key by itself, a clause for people.</summary>
    public string Sentence => At is { } at
        ? $"{Named}: policyd follows it by itself, at {UtcTime.Text(at)} at the earliest"
        : $"{Named}, and it is not followed by itself: {HeldBy}";

    /// <summary>The evidence about the keys of a destination that wait for a decision.</summary>
    /// <param name="store">The store.</param>
    /// <param name="entry">The destination.</param>
    /// <param name="settings">The configuration.</param>
    /// <param name="now">The time, UTC.</param>
    /// <returns>Null where nothing would settle without a person.</returns>
    public static SettlingEvidence? Of(PolicyStore store, Destination entry, Settings settings, DateTimeOffset now)
    {
        ArgumentNullException.ThrowIfNull(store);
        ArgumentNullException.ThrowIfNull(entry);
        ArgumentNullException.ThrowIfNull(settings);
        if (!entry.Policy.Level.MatchesFingerprints() || !entry.Pins.Any(pin => pin.State == PinState.Candidate))
            return null;
        var brake = store.OpenFindings(FindingKind.BrakeOn) is [var on, ..] ? on.Finding : null;
        var review = PinReview.Read(store, entry, now);
        // While the brake is on its verdict is odd because of that, whatever the zone says.
        var named = review.Keys.FirstOrDefault(key => key.Pin.State == PinState.Candidate
            && KeyVerdict.Of(key.Facts with { Findings = [.. key.Facts.Findings.Where(finding => finding.Kind != FindingKind.BrakeOn)] }).Kind == KeyVerdictKind.Dane);
        if (named is null)
            return null;
        var heldBy = entry.Mode == PinMode.Locked ? "mode locked leaves every pin to a person"
            : brake is not null ? $"the brake is on, {brake.Detail}"
            : !settings.Probe.Enabled ? "the prober is off"
            : null;
        var ripe = named.Pin.Since + settings.Probe.Rotation.EvidenceWait;
        var due = review.Probed?.NextDue is { } next && next > ripe ? next : ripe;
        return new SettlingEvidence(named.Pin, heldBy is null ? (due > now ? due : now) : null, heldBy);
    }
}
