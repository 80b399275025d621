using System.Net.Sockets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using PolicyDaemon.Administration.Queue;
using PolicyDaemon.Administration.Status;
using PolicyDaemon.Administration.Survey;
using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Core.Deliveries;
using PolicyDaemon.Core.Runtime;
using PolicyDaemon.Web.Http;

namespace PolicyDaemon.Web.Hosting;

/// <summary>Composes and runs the program: Kestrel over one socket, the guards of every request, the pages.</summary>
/// <remarks>The builder is the empty one: neither the environment nor a file beside the program configures anything.</remarks>
internal static class WebServer
{
    // One administrator, a dashboard and Prometheus; who opens more waits.
    private const int MostConnections = 100;
    private const int MostOfRequestLine = 4096;

    private static readonly TimeSpan Patience = TimeSpan.FromMilliseconds(25);
    private static readonly TimeSpan PatienceWithQueue = TimeSpan.FromSeconds(3);

    // Postfix opens every file of its queue each time.
    private static readonly TimeSpan AgeOfQueue = TimeSpan.FromMinutes(1);

    internal static async Task<WebExitCode> RunAsync(Settings settings, TextWriter output, CancellationToken cancellation)
    {
        using var socket = ListeningSocket.Open(settings.Web);
        await using var app = Compose(settings, socket, TimeProvider.System, output);
        await app.StartAsync(cancellation);
        await app.WaitForShutdownAsync(cancellation);
        return WebExitCode.Stopped;
    }

    /// <summary>The program with its socket open, not started.</summary>
    /// <param name="output">Log lines are written there.</param>
    /// <param name="patience">How long a page waits for what is counted; null for as long as people do not notice.</param>
    /// <param name="queue">Reads the mail that waits; null for that of this machine's Postfix, where this user may see it.</param>
    internal static WebApplication Compose(Settings settings, ListeningSocket socket, TimeProvider time, TextWriter output, TimeSpan? patience = null, Func<WaitingMail?>? queue = null)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ApplicationName = "policyd-web", ContentRootPath = "/" });
        builder.Logging.SetMinimumLevel(LogLevel.Warning).AddFilter("PolicyDaemon", LogLevel.Information);
        builder.Logging.AddProvider(new WebLogOutput(new LogLine(time, forJournal: Environment.GetEnvironmentVariable("JOURNAL_STREAM") is not null), output));
        builder.Services.Configure<ConsoleLifetimeOptions>(options => options.SuppressStatusMessages = true);
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => Configure(kestrel, socket));
        builder.Services.Configure<SocketTransportOptions>(transport => transport.CreateBoundListenSocket = endpoint => SocketOf(endpoint));
        builder.Services.AddRoutingCore();
        builder.Services.AddSingleton(services => new IdleEnd(socket.IsHandedOver ? settings.Web.Idle : TimeSpan.Zero, time, LoggerOf(services)));
        builder.Services.AddSingleton(services => new PageRoutes(settings, time, Gathered(settings, time, patience ?? Patience, queue, LoggerOf(services))));
        var app = builder.Build();
        var logger = LoggerOf(app.Services);
        var end = app.Services.GetRequiredService<IdleEnd>();
        app.Lifetime.ApplicationStarted.Register(() =>
        {
            logger.Serving(
                socket.IsHandedOver ? "the socket of systemd" : settings.Web.Socket is { } path ? $"unix:{path}" : $"http://{settings.Web.Address}/", settings.Database);
            _ = end.WatchAsync(app.Lifetime);
        });
        app.Use(next => context => end.CountAsync(context, next));
        app.Use(next => new RequestGuard(next, settings.Web, logger).HandleAsync);
        app.UseRouting();
        app.Services.GetRequiredService<PageRoutes>().Map(app);
        return app;
    }

    private static GatheredState Gathered(Settings settings, TimeProvider time, TimeSpan patience, Func<WaitingMail?>? queue, ILogger logger)
    {
        var mail = new Kept<WaitingMail>(queue ?? (() => Postqueue.Waiting(PatienceWithQueue)), _ => AgeOfQueue, time, patience, logger.QueueFailed);
        return new GatheredState(
            KeptSurvey.Of(settings, time, patience, logger.SurveyFailed), KeptFindings.Of(settings, time, () => mail.Latest, patience, logger.SurveyFailed), mail);
    }

    private static ILogger LoggerOf(IServiceProvider services) => services.GetRequiredService<ILoggerFactory>().CreateLogger(typeof(WebServer).Namespace!);

    private static void Configure(KestrelServerOptions kestrel, ListeningSocket socket)
    {
        kestrel.AddServerHeader = false;
        kestrel.AllowSynchronousIO = false;
        kestrel.Limits.MaxConcurrentConnections = MostConnections;
        kestrel.Limits.MaxRequestBodySize = 0;
        kestrel.Limits.MaxRequestLineSize = MostOfRequestLine;
        kestrel.Limits.MaxRequestHeadersTotalSize = 16 * 1024;
        kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(10);
        kestrel.Limits.KeepAliveTimeout = TimeSpan.FromSeconds(30);
        foreach (var handle in socket.Handles)
            kestrel.ListenHandle(handle, listen => listen.Protocols = HttpProtocols.Http1);
    }

    // Kestrel's own way would close the descriptor, which is its owner's to close.
    private static Socket SocketOf(System.Net.EndPoint endpoint) => endpoint is Microsoft.AspNetCore.Connections.FileHandleEndPoint handle
        ? new Socket(new SafeSocketHandle((IntPtr)handle.FileHandle, ownsHandle: false))
        : throw new InvalidOperationException("only open sockets are listened on");
}
