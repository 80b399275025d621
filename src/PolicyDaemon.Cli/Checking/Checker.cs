using System.Collections.Immutable;
using PolicyDaemon.Cli.Explaining;
using PolicyDaemon.Cli.Output;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Rotation;
using PolicyDaemon.Probe;
using PolicyDaemon.Probe.Destinations;
using PolicyDaemon.Store;

namespace PolicyDaemon.Cli.Checking;

/// <summary>Gathers what <c>check</c> reports: DNS and every server, the MTA-STS policy, and what the store says about the destination.</summary>
internal static class Checker
{
    internal static async Task<CheckResult> RunAsync(
        CommandContext context, NextHop key, ImmutableArray<string> probeAs, CancellationToken cancellation)
    {
        var settings = context.Settings;
        var (entry, problem) = FindEntry(context, key);
        var watched = Watched(key, entry, probeAs);
        if (key.IsSubdomains && watched.ProbeAs.IsEmpty)
        {
            throw new CommandException(
                ExitCode.Usage,
                $"{key} answers for subdomains and has no MX of its own; name hosts to look at: policyctl check {key} --probe-as NAME");
        }

        using var prober = new ProberComposition(settings.Probe, settings.Postfix.FingerprintDigest, context.Host.Time);
        var looksForSts = prober.CreateStsResolver(context.Host.PolicyPort).FindAsync(key, cancellation);
        var visit = await ProbeAsync(context, prober.CreateUnstoredProbe(triesServerName: entry?.Policy.ServerName is null), watched, cancellation);
        var sts = await looksForSts;
        return new CheckResult
        {
            Key = key,
            At = context.Host.Time.GetUtcNow(),
            Settings = settings,
            Visit = visit,
            Test = prober.Resolver.Test,
            Sts = sts,
            Entry = entry,
            StoreProblem = problem,
            Levels = visit.Addresses.IsEmpty ? [] : LevelForecasts.Of(
                visit.Resolution, [.. visit.Addresses.Select(address => address.Watched)],
                [.. visit.Addresses.Select(address => address.NamedState)]),
        };
    }

    /// <summary>Visits, with a bar for the person who waits.</summary>
    internal static async Task<ProbedDestination> ProbeAsync(
        CommandContext context, UnstoredProbe visit, DestinationState watched, CancellationToken cancellation)
    {
        using var bar = Progress.Start(context.Host, $"looking at {watched.Key}", 1, worthShowing: 1);
        return await visit.RunAsync(watched, new Steps(bar), cancellation);
    }

    /// <summary>The destination as the prober would know it, were it configured like this.</summary>
    internal static DestinationState Watched(NextHop key, Destination? entry, ImmutableArray<string> probeAs) => new()
    {
        Key = key,
        // Without an entry: as Postfix connects at most levels, without SNI.
        Policy = entry?.Policy ?? new TlsPolicy { Level = TlsLevel.Encrypt },
        Mode = entry?.Mode ?? PinMode.Assist,
        Pins = entry?.Pins ?? [],
        PinOwner = (entry?.Key ?? key).Text,
        ProbeAs = probeAs.IsEmpty ? entry?.ProbeAs ?? [] : probeAs,
    };

    private static (Destination? Entry, string? Problem) FindEntry(CommandContext context, NextHop key)
    {
        try
        {
            using var store = context.OpenStore(StoreAccess.Read);
            var explanation = Explanation.Of(key, store, context.Settings.Postfix);
            return (explanation.Keys[0].Entry ?? explanation.Decisive?.Entry, null);
        }
        catch (StoreException fault)
        {
            // The network can be looked at without a store; whoever checks a domain before installing has none yet.
            return (null, fault.Message);
        }
    }

    private sealed class Steps(Progress bar) : IProgress<(int Done, int All)>
    {
        public void Report((int Done, int All) value) => bar.Report(value.Done, value.All);
    }
}
