using PolicyDaemon.Administration.Reports;
using PolicyDaemon.Core.Audit;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Pages.Layout;
using PolicyDaemon.Pages.Markup;

namespace PolicyDaemon.Pages.Reports;

/// <summary>The entries of a report: the answer, the pins with their strength, and how these came to be what they are.</summary>
internal static class ReportEntries
{
    private const int ShownDigits = 16;

    internal static void Write(TextWriter output, AuditReport report)
    {
        var none = true;
        foreach (var entry in report.Entries())
        {
            output.Write(Of(entry, report.Scope));
            none = false;
        }

        if (none)
            output.Write(Html.Of($"<p>There are none.</p>\n"));
    }

    /// <summary>The beginning of a fingerprint, with the whole of it on demand.</summary>
    internal static Html Fingerprint(string hex) =>
        Html.Of($"<code title=\"{hex}\">{(hex.Length > ShownDigits ? hex[..ShownDigits] + "…" : hex)}</code>");

    private static Html Of(ReportedEntry reported, ReportScope scope) =>
        scope.Key is null && reported is { Entry: { Until: null, Note: null } plain, Pins.Count: 0 } ? Plain(plain, reported) : Whole(reported, scope);

    /// <summary>Most entries have neither pins nor anything to remark: two lines.</summary>
    private static Html Plain(Destination entry, ReportedEntry reported) => Html.Of(
        $"""
        <article class="entry plain">
        <h3><bdi>{reported.Key}</bdi></h3>
        <p class="answer"><code>{reported.Last.AnswerAfter ?? entry.Policy.Level.Name()}</code>{(entry.Observe ? " (only observed, not enforced)" : "")}</p>
        <p class="small muted">At level {entry.Policy.Level.Name()}{Since(reported.LevelSince)}{(reported.LevelSince == reported.Last ? Html.Empty : Html.Of($"; last change {Pieces.Time(reported.Last.Time)} by <bdi>{reported.Last.Actor.ToString()}</bdi>, change {reported.Last.ChangeId}"))}{Because(reported.Last.Reason)}</p>
        </article>

        """);

    private static Html Whole(ReportedEntry reported, ReportScope scope) => Html.Of(
        $"""
        <article class="entry">
        <h3><bdi>{reported.Key}</bdi></h3>
        {(reported.Entry is { } entry ? Facts(entry, reported, scope) : Gone(reported))}
        {(reported.Pins.Count == 0 ? Html.Empty : Pins(reported, scope))}
        </article>

        """);

    private static Html Gone(ReportedEntry reported) => reported.IsReadable
        ? Html.Of($"<p>Removed {Pieces.Time(reported.Last.Time)} by <bdi>{reported.Last.Actor.ToString()}</bdi>, change {reported.Last.ChangeId}{Because(reported.Last.Reason)}.</p>")
        : Html.Of($"<p class=\"notice\">Row {reported.Last.Sequence} of the log describes it in words that this version cannot read.</p>");

    private static Html Facts(Destination entry, ReportedEntry reported, ReportScope scope) => Html.Of(
        $"""
        <dl class="facts">
        <dt>Answer</dt><dd>{(reported.Last.AnswerAfter is { } answer ? Html.Of($"<code>{Html.Whole(answer)}</code>") : Html.Of($"none"))}{(entry.Observe ? Html.Of($" (only observed, not enforced)") : Html.Empty)}</dd>
        <dt>Level</dt><dd>{entry.Policy.Level.Name()}{Since(reported.LevelSince)}</dd>
        {(entry.Policy.Level.MatchesFingerprints() ? Html.Of($"<dt>Pins follow by</dt><dd>mode {entry.Mode.Name()}</dd>\n") : Html.Empty)}{(entry.Until is { } until ? Html.Of($"<dt>Ends</dt><dd>{Pieces.Time(until)}{(until <= scope.AsOf ? ", which had come" : "")}</dd>\n") : Html.Empty)}{(entry.Note is { } note ? Html.Of($"<dt>Note</dt><dd><bdi>{note}</bdi></dd>\n") : Html.Empty)}<dt>Last change</dt><dd>{Pieces.Time(reported.Last.Time)} by <bdi>{reported.Last.Actor.ToString()}</bdi>, change {reported.Last.ChangeId}{Because(reported.Last.Reason)}</dd>
        </dl>
        """);

    private static Html Since(AuditRow? row) => row is null
        ? Html.Empty
        : Html.Of($", since {Pieces.Time(row.Time)} by <bdi>{row.Actor.ToString()}</bdi>, change {row.ChangeId}");

    private static Html Because(string? reason) => reason is null ? Html.Empty : Html.Of($": <bdi>{reason}</bdi>");

    private static Html Pins(ReportedEntry reported, ReportScope scope) => Html.Of(
        $"""
        <table class="pins">
        <caption>Pins</caption>
        <thead><tr><th scope="col"></th><th scope="col">Fingerprint</th><th scope="col">State</th><th scope="col">Since</th><th scope="col">Strength</th></tr></thead>
        <tbody>{reported.Pins.Select((history, number) => Pin(history, number + 1))}</tbody>
        </table>
        {PinTimeline.Of(reported, scope.AsOf)}
        <table class="decisions">
        <caption>Decisions about them</caption>
        <thead><tr><th scope="col">Time</th><th scope="col">Pin</th><th scope="col">State</th><th scope="col">By</th><th scope="col">Reason</th></tr></thead>
        <tbody>{reported.Pins.SelectMany((history, number) => history.Decisions.Select(decision => (decision, Number: number + 1)))
            .OrderBy(pair => pair.decision.At).ThenBy(pair => pair.Number).Select(pair => Decision(pair.decision, pair.Number))}</tbody>
        </table>
        """);

    private static Html Pin(PinHistory history, int number) => Html.Of(
        $"""
        <tr><th scope="row">{number}</th><td><code class="hash">{history.Pin.Fingerprint.Hex}</code>{Subject(history.Pin.Subject)}</td><td class="nowrap">{State(history.State)}</td><td>{(history.Decisions is [.., var last] ? Pieces.Minute(last.At) : Html.Empty)}</td><td class="nowrap">{ReportCover.Strength(history.Pin.Strength)}</td></tr>
        """);

    private static Html Subject(PinSubject subject) => subject == PinSubject.Unknown ? Html.Empty
        : Html.Of($" <span class=\"muted small\">of the {(subject == PinSubject.PublicKey ? "public key" : "certificate")}</span>");

    private static Html State(PinState? state) => state is { } known
        ? Html.Of($"{known.Name()}{(known.IsServed() ? Html.Of($" <span class=\"muted\">(served)</span>") : Html.Empty)}")
        : Html.Of($"<span class=\"muted\">not kept</span>");

    private static Html Decision(PinDecisionPast decision, int number) => Html.Of(
        $"""
        <tr><td>{Pieces.Minute(decision.At)}</td><td>{number}</td><td class="nowrap">{decision.From ?? "new"} → {decision.To ?? "not kept"}</td><td><bdi>{decision.Actor.ToString()}</bdi>{(decision.Rule is { } rule ? Html.Of($", rule {rule}") : Html.Empty)}, change {decision.Change}</td><td><bdi>{decision.Reason}</bdi></td></tr>
        """);
}
