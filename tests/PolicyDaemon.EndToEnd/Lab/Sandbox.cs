using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace PolicyDaemon.EndToEnd.Lab;

/// <summary>
/// A temporary directory and namespaces (network, mount, process) in which a laboratory's programs run. The host's
/// network, configuration and processes are neither seen nor changed.
/// </summary>
/// <remarks>
/// The namespaces have no names outside: their first process lives until this object or the whole test process is gone,
/// and everything in them dies with it. A directory left behind by a killed run is removed by the next run: its lock is free.
/// With POLICYDAEMON_LAB_KEEP set in the environment, directories stay until the next run, with all logs.
/// </remarks>
public sealed class Sandbox : IAsyncDisposable
{
    private const string Prefix = "policydaemon-lab-";

    private readonly FileStream _lock;
    private readonly Process _unshare;
    private readonly string _init;

    private Sandbox(string folder, FileStream folderLock, Process unshare, string init)
    {
        Folder = folder;
        _lock = folderLock;
        _unshare = unshare;
        _init = init;
    }

    /// <summary>Everything of the laboratory lies below this folder, which may be read by any user of the machine.</summary>
    public string Folder { get; }

    internal static async Task<Sandbox> CreateAsync(PostfixInstallation postfix)
    {
        RemoveLeftovers();
        // Short, because the path of a unix socket has at most 107 bytes.
        var folder = Directory.CreateTempSubdirectory(Prefix).FullName;
        // Locked before it has its name: another run takes a lock that is free for what a killed run left behind.
        var folderLock = Lock(LockFile(folder) + ".new") ?? throw new InvalidOperationException($"{folder} belongs to another run");
        File.Move(LockFile(folder) + ".new", LockFile(folder));
        // Postfix' own users walk through it.
        File.SetUnixFileMode(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute
            | UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute);

        var etc = Directory.CreateDirectory(Path.Combine(folder, "etc")).FullName;
        // trust-ad: without it the C library clears the AD bit that DANE depends on.
        await File.WriteAllTextAsync(Path.Combine(etc, "resolv.conf"), "nameserver 127.0.0.1\noptions trust-ad\n");
        // knotd asks for its host's name when it starts, before anybody could answer.
        await File.WriteAllTextAsync(Path.Combine(etc, "hosts"), $"127.0.0.1 localhost {Environment.MachineName}\n::1 localhost\n");
        await File.WriteAllTextAsync(Path.Combine(etc, "nsswitch.conf"), "passwd: files\ngroup: files\nhosts: files dns\nservices: files\n");

        var script = Path.Combine(AppContext.BaseDirectory, "Lab", "sandbox-init.sh");
        var unshare = Process.Start(CommandLine.StartInfo(
            ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", script, folder, postfix.UnpackedRoot ?? ""]))
            ?? throw new InvalidOperationException("cannot start unshare");
        if (await unshare.StandardOutput.ReadLineAsync() != "ready")
        {
            var error = await unshare.StandardError.ReadToEndAsync();
            throw new InvalidOperationException($"the laboratory needs root, network namespaces and {script}:\n{error}");
        }

        var init = (await File.ReadAllTextAsync($"/proc/{unshare.Id}/task/{unshare.Id}/children")).Trim();
        return new Sandbox(folder, folderLock, unshare, init);
    }

    /// <summary>Runs a program on the sending side to its end.</summary>
    public Task<CommandResult> RunAsync(IReadOnlyList<string> command, string? input = null) =>
        CommandLine.RunAsync([.. Enter, .. command], input);

    /// <summary>Runs a program on the receiving side, where the MX hosts' addresses are, to its end.</summary>
    public Task<CommandResult> RunOnMxAsync(params string[] command) =>
        RunOnMxAsync(command, input: null);

    /// <summary>Runs a program on the receiving side, with this on its standard input.</summary>
    public Task<CommandResult> RunOnMxAsync(IReadOnlyList<string> command, string? input) =>
        CommandLine.RunAsync([.. Enter, "ip", "netns", "exec", "mx", .. command], input);

    /// <summary>Starts a program on the sending side.</summary>
    public RunningProcess Start(IReadOnlyList<string> command) => new([.. Enter, .. command], entered: true);

    /// <summary>Starts a program on the receiving side.</summary>
    public RunningProcess StartOnMx(IReadOnlyList<string> command) => Start(["ip", "netns", "exec", "mx", .. command]);

    /// <summary>A socket of the test itself at an address of the receiving side.</summary>
    internal Socket BindOnMx(IPEndPoint address, ProtocolType protocol) =>
        NamespaceSockets.Bind($"/proc/{_init}/root/run/netns/mx", address, protocol);

    /// <summary>A socket of the test itself at an address of the sending side.</summary>
    internal Socket BindOnSender(IPEndPoint address, ProtocolType protocol) =>
        NamespaceSockets.Bind($"/proc/{_init}/ns/net", address, protocol);

    public async ValueTask DisposeAsync()
    {
        _unshare.StandardInput.Close();
        await _unshare.WaitForExitAsync(CancellationToken.None);
        _unshare.Dispose();
        await _lock.DisposeAsync();
        if (Environment.GetEnvironmentVariable("POLICYDAEMON_LAB_KEEP") is { Length: > 0 }) return;
        Remove(Folder);
    }

    private string[] Enter => ["nsenter", "--target", _init, "--net", "--mount", "--pid", "--wd=/", "--"];

    private static void RemoveLeftovers()
    {
        foreach (var folder in Directory.EnumerateDirectories(Path.GetTempPath(), Prefix + "*"))
        {
            // A folder without its lock file belongs to a run that is just beginning.
            if (!File.Exists(LockFile(folder))) continue;
            using var free = Lock(LockFile(folder));
            if (free is not null) Remove(folder);
        }
    }

    private static string LockFile(string folder) => Path.Combine(folder, "lock");

    private static FileStream? Lock(string file)
    {
        try
        {
            return new FileStream(file, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static void Remove(string folder)
    {
        try
        {
            Directory.Delete(folder, recursive: true);
        }
        catch (IOException e)
        {
            // Only untidy; the next run tries again.
            TestContext.Current.SendDiagnosticMessage($"cannot remove {folder}: {e.Message}");
        }
    }
}
