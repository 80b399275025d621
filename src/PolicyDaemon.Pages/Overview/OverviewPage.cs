using System.Collections.Immutable;
using PolicyDaemon.Administration;
using PolicyDaemon.Administration.Status;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Pages.Layout;
using PolicyDaemon.Pages.Markup;

namespace PolicyDaemon.Pages.Overview;

/// <summary>The first page: is mail stopped or about to be, what changes next, does the machinery live.</summary>
public static class OverviewPage
{
    private const int MostCauses = 40;

    public static Page Of(StatusReport status)
    {
        ArgumentNullException.ThrowIfNull(status);
        var causes = StatusCause.Of(status.Findings, null);
        return new Page("Overview", SiteSection.Overview, Html.Of($"{Mail(status, causes)}"))
        {
            At = status.At,
            Notice = status.StoreProblem is { } problem ? Html.Of($"The store cannot be read: {problem.Message}") : null,
        };
    }

    private static Html Mail(StatusReport status, ImmutableArray<StatusCause> causes)
    {
        var open = causes.Where(cause => cause.NeedsPerson).ToList();
        var judgement = StatusJudgement.Of(status, causes);
        return Html.Of(
            $"""
            <section id="mail" data-refresh aria-labelledby="mail-title">
            <h2 id="mail-title">Mail</h2>
            <p class="judgement {judgement.Health.ToString().ToLowerInvariant()}">{judgement.Text}</p>
            {(open.Count == 0 ? Html.Empty : Html.Of($"<ol class=\"causes\">{open.Take(MostCauses).Select(Cause)}</ol>"))}
            {(open.Count > MostCauses ? Html.Of($"<p>{Phrases.Count(open.Count - MostCauses, "more cause")}: <code>policyctl status</code></p>") : Html.Empty)}
            </section>
            """);
    }

    private static Html Cause(StatusCause cause) => Html.Of(
        $"""
        <li class="{cause.Severity.Name()}">
        <p class="cause"><strong>{cause.Kind.Name()}</strong> <bdi>{cause.Whom}</bdi> <span class="since">since {Pieces.Minute(cause.Since)}</span></p>
        <p><bdi>{cause.Detail}</bdi></p>
        {Pieces.Command(cause.Remedy)}
        </li>
        """);
}
