using System.ComponentModel;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using PolicyDaemon.Administration.Doctor;
using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Core.Runtime;

namespace PolicyDaemon.Cli.Hosting;

/// <summary>This machine. What another user is to do, a child of this program does, which makes itself that user's (<see cref="OtherUser"/>).</summary>
internal sealed class LocalMachine : IMachine
{
    private const string DaemonProgram = "policyd";

    // What a child prints is a line, or a few results.
    private const int MaxOutput = 64 * 1024;

    private static readonly string[] Places = ["/usr/sbin", "/usr/local/sbin"];

    // A child takes a moment to start on a machine that is busy.
    private static readonly TimeSpan Start = TimeSpan.FromSeconds(5);

    public bool? IsClockSynchronized() => KernelClock.IsSynchronized();

    public async Task<SocketAnswer> AskAsync(SocketQuestion question, TimeSpan patience, CancellationToken cancellation)
    {
        if (!UnixUser.IsRoot)
            return await AskAsOneselfAsync(question, patience, cancellation);
        var (_, output, error) = await RunAsync(
            Environment.ProcessPath!,
            [OtherUser.Ask, question.User, question.Root ?? "", question.Directory, question.Table.Protocol, question.Endpoint, question.Table.Map,
                patience.TotalSeconds.ToString(CultureInfo.InvariantCulture)],
            patience + Start, cancellation);
        return OtherUser.TryRead(output, out var outcome, out var message)
            ? new SocketAnswer(question, outcome, message)
            : new SocketAnswer(question, SocketOutcome.NotAsked, error.Trim() is { Length: > 0 } said ? said : "the program that was to ask ended without a word");
    }

    public async Task<IReadOnlyList<SentAlert>> SendTestAlertAsync(Settings settings, UnixUser? service, TimeSpan patience, CancellationToken cancellation)
    {
        if (!UnixUser.IsRoot && service?.Name != Environment.UserName)
            throw new CommandException(ExitCode.Permission, "alerts go out as the user of policyd; run this as root");
        if (service is null)
            throw new CommandException(ExitCode.Inconclusive, "which user policyd runs as is not known; start it first: systemctl start policyd");
        string[] command = [PlaceOf(), .. settings.File is { } file ? (string[])["--config", Path.GetFullPath(file)] : [], "--test-alert"];
        var (code, output, error) = UnixUser.IsRoot
            ? await RunAsync(Environment.ProcessPath!, [OtherUser.Run, service.Name, .. command], patience, cancellation)
            : await RunAsync(command[0], command[1..], patience, cancellation);
        try
        {
            if (JsonSerializer.Deserialize(output, SentAlertJson.Default.IReadOnlyListSentAlert) is { } sent)
                return sent;
        }
        catch (JsonException)
        {
            // Said below, with what it printed.
        }

        throw new CommandException(ExitCode.Invalid, string.Create(CultureInfo.InvariantCulture, $"{command[0]} --test-alert ended with status {code}: {error.Trim()}"));
    }

    /// <summary>What can be told without root: that nobody listens, or that it answers somebody else than Postfix.</summary>
    private static async Task<SocketAnswer> AskAsOneselfAsync(SocketQuestion question, TimeSpan patience, CancellationToken cancellation)
    {
        var endpoint = question.MachinePath is { } path ? $"unix:{path}" : question.Endpoint;
        var (outcome, message) = await OtherUser.AskAsync(question.Table.Protocol, endpoint, question.Table.Map, patience, cancellation);
        return question.Root is null && question.User == Environment.UserName ? new SocketAnswer(question, outcome, message) : outcome switch
        {
            SocketOutcome.Answered => new SocketAnswer(question, SocketOutcome.NotAsked, $"it answers you; only root can ask as {question.User}"),
            SocketOutcome.NoPermission => new SocketAnswer(question, SocketOutcome.NotAsked, $"you may not connect to it; only root can ask as {question.User}"),
            SocketOutcome.NoSocket => new SocketAnswer(question, SocketOutcome.NotAsked, $"you see no socket there; only root can ask as {question.User}"),
            _ => new SocketAnswer(question, outcome, message),
        };
    }

    private static string PlaceOf() =>
        Places.Prepend(Path.GetDirectoryName(Environment.ProcessPath!)!).Select(folder => Path.Combine(folder, DaemonProgram)).FirstOrDefault(File.Exists)
        ?? throw new CommandException(ExitCode.Invalid, $"there is no {DaemonProgram} beside policyctl, nor in {string.Join(" or ", Places)}");

    /// <exception cref="CommandException">The program cannot be started, or did not end in time.</exception>
    private static async Task<(int Code, string Output, string Error)> RunAsync(string program, string[] arguments, TimeSpan patience, CancellationToken cancellation)
    {
        var start = new ProcessStartInfo(program, arguments) { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = "/" };
        using var deadline = new CancellationTokenSource(patience);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellation, deadline.Token);
        try
        {
            using var process = Process.Start(start) ?? throw new Win32Exception("no process");
            process.StandardInput.Close();
            var (output, error) = (ReadAsync(process.StandardOutput, either.Token), ReadAsync(process.StandardError, either.Token));
            try
            {
                await process.WaitForExitAsync(either.Token);
                return (process.ExitCode, await output, await error);
            }
            catch (OperationCanceledException)
            {
                process.Kill(entireProcessTree: true);
                cancellation.ThrowIfCancellationRequested();
                throw new CommandException(ExitCode.Inconclusive, string.Create(CultureInfo.InvariantCulture, $"{program} did not end within {patience.TotalSeconds:0.#} s"));
            }
        }
        catch (Win32Exception fault)
        {
            throw new CommandException(ExitCode.Invalid, $"{program} cannot be run: {fault.Message}");
        }
    }

    private static async Task<string> ReadAsync(StreamReader stream, CancellationToken cancellation)
    {
        var buffer = new char[MaxOutput];
        var length = await stream.ReadBlockAsync(buffer, cancellation);
        return new string(buffer, 0, length);
    }
}
