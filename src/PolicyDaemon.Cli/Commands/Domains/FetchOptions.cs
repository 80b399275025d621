using System.CommandLine;
using PolicyDaemon.Cli.Commands.Changes;
using PolicyDaemon.Cli.Hosting;
using PolicyDaemon.Core.Pins;

namespace PolicyDaemon.Cli.Commands.Domains;

/// <summary>How <c>--probe</c> decides which of the presented fingerprints become pins.</summary>
/// <param name="Yes">Evidence A only.</param>
/// <param name="Expected">Exactly these; empty: not given.</param>
/// <param name="TrustsFirstSight">Whatever is seen.</param>
/// <param name="HasReason">A reason was given, without which nothing is trusted at first sight.</param>
/// <param name="DryRun">Nothing is asked; all that was seen is shown as if it were accepted.</param>
internal sealed record FetchDecision(bool Yes, IReadOnlyList<Fingerprint> Expected, bool TrustsFirstSight, bool HasReason, bool DryRun);

/// <summary>The options that fetch pins from the servers; <c>domain add</c> and <c>domain set</c> share them.</summary>
internal sealed class FetchOptions
{
    private readonly Option<bool> probe = new("--probe") { Description = "At fingerprint: probe the servers now, show their keys, ask, and pin them" };

    private readonly Option<bool> yes = new("--yes")
    {
        Description = "With --probe, do not ask: accept keys with DANE evidence (DNSSEC-secure MX, address and TLSA) and nothing else",
    };

    private readonly Option<string[]> expect = new("--expect")
    {
        HelpName = "FP",
        Description = "With --probe, do not ask: accept exactly this fingerprint, and fail where anything else is seen; repeatable",
    };

    private readonly Option<bool> trust = new("--trust-first-sight")
    {
        Description = "With --probe, do not ask: accept whatever is seen; takes --reason, and the pin shows tofu for ever",
    };

    internal void AddTo(Command command)
    {
        command.Add(probe);
        command.Add(yes);
        command.Add(expect);
        command.Add(trust);
    }

    /// <returns>How it is decided what is pinned; null where nothing is to be probed.</returns>
    /// <exception cref="CommandException">The options do not go together, or nobody is there who could be asked.</exception>
    internal FetchDecision? Read(CommandContext context, WriteOptions write)
    {
        var expected = (context.Get(expect) ?? []).SelectMany(list => list.Split('|')).Select(Arguments.Fingerprint).Distinct().ToList();
        var ways = new[] { context.Get(yes), expected.Count > 0, context.Get(trust) }.Count(given => given);
        if (!context.Get(probe))
        {
            return ways == 0
                ? null
                : throw new CommandException(ExitCode.Usage, "--yes, --expect and --trust-first-sight say what to do with what --probe sees; add --probe");
        }

        if (ways > 1)
            throw new CommandException(ExitCode.Usage, "--yes, --expect and --trust-first-sight exclude each other; give one");
        var digest = context.Settings.Postfix.FingerprintDigest;
        if (expected.Find(pin => pin.Algorithm != digest) is var foreign && expected.Exists(pin => pin.Algorithm != digest))
        {
            throw new CommandException(
                ExitCode.Invalid, $"{foreign} is a {foreign.Algorithm.Name()} fingerprint and Postfix compares {digest.Name()}; expect the {digest.Name()} fingerprint");
        }

        if (context.Get(trust) && string.IsNullOrWhiteSpace(context.Get(write.Reason)) && !context.Get(write.DryRun))
            throw new CommandException(ExitCode.Usage, "--trust-first-sight accepts keys of which nothing says whose they are, so it needs --reason \"why\"");
        if (ways == 0 && !context.Host.InIsTerminal && !context.Get(write.DryRun))
        {
            throw new CommandException(
                ExitCode.Usage,
                "--probe asks before it pins, and nobody is at the keyboard; say what to accept: --yes (DANE evidence only), "
                + "--expect FINGERPRINT (exactly that one), or --trust-first-sight --reason \"why\" (whatever is seen); --dry-run shows it");
        }

        return new FetchDecision(context.Get(yes), expected, context.Get(trust), !string.IsNullOrWhiteSpace(context.Get(write.Reason)), context.Get(write.DryRun));
    }
}
