using System.CommandLine;

namespace PolicyDaemon.Cli.Commands.Domain;

/// <summary><c>domain</c>: the destinations and their policies.</summary>
internal static class DomainVerbs
{
    internal static Command Create(CommandRunner runner) => new("domain", "Destinations and their TLS policies")
    {
        DomainAdd.Create(runner),
        DomainSet.Create(runner),
        DomainRemove.Create(runner),
        DomainList.Create(runner),
        DomainShow.Create(runner),
    };
}
