using System.Globalization;
using PolicyDaemon.Administration;
using PolicyDaemon.Administration.PinDecisions;
using PolicyDaemon.Cli.Commands.Status;
using PolicyDaemon.Cli.Output;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Runtime;

namespace PolicyDaemon.Cli.Commands.Pins;

/// <summary>The keys that wait for a decision on a screen of 80 columns: beside the old one each, with the verdict, the fingerprints for the
/// telephone and a text for the partner.</summary>
internal static class PinReviewText
{
    private const int MostNames = 6;
    private const int MostOthers = 12;

    /// <param name="waiting">How much mail waits, a sentence; null where none does, or where that is not known.</param>
    internal static void Write(Report report, PinReview review, DigestAlgorithm digest, DateTimeOffset now, string? waiting)
    {
        for (var i = 0; i < review.Keys.Length; i++)
        {
            if (i > 0)
                report.Line();
            Write(report, review, review.Keys[i], review.Keys.Length > 1 ? i + 1 : null, digest, now, waiting);
        }

        if (!review.Others.IsEmpty)
        {
            report.Line();
            var (shown, more) = (review.OthersShown, review.Others.Length - review.OthersShown);
            string[] parts =
            [
                .. shown == 0 ? (string[])[] : [$"{Phrases.Count(shown, "more key", "more keys")} that {(shown == 1 ? "is" : "are")} shown now"],
                .. more == 0 ? (string[])[] : [$"{Phrases.Count(more, "more candidate", "more candidates")}, which no server shows now"],
            ];
            report.Line($"{string.Join(", and ", parts)}: policyctl pin list {Core.Destinations.Shell.Quote(review.Entry.Key.Text)}");
        }
    }

    /// <summary>The destinations that would be decided about, too.</summary>
    internal static string Others(IReadOnlyList<string> keys) => keys.Count <= MostOthers
        ? string.Join(", ", keys)
        : string.Create(CultureInfo.InvariantCulture, $"{string.Join(", ", keys.Take(MostOthers))} and {keys.Count - MostOthers} more (--dry-run lists them)");

    private static void Write(Report report, PinReview review, ReviewedKey key, int? number, DigestAlgorithm digest, DateTimeOffset now, string? waiting)
    {
        var (facts, verdict) = (key.Facts, key.Verdict);
        report.Line($"{(number is null ? "" : string.Create(CultureInfo.InvariantCulture, $"{number}. "))}{Title(key)} for {review.Entry.Key.ToDisplayString()}", Tone.Heading);
        var rows = Rows(key, now);
        if (facts.Old is not null && facts.New is not null)
            report.Beside("TRUSTED NOW", "NEW", rows);
        else
            report.Block([.. rows.Select(row => (row.Name, facts.New is null ? row.Left : row.Right)).Where(fact => fact.Item2.Text.Length > 0)], rows.Max(row => row.Name.Length));
        report.Line();
        if (!key.IsOffered)
        {
            report.Line("  Its fingerprint:");
            foreach (var line in PartnerText.Groups(key.Pin.Fingerprint))
                report.Line("    " + line);
        }
        else if (facts.New is { } shown)
        {
            report.Line("  For the partner, to read out or to send:");
            foreach (var line in PartnerText.Of(review.Entry.Key, shown, digest))
                report.Line("    " + line);
        }
        else
        {
            foreach (var line in PartnerText.Groups(key.Pin.Fingerprint))
                report.Line("  " + line);
        }

        report.Line();
        List<(string, Cell)> said = [];
        if (key.Earlier is { } earlier)
            said.Add(("decided", $"{key.Pin.State.Name()}; {UtcTime.Text(earlier.Time)} by {earlier.Describe()}"));
        if (key.AlsoBy.Count > 0)
            said.Add(("also at", $"{Others([.. key.AlsoBy.Select(other => other.ToDisplayString())])}: the same MX hosts show it to them, and --everywhere decides for all"));
        if (facts.LastProbe is { } probed)
            said.Add(("probed", $"{UtcTime.Text(probed)}{(FindingText.Age(now - probed) is var age && age == "just now" ? ", just now" : $", {age} ago")}"));
        if (waiting is not null)
            said.Add(("mail", new Cell(waiting, Tone.Caution)));
        said.AddRange(Said(verdict));
        said.Add(("", verdict.Advice + "."));
        report.Block(said, "verdict".Length, 2);
    }

    /// <summary>The verdict; of several things that speak against a key each has a line of its own.</summary>
    private static IEnumerable<(string, Cell)> Said(KeyVerdict verdict)
    {
        var tone = ToneOf(verdict.Kind);
        if (verdict is not { Kind: KeyVerdictKind.Odd, Against.Length: > 1 })
            return [("verdict", new Cell(verdict.Sentence, tone))];
        return
        [
            ("verdict", new Cell("odd:", tone)), .. verdict.Against.Select(reason => ("", new Cell("- " + reason, tone))),
            .. verdict.For.IsEmpty ? ((string, Cell)[])[] : [("", $"in its favour: {string.Join("; ", verdict.For)}")],
        ];
    }

