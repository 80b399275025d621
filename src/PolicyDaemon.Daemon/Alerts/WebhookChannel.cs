using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Daemon.Hosting;

namespace PolicyDaemon.Daemon.Alerts;

/// <summary><c>alert_webhook</c>: one POST per alert. No redirect, proxy or cookie; what comes back is not read beyond its status.</summary>
internal sealed class WebhookChannel(RunningConfiguration configuration, TimeProvider time) : IAlertChannel
{
    private const int MaxHeadersKilobytes = 16;

    public string Name => ProbeKeys.AlertWebhook.Name;

    public bool IsOn => Alerts.Webhook is not null;

    // With the worker's back-off that is a day: a monitoring system that is down for a night has all of it in the morning.
    public int Attempts => 150;

    private AlertSettings Alerts => configuration.Settings.Probe.Alerts;

    public async Task<Delivery> SendAsync(AlertMessage message, CancellationToken cancellation)
    {
        var alerts = Alerts;
        if (alerts.Webhook is not { } address)
            return Delivery.Done;
        using var deadline = new CancellationTokenSource(alerts.Timeout, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, deadline.Token);
        // Findings are rare: a client for each keeps nothing in memory between them.
        using var handler = Handler();
        using var client = new HttpClient(handler) { Timeout = Timeout.InfiniteTimeSpan };
        using var request = Request(address, message);
        try
        {
            using var response = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, either.Token);
            return Judge(address, response.StatusCode);
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return Delivery.Retry($"{address.Host} did not answer within {alerts.Timeout.TotalSeconds:F0} s");
        }
        catch (Exception fault) when (fault is HttpRequestException or IOException)
        {
            cancellation.ThrowIfCancellationRequested();
            return Delivery.Retry($"{address.Host}: {(fault.InnerException ?? fault).Message}");
        }
    }

    private static Delivery Judge(Uri address, HttpStatusCode status) => (int)status switch
    {
        >= 200 and < 300 => Delivery.Done,
        // Not now: timeout, too many requests, a fault of theirs (RFC 9110 section 15, RFC 6585 section 4).
        408 or 425 or 429 or >= 500 => Delivery.Retry($"{address.Host} answers {(int)status}"),
        >= 300 and < 400 => Delivery.GiveUp($"{address.Host} answers {(int)status}, a redirect, which is not followed; write the address itself"),
        _ => Delivery.GiveUp($"{address.Host} answers {(int)status}"),
    };

    private static HttpRequestMessage Request(Uri address, AlertMessage message)
    {
        var content = new ByteArrayContent(JsonSerializer.SerializeToUtf8Bytes(message, AlertJson.Default.AlertMessage));
        content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        var request = new HttpRequestMessage(HttpMethod.Post, address) { Content = content };
        request.Headers.UserAgent.ParseAdd($"policyd/{DaemonVersion.Text}");
        if (address.UserInfo.Length > 0)
        {
            request.Headers.Authorization = new AuthenticationHeaderValue(
                "Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes(Uri.UnescapeDataString(address.UserInfo))));
        }

        return request;
    }

    private static SocketsHttpHandler Handler() => new()
    {
        AllowAutoRedirect = false,
        UseProxy = false,
        UseCookies = false,
        // AutomaticDecompression stays unmentioned: it is off, and even setting it to None links zlib and brotli into the program.
        MaxResponseHeadersLength = MaxHeadersKilobytes,
    };
}
