using PolicyDaemon.Cli.Setup.Checks;

namespace PolicyDaemon.Cli.Setup;

/// <summary>Every check, in the order in which a person would settle them. A new one is a file under <c>Checks</c> and a row here.</summary>
internal static class SetupChecks
{
    private static readonly Func<SetupSubject, IEnumerable<SetupResult>>[] All =
    [
        VersionCheck.Run,
        PolicyMapCheck.Run,
        ServiceOverrideCheck.Run,
        ReachabilityCheck.Run,
        SelinuxCheck.Run,
        DigestCheck.Run,
        DefaultLevelCheck.Run,
        RoutingCheck.Run,
        TrustAnchorCheck.Run,
        DaneCheck.Run,
        TlsRequiredCheck.Run,
        IdnaCheck.Run,
    ];

    internal static IReadOnlyList<SetupResult> Run(SetupSubject subject) => [.. All.SelectMany(check => check(subject))];
}
