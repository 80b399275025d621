using System.CommandLine;
using PolicyDaemon.Core.Pins;

namespace PolicyDaemon.Cli.Commands;

/// <summary>Arguments that several commands take.</summary>
internal static class Arguments
{
    internal static Argument<string> Key() => new("KEY")
    {
        HelpName = "KEY",
        Description = "The next hop as Postfix sees it: example.com, .example.com (subdomains), [mx.example.com], [mx.example.com]:587",
    };

    internal static Argument<string?> OptionalKey(string description) => new("KEY")
    {
        HelpName = "KEY",
        Description = description,
        Arity = ArgumentArity.ZeroOrOne,
    };

    /// <exception cref="CommandException">It is no fingerprint.</exception>
    internal static Fingerprint Fingerprint(string text) => Core.Pins.Fingerprint.TryParse(text.Trim(), out var fingerprint, out var reason)
        ? fingerprint
        : throw new CommandException(ExitCode.Invalid, reason);
}
