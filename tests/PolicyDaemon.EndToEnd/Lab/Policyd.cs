using System.Globalization;
using System.Net.Sockets;
using System.Text.Json;

namespace PolicyDaemon.EndToEnd.Lab;

/// <summary>
/// The published <c>policyd</c> and <c>policyctl</c> with a configuration and a store of their own. The daemon runs as an
/// unprivileged user, policyctl as root, as on an administrator's machine.
/// </summary>
public sealed class Policyd : IAsyncDisposable
{
    /// <summary>The TCP port of the laboratory's one daemon that Postfix is configured for.</summary>
    public const int StandardPort = 8461;

    private readonly Sandbox _sandbox;
    private readonly string _folder;
    private readonly string _socketFolder;
    private readonly int _port;
    private RunningProcess? _daemon;

    /// <param name="sandbox">Where it runs.</param>
    /// <param name="name">A folder of this name in the sandbox has configuration and store.</param>
    /// <param name="socketFolder">Where the daemon makes its unix socket; group postfix can reach it.</param>
    /// <param name="port">The socketmap's TCP port; the tcp_table has the next one.</param>
    internal Policyd(Sandbox sandbox, string name, string socketFolder, int port)
    {
        _port = port;
        _sandbox = sandbox;
        _folder = Path.Combine(sandbox.Folder, name);
        _socketFolder = socketFolder;
    }

    /// <summary>The table for Postfix, over TCP.</summary>
    public string InetTable => $"socketmap:inet:127.0.0.1:{_port}:tlspolicy";

    /// <summary>The table for Postfix, over the unix socket.</summary>
    public string UnixTable => $"socketmap:unix:{UnixSocket}:tlspolicy";

    /// <summary>The table for Postfix, as a tcp_table.</summary>
    public string TcpTable => $"tcp:127.0.0.1:{_port + 1}";

    public string ConfigurationFile => Path.Combine(_folder, "policydaemon.conf");

    public string Database => Path.Combine(_folder, "store", "policy.db");

    public string UnixSocket => Path.Combine(_socketFolder, "socketmap");

    /// <summary>All that the daemon has written since its last start.</summary>
    public string Said => _daemon?.Said ?? "";

    public bool IsRunning => _daemon is { HasExited: false };

    /// <summary>Runs <c>policyctl</c> to its end.</summary>
    public Task<CommandResult> CtlAsync(params string[] arguments) => CtlAsAsync([], arguments);

    /// <summary>Runs <c>policyctl</c> behind a command that changes the user, such as setpriv.</summary>
    /// <returns>The commands in what it printed are as they would be without the laboratory, whose configuration is named in them.</returns>
    public async Task<CommandResult> CtlAsAsync(string[] user, params string[] arguments)
    {
        var result = await _sandbox.RunAsync([.. user, Program("policyctl"), "--config", ConfigurationFile, .. arguments]);
        return result with { Output = Plain(result.Output), Error = Plain(result.Error) };
    }

    private string Plain(string said) => said.Replace($" --config {ConfigurationFile}", "", StringComparison.Ordinal);

    /// <summary>Starts <c>policyctl</c>, for tests that do not let it end.</summary>
    public RunningProcess StartCtl(params string[] arguments) => StartCtlAs([], arguments);

    /// <summary>Starts <c>policyctl</c> behind a command that changes the user.</summary>
    public RunningProcess StartCtlAs(string[] user, params string[] arguments) =>
        _sandbox.Start([.. user, Program("policyctl"), "--config", ConfigurationFile, .. arguments]);

    /// <summary>Runs <c>policyctl</c>, which must succeed.</summary>
    public async Task<string> DoAsync(params string[] arguments) => (await CtlAsync(arguments)).Require();

    /// <summary>Runs <c>policyctl --format json</c>, whatever its exit code says, and reads what it wrote.</summary>
    public async Task<JsonElement> JsonAsync(params string[] arguments)
    {
        var result = await CtlAsync(["--format", "json", .. arguments]);
        try
        {
            return JsonElement.Parse(result.Output);
        }
        catch (JsonException e)
        {
            throw new InvalidOperationException($"no JSON ({e.Message}): {result}", e);
        }
    }

    /// <summary>Writes configuration and folders, as a package does, and makes the store with <c>policyctl init</c>.</summary>
    /// <param name="digest">What fingerprint_digest says.</param>
    /// <param name="storeMegabytes">Puts the store on a file system of this size of its own; 0: no.</param>
    /// <param name="probe">The section [probe]; null: the daemon does not probe.</param>
    /// <param name="postfix">Further lines of the section [postfix].</param>
    /// <param name="withStore">False leaves it to the story to make the store.</param>
    internal async Task PrepareAsync(
        string digest = "sha256", int storeMegabytes = 0, ProbeConfiguration? probe = null, string postfix = "", bool withStore = true)
    {
        CopyExecutables();
        // As a package makes them: the store's folder hands its group on, the socket's folder is Postfix' to enter.
        (await _sandbox.RunAsync(["install", "-d", "-m", "0755", _folder])).Require();
        var store = Path.GetDirectoryName(Database)!;
        if (storeMegabytes > 0)
        {
            Directory.CreateDirectory(store);
            (await _sandbox.RunAsync(
                ["mount", "-t", "tmpfs", "-o", string.Create(CultureInfo.InvariantCulture, $"size={storeMegabytes}m"), "tmpfs", store])).Require();
        }

        (await _sandbox.RunAsync(
            ["install", "-d", "-o", "nobody", "-g", "nogroup", "-m", "2770", store])).Require();
        (await _sandbox.RunAsync(["install", "-d", "-o", "nobody", "-g", "postfix", "-m", "2750", _socketFolder])).Require();
        await File.WriteAllTextAsync(ConfigurationFile, $"""
            [lookup]
            socketmap = inet:127.0.0.1:{_port}, unix:{UnixSocket}
            tcp_table = inet:127.0.0.1:{_port + 1}
            [store]
            database = {Database}
            {probe?.ToString() ?? "[probe]\nenabled = no\n"}
            [postfix]
            fingerprint_digest = {digest}
            version = 3.7
            {postfix}

            """);
        if (withStore) await DoAsync("init");
    }

