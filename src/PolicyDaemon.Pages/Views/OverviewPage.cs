using PolicyDaemon.Administration;
using PolicyDaemon.Administration.Status;
using PolicyDaemon.Administration.Survey;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Rotation;
using PolicyDaemon.Pages.Layout;
using PolicyDaemon.Pages.Markup;
using PolicyDaemon.Pages.Pictures;

namespace PolicyDaemon.Pages.Views;

/// <summary>The first page, in the order of the questions that people have: is mail stopped or about to be, what changes next, does the machinery live.</summary>
public static class OverviewPage
{
    // Of each severity; the others are folded away, so that the pictures are not pushed far down.
    private const int MostInSight = 5;
    private const int MostMoving = 12;
    private const int MostOfDetail = 280;
    private const int RowsOfMinutes = 10;
    private const int RowsOfDay = 24;

    /// <param name="status">The status.</param>
    /// <param name="survey">What was counted last; null where that is under way for the first time.</param>
    public static Page Of(StatusReport status, StoreSurvey? survey)
    {
        ArgumentNullException.ThrowIfNull(status);
        return new Page("Overview", SiteSection.Overview, Html.Of($"{Mail(status)}{Next(status, survey)}{Machinery(status)}{Store(status, survey)}"))
        {
            At = status.At,
            Notice = status.StoreProblem is { } problem ? Html.Of($"The store cannot be read: {problem.Message}") : null,
        };
    }

    /// <summary>The findings that need a person, the worst first, with the commands that settle them.</summary>
    private static Html Mail(StatusReport status)
    {
        if (status.Open is not { Causes: var causes })
        {
            return Html.Of(
                $"""
                <section id="mail" data-refresh aria-labelledby="mail-title">
                <h2 id="mail-title">Is mail stopped, or about to be?</h2>
                <p class="judgement unknown">That is not known yet: what is open is being counted.</p>
                <p class="muted">It shows by itself, or when the page is loaded again. <code>policyctl status</code> says it now.</p>
                </section>
                """);
        }

        var judgement = StatusJudgement.Of(status, causes);
        var rest = causes.NeedPerson - causes.Shown.Count(cause => cause.NeedsPerson);
        var information = causes.Count(FindingSeverity.ForInformation);
        return Html.Of(
            $"""
            <section id="mail" data-refresh aria-labelledby="mail-title">
            <h2 id="mail-title">Is mail stopped, or about to be?</h2>
            <p class="judgement {judgement.Health.ToString().ToLowerInvariant()}">{Sentence(judgement, causes)}</p>
            {causes.Shown.Where(cause => cause.NeedsPerson).GroupBy(cause => cause.Severity).Select(group => Causes(group.Key, [.. group]))}
            {(rest > 0 ? Html.Of($"<p class=\"muted\">{Phrases.Count(rest, "more cause")} that this page leaves out: <code>policyctl status</code></p>") : Html.Empty)}
            {(information > 0 ? Html.Of($"<p class=\"muted small\">{Phrases.Count(information, "finding")} for information: <code>policyctl status --all</code></p>") : Html.Empty)}
            </section>
            """);
    }

    private static Html Causes(FindingSeverity severity, List<StatusCause> causes)
    {
        // One alone takes no more room than the line that it would be folded behind.
        var inSight = causes.Count == MostInSight + 1 ? causes.Count : Math.Min(causes.Count, MostInSight);
        var folded = causes.Count - inSight;
        return Html.Of(
            $"""
            <ol class="causes">{causes.Take(inSight).Select(Cause)}</ol>
            {(folded == 0 ? Html.Empty : Html.Of($"<details class=\"more\"><summary>{Severity(severity)}: {folded} more</summary><ol class=\"causes\" start=\"{inSight + 1}\">{causes.Skip(inSight).Select(Cause)}</ol></details>"))}
            """);
    }

    // The list below names them.
    private static string Sentence(StatusJudgement judgement, OpenCauses open) => (judgement.Health, open.NeedPerson) switch
    {
        (StatusHealth.Critical, > 0) when judgement.Text.StartsWith("mail of ", StringComparison.Ordinal) && judgement.Text.IndexOf(':', StringComparison.Ordinal) is > 0 and var colon =>
            $"{char.ToUpperInvariant(judgement.Text[0])}{judgement.Text[1..colon]}.",
        (StatusHealth.Warning, > 0) when open.Count(FindingSeverity.MailWillWait) > 0 => "No mail waits by these findings; some will, unless somebody acts.",
        (StatusHealth.Warning, > 0 and var count) => $"No mail waits by these findings. {Phrases.Count(count, "thing")} to look at.",
        (StatusHealth.Ok, _) => $"No: {judgement.Text}.",
        // It begins with the program's name, as a rule, which is written as it is.
        _ => judgement.Text,
    };

    private static Html Cause(StatusCause cause) => Html.Of(
        $"""
        <li class="{cause.Severity.Name()}">
        <p><span class="severity">{Severity(cause.Severity)}</span> · {Link(cause)} · <bdi>{Pieces.Name(cause.Whom)}</bdi> <span class="since">since {Pieces.Minute(cause.Since)}{(cause.WaitingMessages is > 0 and var waiting ? $", {Phrases.Count(waiting, "message")} waiting" : "")}</span></p>
        <p><bdi>{Phrases.Cut(cause.Detail, MostOfDetail)}</bdi></p>
        {Pieces.Command(cause.Remedy)}
        </li>
        """);

    private static Html Link(StatusCause cause) =>
        cause.Id is { } id ? Html.Of($"<a href=\"/findings/{id}\">{cause.Kind.Name()}</a>") : Html.Of($"{cause.Kind.Name()}");

