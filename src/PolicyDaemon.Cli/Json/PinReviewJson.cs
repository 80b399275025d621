using PolicyDaemon.Administration.Explaining;
using PolicyDaemon.Administration.PinDecisions;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Runtime;
using PolicyDaemon.Store.Auditing;

namespace PolicyDaemon.Cli.Json;

/// <summary>What <c>pin approve</c> shows where no fingerprint is named: the keys that wait for a decision.</summary>
/// <param name="Key">The destination.</param>
/// <param name="LastProbe">When it was probed last; null where never.</param>
/// <param name="Keys">What is shown now and not trusted; where nothing is, the candidates.</param>
internal sealed record PinReviewJson(string Key, DateTimeOffset? LastProbe, IReadOnlyList<ReviewedKeyJson> Keys)
{
    internal static PinReviewJson From(PinReview review, PostfixSettings postfix, PinProbeState known, DateTimeOffset now) => new(
        review.Entry.Key.Text, review.Probed?.LastProbe,
        [.. review.Keys.Select(key => ReviewedKeyJson.From(review, key, PinJson.Of(review.Entry, postfix, known), postfix.FingerprintDigest, now))]);
}

/// <summary>A key that waits for a decision, beside the one that it would follow.</summary>
/// <param name="Pin">The pin that would be approved.</param>
/// <param name="Verdict"><c>odd</c>, <c>unclear</c>, <c>renewal</c>, <c>same-public-key</c> or <c>dane</c>.</param>
/// <param name="Sentence">The verdict in words.</param>
/// <param name="InFavour">What speaks for the key.</param>
/// <param name="Against">What speaks against it.</param>
/// <param name="Unknown">What is missing for a better verdict.</param>
/// <param name="New">The certificate; null where no probe has seen it.</param>
/// <param name="Old">The certificate of the key that it would follow; null where none was seen.</param>
/// <param name="OldSeenAt">Where that was seen.</param>
/// <param name="OldDecision">The decision that serves the old key.</param>
/// <param name="Decision">An earlier decision about the key; null where there was none.</param>
/// <param name="AlsoBy">The other destinations that show it at the same MX hosts: those of <c>--everywhere</c>.</param>
/// <param name="PartnerText">A text for the partner; null where no probe has seen the key.</param>
internal sealed record ReviewedKeyJson(
    PinJson Pin, string Verdict, string Sentence, IReadOnlyList<string> InFavour, IReadOnlyList<string> Against, IReadOnlyList<string> Unknown,
    CertificateJson? New, CertificateJson? Old, IReadOnlyList<PresentationJson> OldSeenAt, PinEvidence? OldDecision, PinEvidence? Decision,
    IReadOnlyList<string> AlsoBy, string? PartnerText)
{
    internal static ReviewedKeyJson From(PinReview review, ReviewedKey key, IReadOnlyList<PinJson> pins, DigestAlgorithm digest, DateTimeOffset now)
    {
        var frame = new CertificateFrame(digest, [.. review.Entry.Pins.Where(pin => pin.IsServed)], now);
        return new ReviewedKeyJson(
            pins.First(pin => pin.Fingerprint == key.Pin.Fingerprint.Hex),
            key.Verdict.Kind.Name(), key.Verdict.Sentence, key.Verdict.For, key.Verdict.Against, key.Verdict.Unknown,
            Of(key.Facts.New, frame), Of(key.Facts.Old, frame),
            [
                .. key.Facts.Old?.Places.Select(place => new PresentationJson(
                    place.MxHost, place.Target.Address.ToString(), place.Target.Port, place.Target.ServerName, place.First, place.Last, place.IsCurrent,
                    key.Facts.Old.Certificate.NotAfter)) ?? [],
            ],
            key.OldDecision, key.Earlier,
            [.. key.AlsoBy.Select(other => other.Text)],
            key.Facts.New is { } shown
                ? string.Join('\n', Administration.PinDecisions.PartnerText.Of(review.Entry.Key, shown, digest).Select(line => ShownText.Escape(line)))
                : null);
    }

    private static CertificateJson? Of(ShownKey? key, CertificateFrame frame)
    {
        if (key is null)
            return null;
        var place = key.Places.OrderByDescending(one => one.IsCurrent).ThenByDescending(one => one.Last).First();
        return CertificateJson.From(key.Certificate, place.MxHost, frame) with
        {
            CoversMx = key.CoversHosts,
            Chain = (key.IsTrusted ? ChainVerdict.Trusted : ChainVerdict.NotTrusted).Name(),
            ChainDetail = key.Places.Select(one => one.ChainDetail).OfType<string>().FirstOrDefault(),
            Dane = place.Dane.Name(),
            FirstSeen = key.First,
            LastSeen = key.Last,
            Probes = key.Places.Sum(one => one.Probes),
        };
    }
}
