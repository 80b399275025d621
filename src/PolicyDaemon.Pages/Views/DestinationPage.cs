using PolicyDaemon.Administration;
using PolicyDaemon.Administration.Explaining;
using PolicyDaemon.Administration.Forecast;
using PolicyDaemon.Administration.Timeline;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Rotation;
using PolicyDaemon.Pages.Layout;
using PolicyDaemon.Pages.Markup;
using PolicyDaemon.Pages.Pictures;

namespace PolicyDaemon.Pages.Views;

/// <summary>Why a destination is as it is: the answer, its keys at each address, how they followed one another, the last dialogue.</summary>
public static class DestinationPage
{
    public static Page Of(DestinationReport report)
    {
        ArgumentNullException.ThrowIfNull(report);
        var colours = KeyColours.Of(report.Timeline);
        return new Page(
            report.Key.ToDisplayString(), SiteSection.Destinations,
            Html.Of($"{Findings(report)}{Answer(report)}{Addresses(report, colours)}{Timeline(report, colours)}{Pins(report)}{Dialogue(report)}"))
        {
            At = report.At,
        };
    }

    /// <summary>What Postfix is told of a key that the store knows nothing of.</summary>
    public static Page Unknown(DestinationReport report)
    {
        ArgumentNullException.ThrowIfNull(report);
        return new Page(
            "No such destination", SiteSection.Destinations,
            Html.Of($"<p>The store has no entry <bdi>{report.Key.Text}</bdi>, and nothing was discovered of it.</p>{Answer(report)}"))
        {
            At = report.At,
        };
    }

    private static Html Findings(DestinationReport report) => report.Findings.IsEmpty
        ? Html.Empty
        : Html.Of($"<section aria-label=\"Open findings\"><ol class=\"causes\">{report.Findings.OrderBy(finding => finding.Severity).Select(finding => Finding(finding, report))}</ol></section>");

    private static Html Finding(Finding finding, DestinationReport report) => Html.Of(
        $"""
        <li class="{finding.Severity.Name()}">
        <p><span class="severity">{OverviewPage.Severity(finding.Severity)}</span> · {(report.FindingIds.TryGetValue(finding.Kind, out var id) ? Html.Of($"<a href=\"/findings/{id}\">{finding.Kind.Name()}</a>") : Html.Of($"{finding.Kind.Name()}"))} <span class="since">since {Pieces.Minute(finding.Since)}</span></p>
        <p><bdi>{Phrases.Cut(finding.Detail, 280)}</bdi></p>{Pieces.Command(finding.Remedy)}
        </li>
        """);

    private static Html Answer(DestinationReport report)
    {
        var explanation = report.Explanation;
        var facts = new List<(string, Html)>
        {
            ("answer", Html.Of($"<code>{Html.Whole(explanation.Answer.ToDisplayString())}</code>")),
            ("mail", Html.Of($"{DeliverySentence.Of(explanation, report.Settings)}")),
        };
        if (report.Probed is { } probed)
            facts.Add(("verdict", Verdict(probed, report)));
        if (report.Entry is { } entry)
        {
            facts.Add(("entry", Html.Of($"level {entry.Policy.Level.Name()}, mode {entry.Mode.Name()}{(entry.Observe ? ", only observed" : "")}{(entry.Until is { } until ? Html.Of($", until {Pieces.Minute(until)}") : Html.Empty)}")));
            if (entry.Note is { } note)
                facts.Add(("note", Html.Of($"<bdi>{note}</bdi>")));
        }

        // A column of nothing but its name would take the eye to the far end of the page.
        var isReasoned = explanation.Keys.Any(key => Why(key).Length > 0);
        facts.Add(("changes", Html.Of($"<a href=\"/audit?key={Uri.EscapeDataString(report.Key.Text)}\">its rows of the audit log</a>")));
        return Html.Of(
            $"""
            <section aria-labelledby="answer-title">
            <h2 id="answer-title">What Postfix is told, and why</h2>
            {MachineryFacts.Facts(facts)}
            <table class="stack"><caption>Postfix asks in this order, until one is found</caption>
            <thead><tr><th scope="col">key</th><th scope="col">answer</th>{(isReasoned ? Html.Of($"<th scope=\"col\">why</th>") : Html.Empty)}</tr></thead>
            <tbody>{explanation.Keys.Select(key => Asked(key, explanation, isReasoned))}</tbody></table>
            <p class="small muted">What the running daemon says: <code>policyctl query {Shell.Quote(report.Key.Text)}</code>; what servers say now: <code>policyctl probe {Shell.Quote(report.Key.Text)}</code></p>
            </section>
            """);
    }

