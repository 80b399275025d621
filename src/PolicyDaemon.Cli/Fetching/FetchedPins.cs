using System.Collections.Immutable;
using System.Text.Json;
using PolicyDaemon.Administration.Forecast;
using PolicyDaemon.Cli.Output;
using PolicyDaemon.Cli.Output.Json;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Probe;
using PolicyDaemon.Probe.Destinations;

namespace PolicyDaemon.Cli.Fetching;

/// <summary>Looks at a destination's servers before its entry is written, and afterwards writes down what was seen.</summary>
internal sealed class FetchedPins
{
    private readonly CommandContext context;
    private readonly ProbedDestination visit;
    private readonly IReadOnlyList<AcceptedPin> accepted;

    private FetchedPins(CommandContext context, ProbedDestination visit, IReadOnlyList<AcceptedPin> accepted)
    {
        this.context = context;
        this.visit = visit;
        this.accepted = accepted;
    }

    /// <summary>What the pins rest on, for the audit log.</summary>
    internal string Evidence => JsonSerializer.Serialize(
        FetchedKeyJson.From(visit, accepted, context.Settings.Postfix.FingerprintDigest), FetchedEvidenceJson.Default.FetchedKeyJson);

    /// <param name="destination">The entry as it would be, without the pins that are to be fetched.</param>
    /// <exception cref="CommandException">What was seen is not accepted, or nothing was.</exception>
    internal static async Task<FetchedPins> TakeAsync(
        CommandContext context, FetchDecision decision, Destination destination, CancellationToken cancellation)
    {
        var key = destination.Key;
        if (!destination.Policy.Level.MatchesFingerprints())
        {
            throw new CommandException(
                ExitCode.Usage, $"--probe fetches pins, which only level fingerprint takes, and {key} would be at {destination.Policy.Level.Name()}; add --level fingerprint");
        }

        if (key.IsSubdomains && destination.ProbeAs.IsEmpty)
            throw new CommandException(ExitCode.Usage, $"{key} answers for subdomains and has no MX of its own; name hosts to look at with --probe-as NAME");
        using var prober = new ProberComposition(context.Settings.Probe, context.Settings.Postfix.FingerprintDigest, context.Host.Time);
        using var probe = prober.CreateDestinationProbe(ledger: null);
        ProbedDestination visit;
        using (var bar = Progress.Start(context.Host, $"probing {key}", 1, worthShowing: 1))
            visit = await probe.RunAsync(DestinationCheck.StateOf(key, destination, []), triesServerName: false, bar, cancellation);
        var acceptance = new FetchAcceptance(context, decision, key.Text, visit, destination.Pins);
        return new FetchedPins(context, visit, await acceptance.DecideAsync(cancellation));
    }

    /// <summary>The pins with those that were accepted served, and in use.</summary>
    internal ImmutableArray<Pin> AddTo(ImmutableArray<Pin> pins)
    {
        var now = DateTimeOffset.FromUnixTimeSeconds(context.Host.Time.GetUtcNow().ToUnixTimeSeconds());
        foreach (var one in accepted)
        {
            var pin = new Pin(one.Fingerprint, one.Subject, PinState.Active, one.Strength, now);
            var known = pins.FirstOrDefault(known => known.Fingerprint == one.Fingerprint);
            if (known is null)
                pins = pins.Add(pin);
            else if (known.State is PinState.Candidate or PinState.Retired)
                pins = pins.Replace(known, pin);
            if (one.Replaces is { } foreign && pins.FirstOrDefault(old => old.Fingerprint == foreign && old.IsServed) is { } carried)
                pins = pins.Replace(carried, carried with { State = PinState.Retired, Since = now });
        }

        return pins;
    }

    /// <summary>Writes down what was seen, once the entry is there.</summary>
    internal Task RecordAsync() => FetchRecorder.WriteAsync(context, [visit]);
}
