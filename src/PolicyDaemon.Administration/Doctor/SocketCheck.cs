using PolicyDaemon.Administration.Postfix;
using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Core.Destinations;

namespace PolicyDaemon.Administration.Doctor;

/// <summary>A question that smtp(8) would ask: a table of ours, and from where it is asked.</summary>
/// <param name="Table">The table, as main.cf names it.</param>
/// <param name="Services">The services of master.cf(5) that ask it so, such as <c>smtp/unix</c>.</param>
/// <param name="Root">The directory that is their root; null where they do not run chrooted.</param>
/// <param name="Directory">Their working directory, as it is called below that root.</param>
/// <param name="User">The user that they are, of mail_owner.</param>
public sealed record SocketQuestion(PolicyMap Table, IReadOnlyList<string> Services, string? Root, string Directory, string User)
{
    /// <summary>The endpoint as the services reach it: the path of a unix socket absolute below their root.</summary>
    public string Endpoint => Table.SocketPath is { } path && !path.StartsWith('/') ? $"unix:{Directory.TrimEnd('/')}/{path}" : Table.Endpoint;

    /// <summary>The path of the unix socket on the whole machine; null for TCP.</summary>
    public string? MachinePath => Table.SocketPath is null ? null : Root is null ? Endpoint[5..] : Root.TrimEnd('/') + Endpoint[5..];

    /// <summary>All questions of a Postfix to tables of ours: each table once for every kind of service that asks it.</summary>
    public static IReadOnlyList<SocketQuestion> Of(PostfixConfiguration postfix, Settings settings)
    {
        ArgumentNullException.ThrowIfNull(postfix);
        var (queue, user) = (postfix.QueueDirectory, postfix["mail_owner"] is { Length: > 0 } owner ? owner : "postfix");
        // proxymap(8) is asked on behalf of others, and reaches tables from where it runs itself.
        var proxy = postfix.Services.FirstOrDefault(service => service.Program == "proxymap");
        return
        [
            .. postfix.SmtpClients
                .SelectMany(service => PostfixList.Split(postfix.For(service, "smtp_tls_policy_maps")).Select(PolicyMap.TryParse).OfType<PolicyMap>()
                    .Where(map => IsOurs(map, service, postfix, settings)).Select(map => (Map: map, Service: map.Proxied && proxy is not null ? proxy : service)))
                .GroupBy(asked => (asked.Map, asked.Service.Chroot))
                .Select(group => new SocketQuestion(
                    group.Key.Map, [.. group.Select(asked => asked.Service.FullName).Distinct(StringComparer.Ordinal)], group.Key.Chroot ? queue : null,
                    group.Key.Chroot ? "/" : queue, user)),
        ];
    }

    /// <summary>A socket of ours under a path that means another one inside the chroot is meant to be ours all the same.</summary>
    private static bool IsOurs(PolicyMap map, PostfixService service, PostfixConfiguration postfix, Settings settings) =>
        map.IsServedBy(settings, postfix.QueueDirectory)
        || (service.Chroot && map.SocketPath is { } path && path.StartsWith('/')
            && (map with { Endpoint = $"unix:{postfix.QueueDirectory.TrimEnd('/')}{path}" }).IsServedBy(settings, postfix.QueueDirectory));
}

/// <summary>What became of a question.</summary>
public enum SocketOutcome
{
    /// <summary>It was answered with a policy or "not found".</summary>
    Answered,

    /// <summary>It was answered with an error.</summary>
    Refused,

    /// <summary>Nobody listens.</summary>
    NotRunning,

    /// <summary>There is no such socket from there.</summary>
    NoSocket,

    /// <summary>The user may not connect.</summary>
    NoPermission,

    /// <summary>No answer in time, or none that Postfix would accept.</summary>
    Failed,

    /// <summary>It could not be asked like that.</summary>
    NotAsked,
}

/// <summary>A question with what became of it.</summary>
/// <param name="Question">The question.</param>
/// <param name="Outcome">What became of it.</param>
/// <param name="Message">What was said, or why it was not asked; empty where it was answered.</param>
public sealed record SocketAnswer(SocketQuestion Question, SocketOutcome Outcome, string Message);

