using System.CommandLine;

namespace PolicyDaemon.Cli.Commands.Pins;

/// <summary><c>pin</c>: the fingerprints accepted for a destination.</summary>
internal static class PinVerbs
{
    internal static Command Create(CommandRunner runner) => new("pin", "Pins: the fingerprints accepted for a destination")
    {
        PinAdd.Create(runner),
        PinApprove.Create(runner),
        PinList.Create(runner),
        PinReject.Create(runner),
        PinRevoke.Create(runner),
    };
}
