using System.ComponentModel;
using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using PolicyDaemon.Administration.Doctor;
using PolicyDaemon.Core;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Runtime;
using PolicyDaemon.Lookup.Clients;
using PolicyDaemon.Lookup.Listening;
using PolicyDaemon.Lookup.Protocols;

namespace PolicyDaemon.Cli.Hosting;

/// <summary>What <c>doctor</c> has a child of this program do as another user.</summary>
/// <remarks>
/// <code>
/// policyctl __ask USER ROOT DIRECTORY socketmap|tcp ENDPOINT MAP SECONDS     asks a table from inside ROOT; writes OUTCOME, a tab, a message
/// policyctl __run USER PROGRAM ARGUMENT...                                   runs a program, with this one's streams and its exit code
/// </code>
/// The child becomes that user for good. It loads nothing afterwards: inside a chroot there is nothing to load. For root alone; no part of the
/// documented commands.
/// </remarks>
internal static class OtherUser
{
    internal const string Ask = "__ask";
    internal const string Run = "__run";

    /// <summary>A key that no answer is for, and that nobody discovers: of subdomains, below a name that does not exist (RFC 6761 section 6.4).</summary>
    internal const string AnyKey = ".doctor.invalid";

    private static readonly StoredNames<SocketOutcome> Outcomes = new(
        (SocketOutcome.Answered, "answered"), (SocketOutcome.Refused, "refused"), (SocketOutcome.NotRunning, "not-running"), (SocketOutcome.NoSocket, "no-socket"),
        (SocketOutcome.NoPermission, "no-permission"), (SocketOutcome.Failed, "failed"), (SocketOutcome.NotAsked, "not-asked"));

    /// <summary>True for a command line of this class.</summary>
    internal static bool IsMeant(IReadOnlyList<string> args) => args is [Ask or Run, ..];

    internal static ExitCode Execute(IReadOnlyList<string> args, CliHost host) => args switch
    {
        [Ask, var user, var root, var directory, var protocol, var endpoint, var map, var seconds]
            when double.TryParse(seconds, NumberStyles.Float, CultureInfo.InvariantCulture, out var patience) && patience is > 0 and <= 600
            => Tell(host, AskAs(user, root, directory, protocol, endpoint, map, TimeSpan.FromSeconds(patience))),
        [Run, var user, var program, ..] => RunAs(user, program, [.. args.Skip(3)], host),
        _ => ExitCode.Usage,
    };

    /// <summary>Asks a table as this process, from where it is.</summary>
    internal static async Task<(SocketOutcome Outcome, string Message)> AskAsync(string protocol, string text, string map, TimeSpan patience, CancellationToken cancellation)
    {
        var kind = protocol == "tcp" ? MapProtocol.TcpTable : MapProtocol.Socketmap;
        // Postfix takes an empty host as localhost.
        if (!MapEndpoint.TryParse(kind, text.StartsWith("inet::", StringComparison.Ordinal) ? "inet:localhost:" + text["inet::".Length..] : text, out var endpoint, out var reason))
            return (SocketOutcome.NotAsked, reason);
        var result = kind == MapProtocol.TcpTable
            ? await TcpTableClient.AskAsync(endpoint, AnyKey, patience, TimeProvider.System, cancellation)
            : await SocketmapClient.AskAsync(endpoint, map, AnyKey, patience, TimeProvider.System, cancellation);
        return result switch
        {
            { Status: QueryStatus.Answered, Answer.Kind: LookupAnswerKind.Found or LookupAnswerKind.NotFound } => (SocketOutcome.Answered, ""),
            { Status: QueryStatus.Answered } => (SocketOutcome.Refused, result.Answer.Text),
            { Status: QueryStatus.NoPermission } => (SocketOutcome.NoPermission, result.Message),
            _ when endpoint.Path is { } path && !File.Exists(path) => (SocketOutcome.NoSocket, result.Message),
            { Status: QueryStatus.NotRunning } => (SocketOutcome.NotRunning, result.Message),
            _ => (SocketOutcome.Failed, result.Message),
        };
    }

    internal static bool TryRead(string line, out SocketOutcome outcome, [NotNullWhen(true)] out string? message)
    {
        var words = line.TrimEnd('\n').Split('\t', 2);
        message = words.Length == 2 ? words[1] : null;
        return Outcomes.TryParse(words[0], out outcome) && message is not null;
    }

    private static ExitCode Tell(CliHost host, (SocketOutcome Outcome, string Message) result)
    {
        host.Out.WriteLine($"{Outcomes.Of(result.Outcome)}\t{ShownText.Escape(result.Message)}");
        return ExitCode.Done;
    }

    private static (SocketOutcome Outcome, string Message) AskAs(string name, string root, string directory, string protocol, string endpoint, string map, TimeSpan patience)
    {
        if (UnixUser.Find(name) is not { } user)
            return (SocketOutcome.NotAsked, $"there is no user {name} (mail_owner)");
        try
        {
            ProcessUser.Become(user, root.Length == 0 ? null : root, directory);
        }
        catch (IOException fault)
        {
            return (SocketOutcome.NotAsked, $"this process cannot become {name}{(root.Length == 0 ? "" : $" inside {root}")}: {fault.Message}");
        }

        return AskAsync(protocol, endpoint, map, patience, CancellationToken.None).GetAwaiter().GetResult();
    }

    private static ExitCode RunAs(string name, string program, IReadOnlyList<string> arguments, CliHost host)
    {
        try
        {
            ProcessUser.Become(UnixUser.Find(name) ?? throw new IOException($"there is no user {name}"), null, "/");
            using var process = Process.Start(new ProcessStartInfo(program, arguments) { WorkingDirectory = "/" });
            process?.WaitForExit();
            return (ExitCode)(process?.ExitCode ?? (int)ExitCode.Invalid);
        }
        catch (Exception fault) when (fault is IOException or Win32Exception)
        {
            host.Error.WriteLine($"policyctl: {program} cannot be run as {name}: {ShownText.Escape(fault.Message)}");
            return ExitCode.Permission;
        }
    }
}