    /// <summary>Starts the daemon and waits until it answers.</summary>
    /// <param name="descriptors">How many file descriptors it may have open.</param>
    public async Task StartAsync(int descriptors = 4096)
    {
        // The service's user and umask; the limit before the rights to set it are gone.
        _daemon = _sandbox.Start(
            ["prlimit", string.Create(CultureInfo.InvariantCulture, $"--nofile={descriptors}:{descriptors}"),
                "setpriv", "--reuid=nobody", "--regid=nogroup", "--init-groups", "sh", "-c", "umask 0007; exec \"$@\"", "sh",
                Program("policyd"), "--config", ConfigurationFile]);
        await Until.TrueAsync("policyd answers", async () =>
        {
            if (_daemon.HasExited) throw new InvalidOperationException($"policyd ended:\n{Said}");
            return await AskAsync("tlspolicy", "ready.invalid") is { } answer && answer.StartsWith("NOTFOUND ", StringComparison.Ordinal);
        }, () => Said);
    }

    /// <summary>Stops the daemon as systemd does.</summary>
    /// <returns>Its exit code.</returns>
    public async Task<int> StopAsync()
    {
        if (_daemon is null) return 0;
        await _daemon.SignalAsync("TERM");
        var exitCode = await _daemon.ExitAsync();
        await _daemon.DisposeAsync();
        _daemon = null;
        return exitCode;
    }

    /// <summary>Ends the daemon without a chance to say goodbye.</summary>
    public async Task KillAsync()
    {
        if (_daemon is null) return;
        await _daemon.SignalAsync("KILL");
        await _daemon.ExitAsync();
        await _daemon.DisposeAsync();
        _daemon = null;
    }

    /// <summary>Waits until the daemon's answer for a key begins with these words; a change needs a moment to be live.</summary>
    /// <param name="key">The key.</param>
    /// <param name="answer">Whole words, so that <c>OK dane</c> is not <c>OK dane-only</c>; behind a blank or <c>=</c> anything may follow.</param>
    public Task ServesAsync(string key, string answer)
    {
        string? last = null;
        return Until.TrueAsync($"policyd answers \"{answer}...\" for {key}", async () =>
        {
            last = await AskAsync("tlspolicy", key);
            return last is not null && last.StartsWith(answer, StringComparison.Ordinal)
                && (last.Length == answer.Length || answer[^1] is ' ' or '=' || last[answer.Length] == ' ');
        }, () => $"last answer: {last}\n{Said}");
    }

    /// <summary>Asks over the unix socket as socketmap_table(5) describes it.</summary>
    /// <returns>The reply's payload; null where nobody listens or the connection ends.</returns>
    public async Task<string?> AskAsync(string map, string key)
    {
        try
        {
            using var connection = await ConnectAsync();
            return await connection.AskAsync(map, key);
        }
        catch (SocketException)
        {
            return null;
        }
    }

    /// <summary>Opens a connection to the unix socket, to hold it.</summary>
    public Task<SocketmapConnection> ConnectAsync() => SocketmapConnection.OpenAsync(UnixSocket);

    /// <summary>Sends the daemon a signal (its name without SIG).</summary>
    public Task SignalAsync(string signal) => _daemon?.SignalAsync(signal) ?? Task.CompletedTask;

    /// <summary>The daemon's resident memory in KiB.</summary>
    public long ResidentKiB => long.Parse(
        File.ReadLines($"/proc/{_daemon?.ProcessId}/status").First(line => line.StartsWith("VmRSS:", StringComparison.Ordinal))
            .Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);

    public async ValueTask DisposeAsync()
    {
        if (_daemon is not null) await _daemon.DisposeAsync();
    }

    private string Program(string name) => Path.Combine(_sandbox.Folder, "bin", name);

    /// <summary>Copies what was published: the checkout may be in a folder that other users cannot enter.</summary>
    private void CopyExecutables()
    {
        var target = Path.Combine(_sandbox.Folder, "bin");
        if (Directory.Exists(target)) return;
        if (!File.Exists(Path.Combine(Repository.Executables, "policyd")) || !File.Exists(Path.Combine(Repository.Executables, "policyctl")))
        {
            throw new InvalidOperationException(
                $"no policyd and policyctl in {Repository.Executables}: publish them there, or set POLICYDAEMON_BIN to their folder");
        }

        Directory.CreateDirectory(target);
        foreach (var file in Directory.EnumerateFiles(Repository.Executables))
        {
            if (!file.EndsWith(".dbg", StringComparison.Ordinal)) File.Copy(file, Path.Combine(target, Path.GetFileName(file)));
        }
    }
}