    // The sentence begins with the name of the verdict, if there is one.
    private static Html Verdict(ProbeState probed, DestinationReport report)
    {
        var sentence = VerdictSentence.Of(probed, report.Entry?.Observe == true, report.Key.Text, report.At);
        return probed.Verdict is { } verdict && sentence.StartsWith(verdict.Name(), StringComparison.Ordinal)
            ? Html.Of($"{DestinationsPage.Verdict(verdict)}{sentence[verdict.Name().Length..]}")
            : Html.Of($"{sentence}");
    }

    private static string Why(ExplainedKey key) => key.Asked ? AnswerReason.Of(key).TrimStart(':', ' ', ',') : "";

    private static Html Asked(ExplainedKey key, Explanation explanation, bool isReasoned)
    {
        var decides = ReferenceEquals(key, explanation.Decisive);
        return Html.Of(
            $"""
            <tr><th scope="row"><bdi>{key.Key.Text}</bdi>{(decides ? Html.Of($" <strong>decides</strong>") : Html.Empty)}</th>
            <td>{(key.Asked ? Html.Of($"<code>{Html.Whole(key.Answer.ToDisplayString())}</code>") : Html.Of($"<span class=\"muted\">not asked any more</span>"))}</td>
            {(isReasoned ? Html.Of($"<td>{Why(key)}</td>") : Html.Empty)}</tr>
            """);
    }

    private static Html Addresses(DestinationReport report, KeyColours colours)
    {
        if (report.Probed is not { Addresses.IsEmpty: false } probed)
            return Html.Empty;
        var algorithms = probed.Addresses.SelectMany(address => address.History.Algorithms).Distinct().Order().ToList();
        if (algorithms.Count == 0)
            algorithms.Add(KeyAlgorithm.Rsa);
        return Html.Of(
            $"""
            <section aria-labelledby="addresses-title">
            <h2 id="addresses-title">Keys at each address</h2>
            <div class="scroll" tabindex="0" role="region" aria-label="Addresses and keys">
            <table class="stack"><thead><tr><th scope="col">MX host</th><th scope="col">address</th>{algorithms.Select(algorithm => Html.Of($"<th scope=\"col\">{Phrases.Algorithm(algorithm)}</th>"))}<th scope="col">last probe</th></tr></thead>
            <tbody>{probed.Addresses.OrderByDescending(address => address.Listed).Select(address => Address(address, algorithms, report, colours))}</tbody></table></div>
            </section>
            """);
    }

    private static Html Address(MxAddress address, List<KeyAlgorithm> algorithms, DestinationReport report, KeyColours colours) => Html.Of(
        $"""
        <tr><th scope="row"><bdi>{address.MxHost}</bdi>{(address.Listed ? Html.Empty : Html.Of($" <span class=\"muted small\">not listed any more</span>"))}</th><td><code>{address.History.Target.Id}</code></td>
        {algorithms.Select(algorithm => Html.Of($"<td data-name=\"{Phrases.Algorithm(algorithm)}\">{Cell(address.History.Latest(algorithm), report, colours)}</td>"))}
        <td data-name="last probe">{(address.History.LastAttempt is { } last ? Html.Of($"{address.History.LastOutcome.Name()}<br><span class=\"small muted\">{Pieces.Minute(last)}</span>") : Html.Of($"<span class=\"muted\">none</span>"))}</td></tr>
        """);

