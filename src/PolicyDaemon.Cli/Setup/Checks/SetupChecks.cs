
namespace PolicyDaemon.Cli.Setup.Checks;

/// <summary>Every check, in the order in which a person would settle them. A new one is a file in this folder, or of one parameter a method in <see cref="ParameterChecks"/>, and a row here.</summary>
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
        OutOfReachCheck.Run,
        ParameterChecks.DefaultLevel,
        RoutingCheck.Run,
        ParameterChecks.TrustAnchors,
        DaneCheck.Run,
        DiscoveryCheck.Run,
        ParameterChecks.TlsRequired,
        ParameterChecks.Idna,
        FailoverCheck.Run,
        ForecastCheck.MainCf,
        ForecastCheck.Unregarded,
        ForecastCheck.Authorities,
        ForecastCheck.HeloName,
    ];

    internal static IReadOnlyList<SetupResult> Run(SetupSubject subject) => [.. All.SelectMany(check => check(subject))];
}
