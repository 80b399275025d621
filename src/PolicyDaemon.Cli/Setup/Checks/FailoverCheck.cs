namespace PolicyDaemon.Cli.Setup.Checks;

/// <summary>A store on servers of which one takes over from the other should lose nothing by that.</summary>
internal static class FailoverCheck
{
    internal static IEnumerable<SetupResult> Run(SetupSubject subject)
    {
        if (subject.FailoverRisk is { } risk)
            yield return new("failover", SetupSeverity.Warning, risk);
    }
}
