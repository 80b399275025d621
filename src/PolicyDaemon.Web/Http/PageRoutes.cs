using System.Globalization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using PolicyDaemon.Administration.Discovery;
using PolicyDaemon.Administration.Explaining;
using PolicyDaemon.Administration.Metrics;
using PolicyDaemon.Administration.Status;
using PolicyDaemon.Administration.Survey;
using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Core.Deliveries;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Pages.Layout;
using PolicyDaemon.Pages.Views;
using PolicyDaemon.Store;
using PolicyDaemon.Store.Browsing;
using PolicyDaemon.Store.Engines;
using PolicyDaemon.Store.Faults;

namespace PolicyDaemon.Web.Http;

/// <summary>Which page is at which path. Each is gathered anew for each request: the store is opened for it, to read, and closed again.</summary>
/// <remarks>
/// Pages and metrics are sent with no-store: they are true for a moment, and hold what a shared cache must not keep. Stylesheet, script and
/// icon are the same until the next version; they have an entity tag, and a request that knows it is answered 304.
/// </remarks>
internal sealed class PageRoutes(Settings settings, TimeProvider time, GatheredState gathered) : IDisposable
{
    private const int MostOfHistory = 20;

    private static readonly string[] Methods = [HttpMethods.Get, HttpMethods.Head];

    // Reading is synchronous work: so many requests read at a time, the others wait.
    private readonly SemaphoreSlim readers = new(2);

    internal void Map(IEndpointRouteBuilder routes)
    {
        Map(routes, "/", ShowOverview);
        Map(routes, "/destinations", ShowDestinations);
        Map(routes, "/destinations/{**key}", ShowDestination);
        Map(routes, "/findings/{id}", ShowFinding);
        Map(routes, "/audit", ShowAudit);
        Map(routes, "/nodes", ShowNodes);
        Map(routes, "/discovery", ShowDiscovery);
        Map(routes, "/metrics", WriteMetrics);
        foreach (var asset in (PageAsset[])[PageAsset.Stylesheet, PageAsset.Script, PageAsset.Icon])
            Map(routes, asset.Name, context => Response.SendAssetAsync(context, asset));
    }

    public void Dispose() => readers.Dispose();

    private static void Map(IEndpointRouteBuilder routes, string pattern, RequestDelegate page) => routes.MapMethods(pattern, Methods, page);

    private async Task ShowOverview(HttpContext context)
    {
        // At once: each may wait for a moment. What is open is put in order by the mail that waits.
        var (counting, reading) = (gathered.Survey.GetAsync(), gathered.Mail.GetAsync());
        await reading;
        var findings = await gathered.Findings.GetAsync();
        var survey = await counting;
        await Response.SendAsync(context, await Read(context, () => OverviewPage.Of(StatusReport.Gather(settings, time, survey, findings), survey)));
    }

    private async Task ShowNodes(HttpContext context)
    {
        var page = await Read(context, () => NodesPage.Of(StatusReport.Gather(settings, time, survey: null), Environment.MachineName));
        await Response.SendAsync(context, page);
    }

    private async Task WriteMetrics(HttpContext context)
    {
        var (counting, reading) = (gathered.Survey.GetAsync(), gathered.Findings.GetAsync());
        var (survey, findings) = (await counting, await reading);
        var format = MetricsNegotiation.Choose(context.Request.Headers.Accept);
        try
        {
            var text = await Read(context, () => MetricsReport.Write(StatusReport.Gather(settings, time, survey, findings), format, time));
            await Response.SendAsync(context, StatusCodes.Status200OK, MetricsNegotiation.ContentType(format), text);
        }
        catch (Exception error) when (error is StoreException or UnauthorizedAccessException)
        {
            // A scrape that fails is noticed; figures that are not there would look like zeros.
            await Response.SendAsync(context, StatusCodes.Status503ServiceUnavailable, "text/plain; charset=utf-8", error.Message + "\n");
        }
    }

    private Task ShowDestinations(HttpContext context)
    {
        var after = Query(context, "after");
        var filter = new BrowseFilter(
            Query(context, "q").Trim().ToLowerInvariant(), TlsLevels.TryParse(Query(context, "level"), out var level) ? level : null, Query(context, "findings") == "yes");
        return Show(context, SiteSection.Destinations, "Destinations", store =>
            (StatusCodes.Status200OK, DestinationsPage.Of(store.Browse(filter, after, DestinationsPage.PageSize), filter, after, time.GetUtcNow())));
    }

