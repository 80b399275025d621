using System.Collections.Immutable;
using System.CommandLine;
using PolicyDaemon.Administration.PinDecisions;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Tables;

namespace PolicyDaemon.Cli.Hosting;

/// <summary>Arguments that several commands take.</summary>
internal static class Arguments
{
    /// <summary>A fingerprint in examples: all of its digits, so that they run as they stand.</summary>
    internal const string SomeFingerprint = "5a3b7c91740eb21334469de2004842ddbb74a3b079042614a4b3c02f5343c725";

    internal static Argument<string> Key() => new("KEY")
    {
        HelpName = "KEY",
        Description = "The next hop as Postfix sees it: example.com, .example.com (subdomains), [mx.example.com], [mx.example.com]:587",
    };

    /// <summary>One key or several.</summary>
    internal static Argument<string[]> Keys() => new("KEY")
    {
        HelpName = "KEY",
        Description = "The next hop as Postfix sees it: example.com, .example.com (subdomains), [mx.example.com], [mx.example.com]:587; several make one change",
        Arity = ArgumentArity.OneOrMore,
    };

    /// <summary>Keys, and patterns over those that are configured.</summary>
    internal static Argument<string[]> KeysOrPatterns() => new("KEY")
    {
        HelpName = "KEY",
        Description = "A configured key, or a pattern over them: * is any characters, ? is one; several make one change",
        Arity = ArgumentArity.OneOrMore,
    };

    internal static Argument<string?> OptionalKey(string description) => new("KEY")
    {
        HelpName = "KEY",
        Description = description,
        Arity = ArgumentArity.ZeroOrOne,
    };

    /// <summary>A key, or a pattern over keys.</summary>
    /// <param name="otherwise">What the command does without it.</param>
    internal static Argument<string?> OptionalPattern(string otherwise) => new("PATTERN")
    {
        Description = $"A key, or a pattern: * is any characters, ? is one; letter case, IDN spelling and a final dot do not matter; {otherwise}",
        Arity = ArgumentArity.ZeroOrOne,
    };

    /// <exception cref="CommandException">The text is neither a fingerprint nor the beginning of one.</exception>
    internal static PinName PinName(string text) => Administration.PinDecisions.PinName.TryParse(text, out var name, out var reason)
        ? name
        : throw new CommandException(ExitCode.Usage, reason);

    /// <summary>The words as names of pins: a fingerprint in groups of four digits is one, though a shell makes words of the groups.</summary>
    /// <exception cref="CommandException">A word is neither a fingerprint nor the beginning of one.</exception>
    internal static IReadOnlyList<PinName> PinNames(IReadOnlyList<string> words)
    {
        const int Group = 4;
        return words.Count > 1 && words.All(word => word.Length == Group && word.All(char.IsAsciiHexDigit))
            ? [PinName(string.Concat(words))]
            : [.. words.Select(PinName)];
    }

    /// <summary>A whole fingerprint, in the forms that name a pin elsewhere.</summary>
    /// <exception cref="CommandException">The text is no fingerprint.</exception>
    internal static Fingerprint Fingerprint(string text) => Administration.PinDecisions.PinName.TryParseWhole(text, out var fingerprint, out var reason)
        ? fingerprint
        : throw new CommandException(ExitCode.Usage, reason);
}

/// <summary>The option that names hosts to probe for a key with a leading dot.</summary>
internal static class ProbeAs
{
    internal static Option<string[]> Option() => new("--probe-as")
    {
        HelpName = "NAME",
        Description = "For a key with a leading dot: the host to probe, in the place of the servers of the domain behind the dot; repeatable",
        AllowMultipleArgumentsPerToken = true,
    };

    /// <returns>The names; null where the command line does not have the option, empty where it takes all names away.</returns>
    /// <exception cref="CommandException">A value is no host name.</exception>
    internal static ImmutableArray<string>? Read(CommandContext context, Option<string[]> option)
    {
        if (!context.Has(option))
            return null;
        var names = (context.Get(option) ?? []).Where(name => name.Length > 0).Select(Host).Distinct(StringComparer.Ordinal).ToImmutableArray();
        return names.Length <= EntryAttributes.MostProbeAs
            ? names
            : throw new CommandException(ExitCode.Usage, FormattableString.Invariant($"--probe-as takes {EntryAttributes.MostProbeAs} names at most"));
    }

    private static string Host(string name) =>
        EntryAttributes.TryProbeAs(name, out var host)
            ? host
            : throw new CommandException(ExitCode.Usage, $"--probe-as takes the name of a mail server, such as mx.example.com, not '{name}'");
}
