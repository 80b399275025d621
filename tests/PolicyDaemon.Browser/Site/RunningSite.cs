using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace PolicyDaemon.Browser.Site;

/// <summary>The published policyd, policyctl and policyd-web over a store of their own, in a directory of their own, on ports of loopback that were free.</summary>
public abstract class RunningSite : IAsyncLifetime
{
    private RunningProcess? daemon;
    private RunningProcess? web;
    private string? folder;

    /// <summary>Where the pages are.</summary>
    public Uri Address { get; private set; } = new("http://127.0.0.1/");

    /// <summary>Asks for pages as a script does: follows nothing, keeps nothing.</summary>
    public HttpClient Http { get; } = new(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false, UseProxy = false });

    /// <summary>The socketmap's port.</summary>
    public int LookupPort { get; private set; }

    /// <summary>What policyd-web has written since its last start.</summary>
    public string WebSaid => web?.Said ?? "";

    /// <summary>What policyd has written since its last start.</summary>
    public string DaemonSaid => daemon?.Said ?? "";

    /// <summary>The process of policyd.</summary>
    public int DaemonProcess => daemon?.ProcessId ?? throw new InvalidOperationException("policyd does not run");

    /// <summary>A folder for what a story needs beside it; it goes with the site.</summary>
    public string Place => Folder;

    protected string Folder => folder ?? throw new InvalidOperationException("not started");

    protected string Database => Path.Combine(Folder, "policy.db");

    /// <summary>policyctl with this site's configuration, for a shell.</summary>
    public string Policyctl => $"'{Program("policyctl")}' --config '{Configuration}'";

    /// <summary>The published policyd-web, for a story that runs one of its own.</summary>
    public static string PolicydWeb => Program("policyd-web");

    /// <summary>The store.</summary>
    public string Store => Database;

    private string Configuration => Path.Combine(Folder, "policydaemon.conf");

    public async ValueTask InitializeAsync()
    {
        folder = Directory.CreateTempSubdirectory("policydaemon-browser-").FullName;
        var ports = FreePorts(2);
        LookupPort = ports[0];
        Address = new Uri(string.Create(CultureInfo.InvariantCulture, $"http://127.0.0.1:{ports[1]}/"));
        await File.WriteAllTextAsync(Configuration, string.Create(CultureInfo.InvariantCulture, $"""
            [lookup]
            socketmap = inet:127.0.0.1:{LookupPort}
            tcp_table =
            [store]
            database = {Database}
            status_file = {folder}/status
            [web]
            listen = inet:127.0.0.1:{ports[1]}
            hosts = mail-status.example.com
            {Sections}

            """));
        await FillAsync();
        await StartDaemonAsync();
        await StartWebAsync();
        await AfterStartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        await StopAsync();
        Http.Dispose();
        if (web is not null) await web.DisposeAsync();
        if (daemon is not null) await daemon.DisposeAsync();
        if (folder is not null) Directory.Delete(folder, recursive: true);
    }

    /// <summary>Runs policyctl, which must end with 0.</summary>
    /// <returns>Its output.</returns>
    public async Task<string> DoAsync(params string[] arguments) => (await RunAsync(arguments)).Require();

    public Task<CommandResult> RunAsync(params string[] arguments) => CommandLine.RunAsync([Program("policyctl"), "--config", Configuration, .. arguments]);

    /// <summary>Ends policyd-web without a chance to say goodbye.</summary>
    public async Task KillWebAsync()
    {
        await web!.SignalAsync("KILL");
        await web.ExitAsync();
        await web.DisposeAsync();
        web = null;
    }

    /// <summary>Stops policyd as systemd does.</summary>
    public async Task StopDaemonAsync()
    {
        await daemon!.SignalAsync("TERM");
        Assert.Equal(0, await daemon.ExitAsync());
        await daemon.DisposeAsync();
        daemon = null;
    }

    public async Task StartDaemonAsync()
    {
        daemon = new RunningProcess([Program("policyd"), "--config", Configuration], entered: false);
        await Until.TrueAsync("policyd answers", async () =>
        {
            if (daemon.HasExited) throw new InvalidOperationException($"policyd ended:\n{daemon.Said}");
            return (await RunAsync("query", "nobody.invalid")).ExitCode == 1;
        }, () => daemon.Said);
    }

    public async Task StartWebAsync()
    {
        web = new RunningProcess([Program("policyd-web"), "--config", Configuration], entered: false);
        await Until.TrueAsync("policyd-web answers", async () =>
        {
            if (web.HasExited) throw new InvalidOperationException($"policyd-web ended:\n{web.Said}");
            try
            {
                using var answer = await Http.GetAsync(Address);
                return answer.StatusCode == HttpStatusCode.OK;
            }
            catch (HttpRequestException)
            {
                return false;
            }
        }, () => web.Said);
    }

    /// <summary>More of policydaemon.conf.</summary>
    protected abstract string Sections { get; }

    /// <summary>Makes the store, before policyd starts.</summary>
    protected abstract Task FillAsync();

    /// <summary>What is to be there before the first story.</summary>
    protected virtual Task AfterStartAsync() => Task.CompletedTask;

    /// <summary>Ends what <see cref="AfterStartAsync"/> began.</summary>
    protected virtual ValueTask StopAsync() => ValueTask.CompletedTask;

    private static string Program(string name)
    {
        var program = Path.Combine(Repository.Executables, name);
        return File.Exists(program) ? program : throw new InvalidOperationException($"no {name} in {Repository.Executables}: run tests/run browser, or set POLICYDAEMON_BIN");
    }

    // Held at once, so that they differ; whoever takes one in between makes the start fail, which says so.
    internal static int FreePort() => FreePorts(1)[0];

    private static int[] FreePorts(int count)
    {
        var held = Enumerable.Range(0, count).Select(_ =>
        {
            var listener = new TcpListener(IPAddress.Loopback, 0);
            listener.Start();
            return listener;
        }).ToList();
        var ports = held.Select(listener => ((IPEndPoint)listener.LocalEndpoint).Port).ToArray();
        held.ForEach(listener => listener.Dispose());
        return ports;
    }
}