/// <summary>Whether Postfix reaches policyd: asked as Postfix's user, from inside its chroot.</summary>
public static class SocketCheck
{
    private const string Name = "socket";
    private const string Waits = "mail waits, every delivery that asks is deferred (4.7.5)";

    /// <param name="answers">The questions with their answers.</param>
    /// <param name="postfix">The configuration of Postfix, for remedies.</param>
    public static IEnumerable<DoctorFinding> Judge(IReadOnlyCollection<SocketAnswer> answers, PostfixConfiguration postfix)
    {
        ArgumentNullException.ThrowIfNull(answers);
        ArgumentNullException.ThrowIfNull(postfix);
        if (answers.Count == 0)
            yield return DoctorFinding.Unknown(Name, "no table in smtp_tls_policy_maps is policyd's, so that there is nothing to ask; see the lines about postfix", "policyctl setup");
        foreach (var answer in answers)
            yield return Judge(answer, postfix);
    }

    private static DoctorFinding Judge(SocketAnswer answer, PostfixConfiguration postfix)
    {
        var question = answer.Question;
        var who = $"{string.Join(", ", question.Services)} as {question.User}{(question.Root is { } root ? $" inside {root}" : "")}";
        var table = question.Table.Text;
        return answer.Outcome switch
        {
            SocketOutcome.Answered => DoctorFinding.Ok(Name, $"{who}: {table} answers"),
            SocketOutcome.NotAsked => DoctorFinding.Unknown(Name, $"{table} was not asked as {who} asks it: {answer.Message}"),
            SocketOutcome.Refused => DoctorFinding.Problem(Name, $"{who}: {table} answers with an error ({answer.Message}): {Waits}", "policyctl status", "policyctl setup"),
            SocketOutcome.NotRunning => DoctorFinding.Problem(Name, $"{who}: nobody answers {table}: {Waits}", DaemonAbsenceStart),
            SocketOutcome.NoSocket => DoctorFinding.Problem(Name, $"{who}: there is no socket {question.Endpoint[5..]} from there: {Waits}", [.. OfNoSocket(question, postfix)]),
            SocketOutcome.NoPermission => DoctorFinding.Problem(Name, $"{who}: no permission to connect to {table}: {Waits}", [.. OfNoPermission(question)]),
            _ => DoctorFinding.Problem(Name, $"{who}: {answer.Message}: {Waits}", "journalctl -u policyd -n 50"),
        };
    }

    private const string DaemonAbsenceStart = Status.DaemonAbsence.Start;

    /// <summary>Where the path is another one inside the chroot, main.cf is wrong; otherwise nobody has made the socket.</summary>
    private static IEnumerable<string> OfNoSocket(SocketQuestion question, PostfixConfiguration postfix)
    {
        if (question.Root is null || question.Table.SocketPath is not { } path || !path.StartsWith('/'))
        {
            yield return DaemonAbsenceStart;
            yield break;
        }

        var ours = PolicyMap.Below(path, postfix.QueueDirectory) is { } below ? $"{(question.Table.Proxied ? "proxy:" : "")}socketmap:unix:{below}:{question.Table.Map}" : null;
        if (ours is null)
        {
            // The daemon has to listen elsewhere, which no command line does.
            yield return "policyctl setup";
            yield break;
        }

        yield return postfix.SetCommand(
            "smtp_tls_policy_maps", string.Join(", ", postfix.List("smtp_tls_policy_maps").Select(table => table == question.Table.Text ? ours : table))).Text;
        yield return postfix.ReloadCommand;
    }

    /// <summary>The way to the socket is Postfix's to enter, and the socket its group's to connect to (policydaemon.conf(5), socketmap).</summary>
    private static IEnumerable<string> OfNoPermission(SocketQuestion question)
    {
        if (question.MachinePath is not { } path)
            yield break;
        var directory = Shell.Quote(path[..path.LastIndexOf('/')]);
        yield return $"chgrp {Shell.Quote(question.User)} {directory} {Shell.Quote(path)}";
        yield return $"chmod 2750 {directory}";
        yield return $"chmod 0660 {Shell.Quote(path)}";
    }
}
