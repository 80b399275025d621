namespace PolicyDaemon.Cli.Setup.Checks;

/// <summary>Internationalised names are mapped alike on both sides (postconf(5), enable_idna2003_compatibility; UTS #46 section 4).</summary>
internal static class IdnaCheck
{
    internal static IEnumerable<SetupResult> Run(SetupSubject subject)
    {
        if (subject.Postfix.IsYes("enable_idna2003_compatibility"))
            yield return new(
                "idna", SetupSeverity.Warning,
                "enable_idna2003_compatibility is on: Postfix looks up ss where a name has \u00df, and policyd keeps them apart, so such a domain is answered as another one",
                subject.Postfix.SetCommand("enable_idna2003_compatibility", "no"));
    }
}
