using PolicyDaemon.Cli.Hosting;
using PolicyDaemon.Cli.Setup.Postfix;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Rotation;
using PolicyDaemon.Store.Engines;

namespace PolicyDaemon.Cli.Commands.Pins;

/// <summary>After a decision that lets mail flow: how much waits, and the command that has Postfix try it now.</summary>
/// <remarks>
/// <c>postqueue -s SITE</c> tries the mail for one domain, and only for the domains of fast_flush_domains, whose default is relay_domains: flush(8)
/// keeps no list of any other, and postqueue refuses. <c>postqueue -f</c> tries everything that was deferred. See postqueue(1), flush(8).
/// </remarks>
internal static class WaitingMailNote
{
    /// <summary>How much mail waits for a destination; null where none does, or where that cannot be told here.</summary>
    internal static string? Waiting(CommandContext context, NextHop key) =>
        MailQueue.Read(context.Host) is { } mail && mail.Of(key) is { } count ? mail.Sentence(count) : null;

    /// <summary>After a decision: how much mail waits for these destinations, and what has Postfix try it.</summary>
    internal static void Write(CommandContext context, IReadOnlyList<NextHop> keys)
    {
        if (MailQueue.Read(context.Host) is not { } mail)
        {
            if (WasHeldUp(context, keys))
                context.Report.Note("Postfix tries the mail that waits again by itself; at once, on its machine: postqueue -f");
            return;
        }

        var only = keys.Count == 1 ? keys[0] : (NextHop?)null;
        if (mail.Of(keys) is not { } waiting)
            return;
        context.Report.Note($"{mail.Sentence(waiting)}; {Command(context, only)}");
    }

    private static string Command(CommandContext context, NextHop? only)
    {
        if (only is not { IsPlainHostName: true } key)
            return "to have Postfix try all deferred mail now: postqueue -f";
        return IsFastFlushed(context, key.Host)
            ? $"to have Postfix try it now: postqueue -s {Shell.Quote(key.Host)}"
            : $"to have Postfix try all deferred mail now: postqueue -f (postqueue -s {Shell.Quote(key.Host)} works only for a domain in fast_flush_domains)";
    }

    /// <summary>True where the list names the domain, or a parent of it as parent_domain_matches_subdomains has it by default. A list with exceptions
    /// and a table in it are not looked into: the command for all mail works whatever they say.</summary>
    private static bool IsFastFlushed(CommandContext context, string domain)
    {
        try
        {
            var postfix = PostfixConfigurationReader.Read(context.Host.Postfix, null);
            var matchesBelow = postfix.List("parent_domain_matches_subdomains").Contains("fast_flush_domains", StringComparer.Ordinal);
            var names = postfix.List("fast_flush_domains");
            return !names.Any(name => name.StartsWith('!')) && names.Any(name => name.Equals(domain, StringComparison.OrdinalIgnoreCase)
                || (name.StartsWith('.') ? domain.EndsWith(name, StringComparison.OrdinalIgnoreCase)
                    : matchesBelow && domain.EndsWith("." + name, StringComparison.OrdinalIgnoreCase)));
        }
        catch (CommandException)
        {
            return false;
        }
    }

    private static bool WasHeldUp(CommandContext context, IReadOnlyList<NextHop> keys)
    {
        using var store = context.OpenStore(StoreAccess.Read);
        return keys.Any(key => store.ReadProbeState(key)?.Verdict is DestinationVerdict.Mismatch or DestinationVerdict.Degraded);
    }
}