    private static Html Cell(CertificateRun? run, DestinationReport report, KeyColours colours)
    {
        if (run is null)
            return Html.Of($"<span class=\"muted\">never</span>");
        if (run.Certificate is not { } certificate)
            return Html.Of($"<span class=\"muted\">none since {Pieces.Day(run.First)}</span>");
        var pin = report.Entry?.Pins.Where(own => certificate.Matches(own.Fingerprint)).OrderByDescending(own => own.IsServed).FirstOrDefault();
        var state = pin is null ? Html.Of($"<span class=\"muted\">no pin</span>")
            : pin.IsServed ? Html.Of($"<span class=\"good\">{pin.State.Name()}</span>")
            : Html.Of($"<span class=\"caution\">{pin.State.Name()}</span>");
        var days = Phrases.DaysUntil(certificate.NotAfter, report.At);
        return Html.Of(
            $"{colours.Key(KeyTimeline.CodeOf(certificate))} {state}<br><span class=\"small{(days < 7 ? " bad" : " muted")}\">{(days < 0 ? "ended " : $"{Phrases.Count(days, "day")} left, ")}{Pieces.Day(certificate.NotAfter)}</span>");
    }

    private static Html Timeline(DestinationReport report, KeyColours colours) =>
        report.Timeline is { Keys.IsEmpty: true, Decisions.IsEmpty: true }
            ? Html.Empty
            : Html.Of($"<section aria-labelledby=\"timeline-title\"><h2 id=\"timeline-title\">How its keys followed one another</h2>{RotationPicture.Of(report.Timeline, colours)}</section>");

    private static Html Pins(DestinationReport report)
    {
        if (report.Entry is not { Pins.IsEmpty: false } entry)
            return Html.Empty;
        var selection = PinSelection.Of(entry, report.Settings.Postfix);
        return Html.Of(
            $"""
            <section aria-labelledby="pins-title">
            <h2 id="pins-title">Pins</h2>
            <table class="stack"><thead><tr><th scope="col">fingerprint</th><th scope="col">of</th><th scope="col">state</th><th scope="col">trust</th><th scope="col">since</th><th scope="col">served</th></tr></thead>
            <tbody>{entry.Pins.OrderByDescending(pin => pin.IsServed).ThenByDescending(pin => pin.Since).Take(MostPins).Select(pin => Pin(pin, PinAnswer.WhyLeftOut(entry, selection, pin)))}</tbody></table>
            {(entry.Pins.Length > MostPins ? Html.Of($"<p class=\"small muted\">{MostPins} of {entry.Pins.Length}: <code>policyctl pin list {Shell.Quote(report.Key.Text)}</code></p>") : Html.Empty)}
            </section>
            """);
    }

    private const int MostPins = 60;

    private static Html Pin(Pin pin, string? leftOut) => Html.Of(
        $"<tr><th scope=\"row\"><code>{pin.Fingerprint.Hex}</code></th><td class=\"nowrap\">{pin.Subject.Name()}</td><td>{pin.State.Name()}</td><td>{(pin.State == PinState.Candidate ? "" : pin.Strength?.Name())}</td><td data-name=\"since\">{Pieces.Minute(pin.Since)}</td><td data-name=\"served\">{(leftOut is null ? "yes" : "no: " + leftOut)}</td></tr>");

    private static Html Dialogue(DestinationReport report) => report.LastDialogue is not { } dialogue
        ? Html.Empty
        : Html.Of(
            $"""
            <section aria-labelledby="dialogue-title">
            <h2 id="dialogue-title">The last dialogue</h2>
            <p>With <bdi>{dialogue.MxHost}</bdi>, <code>{dialogue.Target.Id}</code>, at {Pieces.Time(dialogue.At)}: {dialogue.Outcome.Name()}{(dialogue.Outcome == ProbeOutcome.Secured ? "" : $" in {dialogue.Stage.Name()}")}{(dialogue.Detail is { } detail ? Html.Of($"; <bdi>{detail}</bdi>") : Html.Empty)}</p>
            <pre tabindex="0" aria-labelledby="dialogue-title">{Html.Join(dialogue.Transcript.Take(MostLines).Select(line => Html.Of($"<bdi>{line}</bdi>{NewLine}")))}</pre>
            </section>
            """);

    private const int MostLines = 100;

    // A line feed in a hole would be shown as its picture.
    private static readonly Html NewLine = Html.Of(
        $"""


        """);
}
