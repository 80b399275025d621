using System.CommandLine;

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
}