    private Task ShowDestination(HttpContext context)
    {
        var asked = context.Request.RouteValues["key"] as string ?? "";
        if (asked.Length == 0)
            return ShowDestinations(context);
        if (!NextHop.TryParseEntry(asked, out var key, out var reason))
            return Response.SendAsync(context, StatusCodes.Status404NotFound, ProblemPage.NotFound($"'{asked}' is no next-hop destination: {reason}"));
        return Show(context, SiteSection.Destinations, key.Text, store =>
        {
            var report = DestinationReport.Gather(key, store, settings, time.GetUtcNow());
            return report.IsKnown ? (StatusCodes.Status200OK, DestinationPage.Of(report)) : (StatusCodes.Status404NotFound, DestinationPage.Unknown(report));
        });
    }

    private Task ShowFinding(HttpContext context)
    {
        var asked = context.Request.RouteValues["id"] as string ?? "";
        return !long.TryParse(asked, NumberStyles.None, CultureInfo.InvariantCulture, out var id)
            ? Response.SendAsync(context, StatusCodes.Status404NotFound, ProblemPage.NotFound($"'{asked}' is no number of a finding."))
            : Show(context, SiteSection.None, "Finding", store => store.FindFinding(id, MostOfHistory) is { Count: > 0 } history
                ? (StatusCodes.Status200OK, FindingPage.Of(id, history, time.GetUtcNow()))
                : (StatusCodes.Status404NotFound, ProblemPage.NotFound($"There is no finding {asked}.")));
    }

    private Task ShowAudit(HttpContext context)
    {
        long? before = null;
        if (Query(context, "before") is { Length: > 0 } text)
        {
            if (!long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number))
                return Response.SendAsync(context, StatusCodes.Status400BadRequest, ProblemPage.BadRequest($"'{text}' is no number of a row of the audit log."));
            before = number;
        }

        NextHop? key = null;
        if (Query(context, "key") is { Length: > 0 } asked)
        {
            if (!NextHop.TryParseEntry(asked, out var entry, out var reason))
                return Response.SendAsync(context, StatusCodes.Status400BadRequest, ProblemPage.BadRequest($"'{asked}' is no next-hop destination: {reason}"));
            key = entry;
        }

        return Show(context, SiteSection.Audit, "Audit log", store => (StatusCodes.Status200OK, AuditPage.Of(
            store.AuditBefore(before, key, AuditPage.PageSize), key, before is null && key is null ? store.CountChangesPerDay(AuditPage.Days) : null, store.Head(),
            time.GetUtcNow())));
    }

    private Task ShowDiscovery(HttpContext context)
    {
        var after = Query(context, "after");
        return Show(context, SiteSection.Discovery, "Discovery", store =>
        {
            var now = time.GetUtcNow();
            var (page, next) = store.BrowseDiscovered(after, DiscoveryPage.PageSize);
            return (StatusCodes.Status200OK, DiscoveryPage.Of(
                StatusReport.Gather(settings, time, survey: null), [.. page.Select(memory => DiscoveredState.Of(memory.Key, memory, settings, now))], after, next));
        });
    }

    /// <summary>A value of the query; empty where there is none. What is longer than any key is none, nor is what no text of the store has.</summary>
    private static string Query(HttpContext context, string name) => context.Request.Query[name].ToString() is { Length: <= 512 } value && !value.Contains('\0', StringComparison.Ordinal) ? value : "";

    /// <summary>Shows a page of the store, or that it cannot be read.</summary>
    private async Task Show(HttpContext context, SiteSection section, string title, Func<PolicyStore, (int Status, Page Page)> page)
    {
        var (status, shown) = await Read(context, () =>
        {
            try
            {
                using var store = PolicyStore.Open(settings.Database, StoreAccess.Read, time);
                return page(store);
            }
            catch (StoreException fault)
            {
                return (StatusCodes.Status503ServiceUnavailable, ProblemPage.NoStore(section, title, fault.Message));
            }
        });
        await Response.SendAsync(context, status, shown);
    }

    private async Task<T> Read<T>(HttpContext context, Func<T> read)
    {
        await readers.WaitAsync(context.RequestAborted);
        try
        {
            return await Task.Run(read);
        }
        finally
        {
            readers.Release();
        }
    }
}

/// <summary>What takes longer to find out than a page may take, and is kept for all of them.</summary>
/// <param name="Survey">What takes a walk through the whole store.</param>
/// <param name="Findings">What is open, counted.</param>
/// <param name="Mail">The mail that waits; null where that is not known.</param>
internal sealed record GatheredState(Kept<StoreSurvey> Survey, Kept<FindingSurvey> Findings, Kept<WaitingMail> Mail);
