using System.Text;
using Microsoft.AspNetCore.Http;
using PolicyDaemon.Pages.Layout;

namespace PolicyDaemon.Web.Http;

/// <summary>Sends what was made for a request. To HEAD the server sends the headers of GET, and drops the body.</summary>
internal static class Response
{
    private const string HtmlType = "text/html; charset=utf-8";

    internal static Task SendAsync(HttpContext context, int status, Page page) => SendAsync(context, status, HtmlType, PageLayout.Render(page).ToString());

    internal static Task SendAsync(HttpContext context, Page page) => SendAsync(context, StatusCodes.Status200OK, page);

    internal static Task SendAsync(HttpContext context, int status, string type, string text)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = type;
        var bytes = Encoding.UTF8.GetBytes(text);
        context.Response.ContentLength = bytes.Length;
        return context.Response.Body.WriteAsync(bytes, context.RequestAborted).AsTask();
    }

    /// <summary>Sends a file that is the same until the next version: it may be kept, and asked for again by its tag.</summary>
    internal static Task SendAssetAsync(HttpContext context, PageAsset asset)
    {
        context.Response.Headers.CacheControl = "no-cache";
        context.Response.Headers.ETag = asset.Tag;
        if (context.Request.Headers.IfNoneMatch.Any(known => known is not null && known.Contains(asset.Tag, StringComparison.Ordinal)))
        {
            context.Response.StatusCode = StatusCodes.Status304NotModified;
            return Task.CompletedTask;
        }

        return SendAsync(context, StatusCodes.Status200OK, asset.Type, asset.Text);
    }
}