    internal static string Severity(FindingSeverity severity) => severity switch
    {
        FindingSeverity.MailWaits => "Mail waits",
        FindingSeverity.MailWillWait => "Mail will wait",
        FindingSeverity.LookAtIt => "Look at it",
        _ => "For information",
    };

    private static Html Next(StatusReport status, StoreSurvey? survey)
    {
        if (status.StoreProblem is not null)
            return Html.Empty;
        return Html.Of(
            $"""
            <section id="next" data-refresh aria-labelledby="next-title">
            <h2 id="next-title">What changes next?</h2>
            {(survey is null ? Counting() : Html.Of($"<h3>Certificates that end</h3>{ExpiryLane.Of(survey.Ending, status.At)}<h3>Pins</h3>{MovingLane.Of(survey.Moving, status.At, MostMoving)}"))}
            {Temporary(status)}
            </section>
            """);
    }

    private static Html Temporary(StatusReport status) => status.Temporary.Count == 0
        ? Html.Empty
        : Html.Of(
            $"""
            <h3>Entries that end by themselves</h3>
            <table class="stack"><thead><tr><th scope="col">destination</th><th scope="col">level</th><th scope="col">until</th></tr></thead>
            <tbody>{status.Temporary.Take(MostMoving).Select(entry => Html.Of($"<tr><th scope=\"row\">{Pieces.Destination(entry.Key.Text)}</th><td>{entry.Policy.Level.Name()}</td><td>{Pieces.Minute(entry.Until ?? default)}</td></tr>"))}</tbody></table>
            """);

    private static Html Machinery(StatusReport status) => Html.Of(
        $"""
        <section id="machinery" data-refresh aria-labelledby="machinery-title">
        <h2 id="machinery-title">Does the machinery live?</h2>
        {(status.Said is { } said ? Html.Of($"<div class=\"two\">{LookupChart.Of("Lookups per second, the last 5 minutes", said.Seconds, RowsOfMinutes)}{LookupChart.Of("Lookups per second, the last 24 hours", said.Minutes, RowsOfDay)}</div>") : NotAnswering(status))}
        {MachineryFacts.Of(status)}
        </section>
        """);

    private static Html NotAnswering(StatusReport status)
    {
        if (status.Elsewhere is { } elsewhere)
            return Html.Of($"<p class=\"notice quiet\">{elsewhere}.</p>");
        var instead = status.Live is not null ? Html.Of($"; what follows is from its status file")
            : status.Daemon is { } last ? Html.Of($"; it last said how it is at {Pieces.Time(last.WrittenAt)}")
            : Html.Empty;
        return Html.Of($"<p class=\"notice quiet\">policyd does not answer on its status socket, <code>{status.Settings.StatusSocket}</code>{instead}.</p>");
    }

    private static Html Store(StatusReport status, StoreSurvey? survey)
    {
        if (status.StoreProblem is not null)
            return Html.Empty;
        return Html.Of(
            $"""
            <section id="store" data-refresh aria-labelledby="store-title">
            <h2 id="store-title">Destinations</h2>
            {(survey is null ? Counting() : Html.Of($"{Tiles(survey)}{(survey.Took >= TimeSpan.FromSeconds(1) ? Html.Of($"<p class=\"muted small\">Counted at {Pieces.Time(survey.At)}.</p>") : Html.Empty)}"))}
            </section>
            """);
    }

    private static Html Counting() => Html.Of($"<p class=\"muted\">Not counted yet: the store is large, and this shows by itself, or when the page is loaded again. Where it never does, the journal of policyd-web says why.</p>");

    private static Html Tiles(StoreSurvey survey)
    {
        var counts = survey.Counts;
        var probed = survey.Enforced.Values.Sum();
        return Html.Of(
            $"""
            <ul class="tiles">
            {Tile(counts.Destinations, "destinations", "/destinations")}
            {Enum.GetValues<TlsLevel>().Where(level => counts.ByLevel.GetValueOrDefault(level) > 0).Select(level => Tile(counts.ByLevel[level], "at " + level.Name(), "/destinations?level=" + level.Name()))}
            {(counts.Observed > 0 ? Tile(counts.Observed, "only observed", null) : Html.Empty)}
            </ul>
            <h3>Verdicts of enforced destinations</h3>
            <ul class="tiles">
            {Enum.GetValues<DestinationVerdict>().Where(verdict => survey.Enforced.GetValueOrDefault(verdict) > 0).OrderBy(Order).Select(verdict => Tile(survey.Enforced[verdict], verdict.Name(), verdict is DestinationVerdict.Mismatch or DestinationVerdict.Degraded ? "/destinations?findings=yes" : null))}
            {Tile(Math.Max(0, counts.Destinations - counts.Observed - probed), "not probed", null)}
            </ul>
            {(survey.Observed.Count == 0 ? Html.Empty : Html.Of($"<h3>Were the observed ones enforced</h3><ul class=\"tiles\">{survey.Observed.OrderBy(one => Order(one.Key)).Select(one => Tile(one.Value, one.Key.Name(), null))}</ul>"))}
            """);
    }

    private static int Order(DestinationVerdict verdict) => verdict switch
    {
        DestinationVerdict.Mismatch => 0,
        DestinationVerdict.Degraded => 1,
        DestinationVerdict.Unreachable => 2,
        DestinationVerdict.Ok => 3,
        _ => 4,
    };

    private static Html Tile(long count, string of, string? path) => Html.Of(
        $"<li><span class=\"figure\">{Pieces.Number(count)}</span> <span class=\"of\">{(path is null ? Html.Of($"{of}") : Html.Of($"<a href=\"{path}\">{of}</a>"))}</span></li>");
}
