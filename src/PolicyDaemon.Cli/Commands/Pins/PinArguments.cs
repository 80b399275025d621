using System.CommandLine;

namespace PolicyDaemon.Cli.Commands.Pins;

/// <summary>Arguments of the verbs of <c>pin</c>.</summary>
internal static class PinArguments
{
    internal static Argument<string[]> Fingerprints() => new("FINGERPRINT")
    {
        Description = "Hexadecimal, with or without colons, of the certificate or of its public key",
        Arity = ArgumentArity.OneOrMore,
    };
}
