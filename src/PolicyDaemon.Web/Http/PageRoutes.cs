using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using PolicyDaemon.Administration.Metrics;
using PolicyDaemon.Administration.Status;
using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Pages.Layout;
using PolicyDaemon.Pages.Overview;

namespace PolicyDaemon.Web.Http;

/// <summary>Which page is at which path. Each is gathered anew for each request; the store is opened for it and closed again.</summary>
internal sealed class PageRoutes(Settings settings, TimeProvider time) : IDisposable
{
    private static readonly string[] Methods = [HttpMethods.Get, HttpMethods.Head];

    // Reading is synchronous work: so many requests read at a time, the others wait.
    private readonly SemaphoreSlim readers = new(2);

    internal void Map(IEndpointRouteBuilder routes)
    {
        Map(routes, "/", context => Show(context, () => OverviewPage.Of(StatusReport.Gather(settings, time))));
        Map(routes, "/metrics", Metrics);
        foreach (var asset in (PageAsset[])[PageAsset.Stylesheet, PageAsset.Script, PageAsset.Icon])
            Map(routes, asset.Name, context => Response.SendAssetAsync(context, asset));
    }

    public void Dispose() => readers.Dispose();

    private static void Map(IEndpointRouteBuilder routes, string pattern, RequestDelegate page) => routes.MapMethods(pattern, Methods, page);

    private async Task Show(HttpContext context, Func<Page> page) => await Response.SendAsync(context, await Read(context, page));

    private async Task Metrics(HttpContext context) =>
        await Response.SendAsync(
            context, StatusCodes.Status200OK, "text/plain; version=0.0.4; charset=utf-8",
            await Read(context, () => MetricsReport.Write(settings, MetricsFormat.Prometheus, time)));

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