    private static string Title(ReviewedKey key) => key.Pin.State switch
    {
        PinState.Candidate => "A new key",
        PinState.Retired => "A key that was retired",
        var refused => $"A key that was {refused.Name()}",
    };

    private static List<Compared> Rows(ReviewedKey key, DateTimeOffset now)
    {
        var (old, shown) = (key.Facts.Old, key.Facts.New);
        return
        [
            new("issuer", Of(old, Issuer), Of(shown, Issuer)),
            new("names", Of(old, Names), Of(shown, Names)),
            new("valid", Of(old, Valid), Of(shown, Valid)),
            new("ends", Of(old, one => End(one, now)), Of(shown, one => End(one, now))),
            new("key", Of(old, one => Phrases.PublicKey(one.Certificate)), Of(shown, one => Phrases.PublicKey(one.Certificate))),
            new("chain", Of(old, Chain), Of(shown, Chain)),
            new("DANE", Of(old, Dane), Of(shown, Dane)),
            new("MX host", Of(old, one => string.Join(", ", one.Hosts)), Of(shown, one => string.Join(", ", one.Hosts))),
            new("address", Of(old, one => string.Join(", ", one.Addresses)), Of(shown, one => string.Join(", ", one.Addresses))),
            new("first seen", Of(old, one => UtcTime.Text(one.First)), Of(shown, one => UtcTime.Text(one.First))),
            new("last seen", Of(old, one => Last(one)), Of(shown, one => Last(one))),
            new("pinned", key.OldPin is { } pin ? $"{pin.State.Name()}, {pin.Strength?.Name() ?? "-"}{(key.OldDecision is { } by ? $", by {by.Describe()}" : "")}" : "", $"not yet, {key.Pin.State.Name()} since {key.Pin.Since:yyyy-MM-dd}"),
        ];
    }

    private static Cell Of(ShownKey? key, Func<ShownKey, string> fact) => key is null ? "" : fact(key);

    private static string Issuer(ShownKey key) => key.IsIssuedByItself ? "itself (self-signed)" : Phrases.Cut(key.Certificate.Issuer, 120);

    private static string Names(ShownKey key)
    {
        var names = key.Certificate.Names;
        return names.IsEmpty ? "none" : string.Join(", ", names.Take(MostNames).Select(name => Phrases.Cut(name, 60)))
            + (names.Length > MostNames ? string.Create(CultureInfo.InvariantCulture, $" and {names.Length - MostNames} more") : "");
    }

    private static string Valid(ShownKey key) =>
        string.Create(CultureInfo.InvariantCulture, $"{key.Certificate.NotBefore:yyyy-MM-dd} to {key.Certificate.NotAfter:yyyy-MM-dd}");

    private static string End(ShownKey key, DateTimeOffset now)
    {
        var days = Phrases.DaysUntil(key.Certificate.NotAfter, now);
        return days < 0 ? $"ended {Phrases.Count(-days, "day")} ago" : days == 0 ? "today" : $"in {Phrases.Count(days, "day")}";
    }

    private static string Chain(ShownKey key) =>
        (key.IsTrusted ? "trusted" : "not trusted" + (key.Places.Select(place => place.ChainDetail).OfType<string>().FirstOrDefault() is { } detail ? $": {Phrases.Cut(detail, 80)}" : ""))
        + (key.CoversHosts ? ", for the MX host's name" : ", not for the MX host's name");

    private static string Dane(ShownKey key) => string.Join(", ", key.Places.Select(place => place.Dane).Distinct().Select(verdict => verdict switch
    {
        DaneVerdict.Match => "a TLSA record matches",
        DaneVerdict.Mismatch => "TLSA records do not match",
        DaneVerdict.Unusable => "no TLSA record is usable",
        DaneVerdict.Unknown => "the lookup failed",
        DaneVerdict.Unjudged => "cannot be told, no trusted resolver",
        _ => "no TLSA record",
    }));

    private static string Last(ShownKey key) =>
        UtcTime.Text(key.Last) + $", {Phrases.Count(key.Places.Sum(place => (long)place.Probes), "probe")}" + (key.IsCurrent ? "" : ", not shown now");

    private static Tone ToneOf(KeyVerdictKind kind) => kind switch
    {
        KeyVerdictKind.Odd => Tone.Bad,
        KeyVerdictKind.Unclear => Tone.Caution,
        _ => Tone.Good,
    };
}
