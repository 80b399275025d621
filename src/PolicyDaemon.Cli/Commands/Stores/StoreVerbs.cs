using System.CommandLine;

namespace PolicyDaemon.Cli.Commands.Stores;

/// <summary><c>store</c>: the store as a whole.</summary>
internal static class StoreVerbs
{
    internal static Command Create(CommandRunner runner) => new("store", "The store as a whole")
    {
        StoreAccept.Create(runner),
    };
}
