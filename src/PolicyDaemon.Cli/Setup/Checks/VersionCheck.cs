using PolicyDaemon.Core.Policies;

namespace PolicyDaemon.Cli.Setup.Checks;

/// <summary><c>postfix.version</c> must not be newer than the Postfix that asks: it would defer mail over attributes it does not know.</summary>
internal static class VersionCheck
{
    internal static IEnumerable<SetupResult> Run(SetupSubject subject)
    {
        var configured = subject.Settings.Postfix.Version;
        var text = subject.Postfix["mail_version"];
        if (subject.Postfix.Version is not { } real)
        {
            yield return new("version", SetupSeverity.Warning, $"mail_version is '{text}', which is no release known here; compare postfix.version = {configured} by hand");
            yield break;
        }

        if (real < PostfixVersion.Oldest)
            yield return new("version", SetupSeverity.Problem, $"Postfix {text} is older than {PostfixVersion.Oldest}, the oldest served; upgrade Postfix");
        else if (configured > real)
            yield return new(
                "version", SetupSeverity.Problem,
                $"postfix.version is {configured} and this Postfix is {text}: it defers mail over an attribute it does not know; "
                + $"set version = {real} in [postfix] of {ConfigurationFile(subject)}, then: systemctl reload policyd");
        else if (configured < real)
            yield return new(
                "version", SetupSeverity.Note,
                $"this Postfix is {text}; version = {real} in [postfix] of {ConfigurationFile(subject)} would allow its newer attributes, if no older Postfix asks");
        else
            yield return new("version", SetupSeverity.Ok, $"Postfix {text}, answers are written for {configured}");
    }

    private static string ConfigurationFile(SetupSubject subject) =>
        subject.Settings.File ?? Core.Configuration.SettingsReader.DefaultFile;
}
