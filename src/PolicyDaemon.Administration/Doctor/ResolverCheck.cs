using System.Net;
using PolicyDaemon.Administration.Postfix;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Probe.Dns;

namespace PolicyDaemon.Administration.Doctor;

/// <summary>What is known of the resolvers of policyd and of Postfix.</summary>
/// <param name="Ours">The resolvers that policyd asks.</param>
/// <param name="Machine">Those of /etc/resolv.conf.</param>
/// <param name="Jail">Those of etc/resolv.conf below the queue directory, where smtp(8) runs chrooted and the file is there; otherwise null.</param>
/// <param name="JailFile">That file, where smtp(8) runs chrooted; otherwise null.</param>
/// <param name="IsTrusted">The configuration says resolver_trusted = yes.</param>
/// <param name="Test">The self-test of our resolvers, made as if they were trusted; null where it was not made.</param>
public sealed record ResolverFacts(
    IReadOnlyList<IPEndPoint> Ours, IReadOnlyList<IPEndPoint> Machine, IReadOnlyList<IPEndPoint>? Jail, string? JailFile, bool IsTrusted, ResolverTest? Test);

/// <summary>Whether policyd and Postfix ask the same resolver, and whether that one validates DNSSEC.</summary>
public static class ResolverCheck
{
    private const string Name = "resolver";

    // The C library asks this machine where the file has no resolver, or is not there (resolv.conf(5)).
    private static readonly IReadOnlyList<IPEndPoint> Default = [new IPEndPoint(IPAddress.Loopback, 53)];

    /// <summary>Judges the resolvers of policyd alone, where there is no Postfix to compare with.</summary>
    public static IEnumerable<DoctorFinding> Judge(ResolverFacts facts) => [OfTest(facts)];

    /// <param name="facts">What is known of the resolvers.</param>
    /// <param name="postfix">The configuration of Postfix.</param>
    /// <param name="configuration">The file that has the section [probe], for people.</param>
    public static IEnumerable<DoctorFinding> Judge(ResolverFacts facts, PostfixConfiguration postfix, string configuration)
    {
        ArgumentNullException.ThrowIfNull(facts);
        ArgumentNullException.ThrowIfNull(postfix);
        yield return OfTest(facts);
        var jail = OfJail(facts, postfix);
        if (jail is not null)
            yield return jail;
        var theirs = facts.JailFile is null ? facts.Machine : facts.Jail ?? Default;
        if (Same(facts.Ours, theirs))
            yield return DoctorFinding.Ok(Name, $"policyd and Postfix ask the same: {Text(theirs)}");
        else if (jail is { Severity: >= DoctorSeverity.Warning })
        {
            // Its remedy makes Postfix ask as the machine does; another one that makes policyd follow what Postfix asks meanwhile would undo that.
        }
        else if (facts.IsTrusted || postfix["smtp_dns_support_level"] == "dnssec")
            yield return DoctorFinding.Warning(
                Name, $"policyd asks {Text(facts.Ours)} and Postfix {Text(theirs)}: what the one calls secure the other may not, and mail at dane-only may wait although "
                + $"check says that it is delivered. Write resolver = {Text(theirs)} in [probe] of {configuration}, or give Postfix policyd's", "systemctl reload policyd");
        else
            yield return DoctorFinding.Note(Name, $"policyd asks {Text(facts.Ours)} and Postfix {Text(theirs)}: they may see different MX hosts");
        if (postfix["smtp_dns_support_level"] == "dnssec" && theirs.Any(server => !IPAddress.IsLoopback(server.Address)))
        {
            yield return DoctorFinding.Note(
                Name, $"Postfix believes the AD bit of {Text(theirs)}, which is not on this machine: whoever stands in between can forge DANE. A validating resolver on 127.0.0.1 ends that");
        }
    }

    private static DoctorFinding OfTest(ResolverFacts facts) => facts switch
    {
        { Test: null } => DoctorFinding.Unknown(Name, $"{Text(facts.Ours)}: whether it validates DNSSEC was not tested"),
        { IsTrusted: true, Test: { Passed: true, Detail: null } } => DoctorFinding.Ok(Name, $"{Text(facts.Ours)} validates DNSSEC, by its self-test"),
        { IsTrusted: true, Test: { Passed: true, Detail: { } half } } => DoctorFinding.Warning(Name, $"{Text(facts.Ours)}: its self-test {half}"),
        { IsTrusted: true, Test.Detail: { } detail } => DoctorFinding.Problem(
            Name, $"{Text(facts.Ours)} is trusted (resolver_trusted = yes) and fails its self-test: {detail}. Nothing counts as secure: DANE proves no key, and pins wait for a person",
            "delv www.isc.org", $"delv @{facts.Ours[0].Address} -p {facts.Ours[0].Port} www.isc.org"),
        { Test: { Passed: true, Detail: null } } => DoctorFinding.Note(
            Name, $"{Text(facts.Ours)} validates DNSSEC, and is not trusted: if the way to it is safe, write resolver_trusted = yes in [probe], and DANE counts"),
        { Test.Detail: var detail } => DoctorFinding.Note(
            Name, $"{Text(facts.Ours)} is not trusted (resolver_trusted = no), so that DANE counts for nothing; its self-test says: {detail}"),
    };

    /// <summary>A copy in the chroot that is older than the machine's own file sends Postfix to another resolver, or to none.</summary>
    private static DoctorFinding? OfJail(ResolverFacts facts, PostfixConfiguration postfix)
    {
        if (facts.JailFile is not { } file || (facts.Jail is { } jail && Same(jail, facts.Machine)))
            return null;
        string[] remedy =
        [
            $"install -D -m 0644 /etc/resolv.conf {Shell.Quote(file)}",
            postfix.ReloadCommand,
        ];
        if (facts.Jail is null)
        {
            return Same(Default, facts.Machine)
                ? DoctorFinding.Note(Name, $"smtp(8) runs chrooted and finds no {file}: it asks 127.0.0.1, as this machine does; with a copy it would not depend on that")
                : DoctorFinding.Problem(Name, $"smtp(8) runs chrooted and finds no {file}: it asks 127.0.0.1 instead of {Text(facts.Machine)}, and mail waits if nobody answers there", remedy);
        }

        var differs = $"inside the chroot Postfix asks {Text(facts.Jail)}, this machine {Text(facts.Machine)}: {file} is not what /etc/resolv.conf says";
        if (Same(facts.Ours, facts.Jail))
            return DoctorFinding.Note(Name, $"{differs}, and policyd asks as Postfix does");
        var follows = Same(facts.Ours, facts.Machine) ? "" : $". policyd asks {Text(facts.Ours)}, by resolver in [probe]";
        return DoctorFinding.Warning(Name, differs + follows, remedy);
    }

    private static bool Same(IReadOnlyList<IPEndPoint> one, IReadOnlyList<IPEndPoint> other) => one.Count == other.Count && one.All(other.Contains);

    internal static string Text(IReadOnlyList<IPEndPoint> servers) =>
        string.Join(", ", servers.Select(server => server.Port == 53 ? $"{server.Address}" : $"{server}"));
}
