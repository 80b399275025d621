namespace PolicyDaemon.Cli.Setup.Checks;

/// <summary>Where SELinux enforces, Postfix needs leave to connect to a unix socket of ours. Not tested on such a system, and says so.</summary>
internal static class SelinuxCheck
{
    internal static IEnumerable<SetupResult> Run(SetupSubject subject)
    {
        if (!subject.SelinuxEnforces)
            yield break;
        foreach (var path in subject.Settings.Socketmap.Select(value => value.Text).Where(text => text.StartsWith("unix:/", StringComparison.Ordinal)).Select(text => text[5..]))
        {
            var directory = path[..path.LastIndexOf('/')];
            yield return new(
                "selinux", SetupSeverity.Warning,
                $"SELinux enforces: smtp(8) may be refused the socket {path}; label its directory as Postfix's own. These lines have not been tested "
                + "on such a system; what is refused shows: ausearch -m avc -ts recent",
                $"semanage fcontext -a -t postfix_spool_t '{directory}(/.*)?'",
                $"restorecon -R {directory}");
        }
    }
}
