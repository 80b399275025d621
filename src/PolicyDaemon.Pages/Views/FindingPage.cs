using PolicyDaemon.Administration;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Pages.Layout;
using PolicyDaemon.Pages.Markup;

namespace PolicyDaemon.Pages.Views;

/// <summary>A finding: what it says, what it means, what to do, what was expected and what was seen, and whether it has been there before.</summary>
public static class FindingPage
{
    private const int MostKeys = 40;

    /// <param name="id">The number of the finding.</param>
    /// <param name="history">It and the others of its kind about its subject, the newest first.</param>
    /// <param name="at">When they were read.</param>
    public static Page Of(long id, IReadOnlyList<FindingAlert> history, DateTimeOffset at)
    {
        ArgumentNullException.ThrowIfNull(history);
        var alert = history.First(one => one.Id == id);
        var finding = alert.Finding;
        var kind = finding.Kind.Description();
        return new Page($"{kind.Name}: {Pieces.Name(finding.Subject)}", SiteSection.None, Html.Of($"{What(alert, at)}{Keys(finding)}{History(id, history)}")) { At = at };
    }

    private static Html What(FindingAlert alert, DateTimeOffset at)
    {
        var finding = alert.Finding;
        var kind = finding.Kind.Description();
        var facts = new List<(string, Html)>
        {
            ("about", NextHop.TryParse(finding.Subject, out _, out _) ? Pieces.Destination(finding.Subject) : Html.Of($"<bdi>{finding.Subject}</bdi>")),
            ("for mail", Html.Of($"{kind.Mail}")),
            ("since", Html.Of($"{Pieces.Time(finding.Since)}{(alert.Closed is { } closed ? Html.Of($", settled at {Pieces.Time(closed)}") : Html.Of($", open for {Age(at - finding.Since)}"))}")),
            ("seen", Html.Of($"{Phrases.Count(alert.Occurrences, "time")}, last at {Pieces.Time(alert.LastSeen)}")),
            ("told", alert.Notified is { } told ? Html.Of($"at {Pieces.Time(told)}{(alert.Escalation > 0 ? $", escalated {Phrases.Count(alert.Escalation, "time")}" : "")}") : Html.Of($"nobody yet")),
        };
        if (finding.Affects > 1)
            facts.Add(("concerns", Html.Of($"{Phrases.Count(finding.Affects, "destination")}")));
        if (finding.Outcome is { } outcome)
            facts.Add(("met", Html.Of($"{outcome.Name()}{(outcome.ResultType() is { } type ? $" ({type}, RFC 8460)" : "")}")));
        return Html.Of(
            $"""
            <section aria-label="What it says">
            <p class="judgement {(alert.Closed is not null ? "ok" : finding.Severity == FindingSeverity.MailWaits ? "critical" : "warning")}">{(alert.Closed is null ? OverviewPage.Severity(finding.Severity) : "Settled")}</p>
            <p><bdi>{finding.Detail}</bdi></p>
            {(alert.Closed is null ? Pieces.Command(finding.Remedy) : Html.Empty)}
            </section>
            <section aria-labelledby="means-title"><h2 id="means-title">What it means</h2>
            <p>{kind.Meaning}.</p><p>{kind.WhatToDo}</p>
            {MachineryFacts.Facts(facts)}</section>
            """);
    }

    private static Html Keys(Finding finding)
    {
        if (finding.Expected.IsDefaultOrEmpty && finding.Seen.IsDefaultOrEmpty)
            return Html.Empty;
        return Html.Of(
            $"""
            <section aria-labelledby="keys-title"><h2 id="keys-title">Expected and seen</h2>
            <table class="stack"><thead><tr><th scope="col">what</th><th scope="col">public key</th><th scope="col">certificate</th><th scope="col">where</th><th scope="col">since</th></tr></thead>
            <tbody>{finding.Expected.Take(MostKeys).Select(pin => Html.Of($"<tr><th scope=\"row\">expected</th><td colspan=\"2\"><code>{pin.Hex}</code></td><td></td><td></td></tr>"))}
            {finding.Seen.Take(MostKeys).Select(Seen)}</tbody></table></section>
            """);
    }

    private static Html Seen(PresentedKey key) => Html.Of(
        $"<tr><th scope=\"row\">seen</th><td data-name=\"public key\"><code>{key.PublicKey.Hex}</code></td><td data-name=\"certificate\"><code>{key.Certificate.Hex}</code></td><td><bdi>{Pieces.Name(key.MxHost)}</bdi> <code>{key.Target.Id}</code></td><td data-name=\"since\">{Pieces.Minute(key.Since)}</td></tr>");

    private static Html History(long id, IReadOnlyList<FindingAlert> history) => history.Count < 2
        ? Html.Empty
        : Html.Of(
            $"""
            <section aria-labelledby="history-title"><h2 id="history-title">Before and after</h2>
            <table class="stack"><thead><tr><th scope="col" class="number">finding</th><th scope="col">since</th><th scope="col">settled</th><th scope="col">what</th></tr></thead>
            <tbody>{history.Select(alert => Html.Of($"<tr><th scope=\"row\" class=\"number\">{(alert.Id == id ? Html.Of($"{alert.Id}") : Html.Of($"<a href=\"/findings/{alert.Id}\">{alert.Id}</a>"))}</th><td data-name=\"since\">{Pieces.Minute(alert.Finding.Since)}</td><td data-name=\"settled\">{(alert.Closed is { } closed ? Pieces.Minute(closed) : Html.Of($"open"))}</td><td><bdi>{Pieces.Name(alert.Finding.Detail)}</bdi></td></tr>"))}</tbody></table></section>
            """);

    private static string Age(TimeSpan age) => age.TotalDays >= 2 ? Phrases.Count((long)age.TotalDays, "day") : age.TotalHours >= 2 ? Phrases.Count((long)age.TotalHours, "hour") : Phrases.Count(Math.Max(0, (long)age.TotalMinutes), "minute");
}
