using System.Collections.Frozen;
using System.Net;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Pages.Layout;

namespace PolicyDaemon.Web.Http;

/// <summary>What every request passes, and every response carries.</summary>
/// <remarks>
/// <code>
/// Host       localhost, a loopback address, a name of web.hosts; any other is answered 421 (RFC 9110 section 15.5.20), so that a page of
///            somebody else whose name leads here (DNS rebinding) reads nothing
/// Method     GET and HEAD; 405 with Allow otherwise: nothing can be changed here
/// Headers    a policy that lets nothing in but what this program serves itself, no sniffing, no referrer, no copies
/// Failure    a page that says so, and a line in the journal; never a stack trace
/// </code>
/// </remarks>
internal sealed class RequestGuard(RequestDelegate next, WebSettings settings, ILogger logger)
{
    internal const string ContentSecurityPolicy =
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; frame-ancestors 'none'";

    private readonly FrozenSet<string> hosts = settings.Hosts.Append("localhost").ToFrozenSet(StringComparer.OrdinalIgnoreCase);

    internal async Task HandleAsync(HttpContext context)
    {
        var headers = context.Response.Headers;
        headers.ContentSecurityPolicy = ContentSecurityPolicy;
        headers.XContentTypeOptions = "nosniff";
        headers["Referrer-Policy"] = "no-referrer";
        headers.CacheControl = "no-store";
        if (!IsAllowed(context.Request.Host.Host))
        {
            await Response.SendAsync(context, StatusCodes.Status421MisdirectedRequest, ProblemPage.WrongHost(context.Request.Host.Host));
            return;
        }

        if (!HttpMethods.IsGet(context.Request.Method) && !HttpMethods.IsHead(context.Request.Method))
        {
            headers.Allow = "GET, HEAD";
            await Response.SendAsync(context, StatusCodes.Status405MethodNotAllowed, ProblemPage.WrongMethod());
            return;
        }

        try
        {
            await next(context);
        }
        catch (OperationCanceledException) when (context.RequestAborted.IsCancellationRequested)
        {
            return;
        }
#pragma warning disable CA1031 // whatever it is, it is this page's failure, and the next one may succeed
        catch (Exception exception)
        {
            logger.PageFailed(exception, context.Request.Path);
            if (!context.Response.HasStarted)
                await Response.SendAsync(context, StatusCodes.Status500InternalServerError, ProblemPage.Failed());
            return;
        }
#pragma warning restore CA1031

        if (!context.Response.HasStarted && context.Response.StatusCode == StatusCodes.Status404NotFound)
            await Response.SendAsync(context, StatusCodes.Status404NotFound, ProblemPage.NotFound("There is no such page."));
    }

    /// <summary>True for a name under which this program may be asked.</summary>
    internal bool IsAllowed(string host) =>
        hosts.Contains(host) || (IPAddress.TryParse(host.Trim('[', ']'), out var address) && IPAddress.IsLoopback(address));
}
