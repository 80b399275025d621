using System.Diagnostics;
using System.Globalization;
using System.Text;

namespace PolicyDaemon.Packages.Machines;

/// <summary>
/// A machine booted by systemd-nspawn from a root that stays as it is: what the machine writes lies in memory and is gone with it.
/// It has its own processes, users and network, of which only loopback is up.
/// </summary>
public sealed class Machine : IAsyncDisposable
{
    private static int _count;

    private readonly Process _nspawn;
    private readonly StringBuilder _console = new();
    private string _init = "";

    private Machine(Process nspawn) => _nspawn = nspawn;

    /// <summary>The machine's files as the host sees them.</summary>
    public string Root => $"/proc/{_init}/root";

    /// <summary>Boots a machine and waits until everything that starts with it has started.</summary>
    /// <param name="suite">Debian's name of the release; <c>make-root</c> has made its root.</param>
    public static async Task<Machine> BootAsync(string suite)
    {
        var root = Path.Combine(Repository.Root, "artifacts", "machines", suite);
        if (!File.Exists(root + ".complete"))
            throw new InvalidOperationException($"no root for {suite}: run tests/PolicyDaemon.Packages/make-root {suite}");
        // Neither registered nor in a unit: the host may have no systemd.
        var info = CommandLine.StartInfo(
        [
            // It ends with us, however we end.
            "setpriv", "--pdeathsig", "KILL", "--", "systemd-nspawn", "--register=no", "--keep-unit", "--quiet", "--private-network", "--volatile=overlay", "--console=pipe",
            "--machine", $"policydaemon-{Environment.ProcessId}-{Interlocked.Increment(ref _count)}", "--hostname", "mail",
            "--resolv-conf=off", "--timezone=off", "--directory", root, "--boot",
        ]);
        var machine = new Machine(new Process { StartInfo = info });
        machine._nspawn.OutputDataReceived += (_, line) => machine.Keep(line.Data);
        machine._nspawn.ErrorDataReceived += (_, line) => machine.Keep(line.Data);
        if (!machine._nspawn.Start()) throw new InvalidOperationException("cannot start systemd-nspawn");
        machine._nspawn.BeginOutputReadLine();
        machine._nspawn.BeginErrorReadLine();
        try
        {
            await machine.WaitUntilUpAsync();
            return machine;
        }
        catch
        {
            await machine.DisposeAsync();
            throw;
        }
    }

    /// <summary>Runs a program as root to its end.</summary>
    public Task<CommandResult> RunAsync(params string[] command) => CommandLine.RunAsync([.. Enter, .. command]);

    /// <summary>Runs a shell script as root to its end; it stops at the first command that fails.</summary>
    public Task<CommandResult> ShellAsync(string script) => CommandLine.RunAsync([.. Enter, "bash", "-euo", "pipefail", "-s"], script);

    /// <summary>Runs a shell script, which must succeed.</summary>
    /// <returns>Its output without the last line feed.</returns>
    public async Task<string> DoAsync(string script)
    {
        var result = await ShellAsync(script);
        return result.ExitCode == 0
            ? result.Output.TrimEnd('\n')
            : throw new InvalidOperationException($"{result}\nThe script:\n{script}\nThe journal:\n{await EvidenceAsync()}");
    }

    public async Task<bool> SucceedsAsync(string script) => (await ShellAsync(script)).ExitCode == 0;

    /// <summary>Runs a shell script until it succeeds; the journal tells why it never did.</summary>
    /// <param name="what">Completes "waited in vain until ...".</param>
    public async Task UntilAsync(string what, string script)
    {
        try
        {
            await Until.TrueAsync(what, () => SucceedsAsync(script));
        }
        catch (TimeoutException late)
        {
            throw new TimeoutException($"{late.Message}\nThe script:\n{script}\nThe journal:\n{await EvidenceAsync()}", late);
        }
    }

    /// <summary>Puts a file of the host into the machine's directory for temporary files.</summary>
    /// <returns>Its name there.</returns>
    public string Bring(string file)
    {
        var target = "/var/tmp/" + Path.GetFileName(file);
        File.Copy(file, Root + target, overwrite: true);
        return target;
    }

    /// <summary>What helps to see why something failed: the journal's end.</summary>
    public async Task<string> EvidenceAsync() =>
        (await RunAsync("journalctl", "--no-pager", "--lines=80", "--output=short-precise")).Output;

    public async ValueTask DisposeAsync()
    {
        // Nothing on it is worth an orderly end. With its first process gone the kernel ends the others; it outlives nspawn.
        if (int.TryParse(_init, CultureInfo.InvariantCulture, out var init))
        {
            try
            {
                using var first = Process.GetProcessById(init);
                first.Kill();
            }
            catch (ArgumentException)
            {
                // It has ended by itself.
            }
        }

        if (!_nspawn.HasExited) _nspawn.Kill(entireProcessTree: true);
        await _nspawn.WaitForExitAsync(CancellationToken.None);
        _nspawn.Dispose();
    }

    private string[] Enter =>
    [
        "nsenter", "--target", _init, "--mount", "--uts", "--ipc", "--net", "--pid", "--root", "--",
        "env", "--ignore-environment", "--chdir=/", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LC_ALL=C.UTF-8", "DEBIAN_FRONTEND=noninteractive",
    ];

    private async Task WaitUntilUpAsync()
    {
        var children = $"/proc/{_nspawn.Id}/task/{_nspawn.Id}/children";
        _init = await Until.ResultAsync("the machine has a first process", () =>
        {
            if (_nspawn.HasExited) throw new InvalidOperationException($"systemd-nspawn ended; it needs root:\n{Console}");
            var child = File.ReadAllText(children).Trim();
            // systemd, not nspawn on its way to it.
            return Task.FromResult(child.Length > 0 && !child.Contains(' ', StringComparison.Ordinal)
                && ReadOrEmpty($"/proc/{child}/comm").Trim() == "systemd" ? child : null);
        }, () => Console);
        await Until.TrueAsync("the machine is up", async () =>
            (await RunAsync("systemctl", "is-system-running", "--wait")).Output.Trim() is "running" or "degraded", () => Console);
    }

    private string Console
    {
        get
        {
            lock (_console) return _console.ToString();
        }
    }

    private void Keep(string? line)
    {
        if (line is null) return;
        lock (_console) _console.Append(line).Append('\n');
    }

    private static string ReadOrEmpty(string file)
    {
        try
        {
            return File.ReadAllText(file);
        }
        catch (IOException)
        {
            return "";
        }
    }
}
