using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using PolicyDaemon.Core.Runtime;
using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Daemon;
using PolicyDaemon.Daemon.Logging;
using PolicyDaemon.Lookup;
using PolicyDaemon.Lookup.Clients;
using PolicyDaemon.Lookup.Listening;
using PolicyDaemon.Lookup.Protocols;
using PolicyDaemon.Store.Snapshots;
using PolicyDaemon.Tests.Support;
using Xunit;

namespace PolicyDaemon.Tests.Daemon.Fleet;

/// <summary>A policyd of a fleet, which is asked for an entry that everybody knows all the while.</summary>
internal sealed class FleetNode : IAsyncDisposable
{
    /// <summary>The entry that is asked for.</summary>
    internal const string Known = "known.example";

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    private readonly IHost host;
    private readonly LogSink log;
    private readonly CancellationTokenSource stop = new();
    private readonly Task asking;
    private readonly List<string> wrong = [];
    private long asked;

    private FleetNode(IHost host, LogSink log)
    {
        (this.host, this.log) = (host, log);
        Assert.True(MapEndpoint.TryParse(MapProtocol.Socketmap, host.Services.GetRequiredService<LookupServer>().Listening[0], out var listening, out _));
        Endpoint = listening;
        asking = Task.Run(AskAsync);
    }

    internal SnapshotLoader Loader => host.Services.GetRequiredService<SnapshotLoader>();

    internal IReadOnlyCollection<Finding> Findings => Loader.Findings;

    /// <summary>The store is followed.</summary>
    internal bool Follows => Loader.Status is { } status && status.IsOfStore();

    private MapEndpoint Endpoint { get; }

    /// <summary>Starts one.</summary>
    /// <param name="store">The store's words, with their prefix; or its file.</param>
    /// <param name="directory">Where it keeps its files; the same again is a restart.</param>
    internal static async Task<FleetNode> StartAsync(string store, string directory)
    {
        var file = Path.Combine(Directory.CreateDirectory(directory).FullName, "node.conf");
        await File.WriteAllTextAsync(
            file,
            $"""
            [lookup]
            socketmap = inet:127.0.0.1:0
            tcp_table =
            [store]
            {(PostgreSqlWords.IsNamedBy(store) ? $"engine = postgresql\npostgresql = {store[PostgreSqlWords.Prefix.Length..]}\ndatabase = {directory}/policy.db" : $"engine = sqlite\ndatabase = {store}")}
            [probe]
            enabled = no

            """,
            TestContext.Current.CancellationToken);
        var settings = SettingsReader.Load(file);
        var log = new LogSink(new LogLine(TimeProvider.System, forJournal: true), _ => { });
        var host = DaemonHost.Build(settings, Endpoints.From(settings), [], log);
        await host.StartAsync(TestContext.Current.CancellationToken);
        return new FleetNode(host, log);
    }

    /// <summary>Waits until an entry is served.</summary>
    internal Task LiveAsync(string key) => Until.TrueAsync(() => Loader.Current?.Find(key) is not null, what: $"{key} is live");

    /// <summary>The answer on the socket.</summary>
    internal async Task<LookupAnswer> AskAsync(string key) =>
        (await SocketmapClient.AskAsync(Endpoint, "tlspolicy", key, Until.Deadline, TimeProvider.System, TestContext.Current.CancellationToken)).Answer;

    /// <summary>Stops asking, and the node; every answer was the right one.</summary>
    internal async Task StopAsync()
    {
        await Until.TrueAsync(() => Interlocked.Read(ref asked) > 0, what: "it was asked");
        await stop.CancelAsync();
        await asking;
        await host.StopAsync(TestContext.Current.CancellationToken).WaitAsync(Until.Deadline, TestContext.Current.CancellationToken);
        Assert.Empty(wrong);
    }

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await asking;
        host.Dispose();
        log.Dispose();
        stop.Dispose();
    }

    private async Task AskAsync()
    {
        using var timer = new PeriodicTimer(Pause);
        while (!stop.IsCancellationRequested)
        {
            try
            {
                var answer = await AskAsync(Known);
                Interlocked.Increment(ref asked);
                if (answer is not { Kind: LookupAnswerKind.Found, Text: "secure" })
                    wrong.Add(answer.ToString());
                await timer.WaitForNextTickAsync(stop.Token);
            }
            catch (OperationCanceledException)
            {
                return;
            }
            catch (Exception error) when (error is IOException or TimeoutException)
            {
                wrong.Add(error.Message);
            }
        }
    }
}
