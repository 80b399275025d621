using PolicyDaemon.Administration;
using PolicyDaemon.Administration.Fetching;
using PolicyDaemon.Cli.Commands.Servers;
using PolicyDaemon.Cli.Hosting;
using PolicyDaemon.Cli.Output;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Runtime;

namespace PolicyDaemon.Cli.Commands.Domains;

/// <summary>Fetches pins from a destination's servers for a command: probes, shows what was seen, and decides by the options or by asking.</summary>
internal static class FetchCommand
{
    private const int MostAsked = 5;

    /// <param name="destination">The entry as it would be, without the pins that are to be fetched.</param>
    /// <exception cref="CommandException">The level takes no pins, or a person said no.</exception>
    /// <exception cref="RefusedException">What was seen is not accepted, or nothing was.</exception>
    internal static async Task<FetchedPins> RunAsync(
        CommandContext context, FetchDecision decision, Destination destination, CancellationToken cancellation)
    {
        if (!destination.Policy.Level.MatchesFingerprints())
        {
            throw new CommandException(
                ExitCode.Usage,
                $"--probe fetches pins, which only level fingerprint takes, and {destination.Key} would be at {destination.Policy.Level.Name()}; add --level fingerprint");
        }

        PinFetch fetch;
        using (var bar = Progress.Start(context.Host, $"probing {destination.Key}", 1, worthShowing: 1))
            fetch = await PinFetch.RunAsync(context.Settings, context.Host.Time, destination, bar, cancellation);
        Show(context.Report, destination.Key.Text, fetch);
        fetch.RefuseUnpinnable();
        return decision switch
        {
            { Expected.Count: > 0 } => fetch.AcceptExactly(decision.Expected),
            { TrustsFirstSight: true } => fetch.Accept(KeyAcceptance.FirstSight),
            { Yes: true } => fetch.AcceptProven(),
            { DryRun: true } => fetch.Accept(KeyAcceptance.Compared),
            _ when fetch.Undecided.Count == 0 => fetch.Accept(KeyAcceptance.Compared),
            _ => fetch.Accept(await AskAsync(context.Host, fetch.Undecided, decision.HasReason, cancellation)),
        };
    }

    /// <summary>The change is made; that what was seen could not be stored is only told.</summary>
    internal static async Task StoreAsync(CommandContext context, Task<string?> storing)
    {
        if (await storing is { } problem)
            context.Report.Warning(problem);
    }

    /// <summary>Shows what was seen, before anybody decides: on standard error where standard output carries the result for a program.</summary>
    private static void Show(Report report, string key, PinFetch fetch)
    {
        var digest = fetch.Digest;
        if (fetch.Probed.Addresses.IsEmpty)
            return;
        report.Note($"Seen at {key}:");
        foreach (var seen in fetch.Keys)
        {
            report.Note($"  {seen.Pin}  {digest.Name()} of the public key, {Phrases.PublicKey(seen.Certificate)}");
            foreach (var certificate in seen.Certificates)
            {
                report.Note(
                    $"    certificate  {Phrases.Cut(certificate.Subject)}, issued by {Phrases.Cut(certificate.Issuer)}, until {UtcTime.Text(certificate.NotAfter)}");
                report.Note($"                 {certificate.Digest(PinSubject.Certificate, digest)}  {digest.Name()} of the certificate");
            }

            report.Note($"    at           {seen.Where}");
            report.Note($"    evidence     {seen.Why}");
        }

        foreach (var address in fetch.Probed.Addresses.Where(address => address.Observation.Certificates.IsEmpty))
        {
            var cell = CheckTerms.Outcome(address.Observation);
            report.Note($"  {address.Host.Name} [{address.Observation.Target.Address}]: {cell.Text}; "
                + (address.Observation.Outcome.IsConclusive() ? "mail through it would be refused" : "what it would show is not known"));
        }
    }

    private static async Task<KeyAcceptance> AskAsync(
        CliHost host, IReadOnlyList<FetchedKey> keys, bool hasReason, CancellationToken cancellation)
    {
        var unproven = keys.Count(seen => seen.Evidence is null);
        var offersFirstSight = unproven > 0 && hasReason;
        var prompt = $"Pin {Phrases.Count(keys.Count, "key")}? [{(offersFirstSight ? "yes/first-sight/no" : "yes/no")}] ";
        var question = unproven == 0 ? prompt : Compare(unproven, offersFirstSight) + prompt;
        await using var input = host.In();
        for (var asked = 0; asked < MostAsked; asked++)
        {
            switch (await Question.AskAsync(host, input, asked == 0 ? question : prompt, cancellation))
            {
                case "yes" or "y":
                    return KeyAcceptance.Compared;
                case "first-sight" when offersFirstSight:
                    return KeyAcceptance.FirstSight;
                case "no" or "n" or null:
                    throw NotAccepted();
            }
        }

        throw NotAccepted();
    }

    private static string Compare(int unproven, bool offersFirstSight)
    {
        var keys = unproven == 1 ? "this key is" : $"{unproven} of these keys are";
        return $"Nothing says whose {keys}. Compare with the partner over another channel, by telephone or on paper.\n"
            + (offersFirstSight
                ? "  yes          I have compared: pin\n"
                    + "  first-sight  I trust what I see: pin, shown as tofu for ever\n"
                    + "  no           change nothing\n"
                : "  yes  I have compared: pin\n"
                    + "  no   change nothing (to pin without comparing: --trust-first-sight --reason \"why\")\n");
    }

    private static CommandException NotAccepted() => new(ExitCode.Negative, "not accepted; nothing was changed");
}

/// <summary>The pins that a command fetched, by the destination that they are of.</summary>
internal sealed class FetchedByKey
{
    private readonly Dictionary<NextHop, FetchedPins> fetched = [];

    /// <summary>Fetches the pins of each; the first that is not accepted ends it.</summary>
    internal async Task FetchAsync(CommandContext context, FetchDecision decision, IEnumerable<Destination> destinations, CancellationToken cancellation)
    {
        foreach (var destination in destinations)
            fetched[destination.Key] = await FetchCommand.RunAsync(context, decision, destination, cancellation);
    }

    internal Destination AddTo(Destination destination) => fetched.TryGetValue(destination.Key, out var pins)
        ? destination with { Pins = pins.AddTo(destination.Pins) }
        : destination;

    /// <summary>What the pins of a destination rest on, as JSON for the audit log.</summary>
    internal string? EvidenceOf(NextHop key) => fetched.GetValueOrDefault(key)?.Evidence;

    /// <summary>Stores what was seen, now that the entries are there.</summary>
    internal async Task StoreAsync(CommandContext context)
    {
        foreach (var pins in fetched.Values)
            await FetchCommand.StoreAsync(context, pins.StoreAsync());
    }
}
