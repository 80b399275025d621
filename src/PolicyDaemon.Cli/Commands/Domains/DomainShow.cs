using System.CommandLine;
using PolicyDaemon.Administration.Changes;
using PolicyDaemon.Administration.Explaining;
using PolicyDaemon.Cli.Commands.Status;
using PolicyDaemon.Cli.Hosting;
using PolicyDaemon.Cli.Json;
using PolicyDaemon.Cli.Output;
using PolicyDaemon.Cli.Text;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Rotation;
using PolicyDaemon.Core.Runtime;
using PolicyDaemon.Store.Changes;
using PolicyDaemon.Store.Engines;
using PolicyDaemon.Store.Probing;

namespace PolicyDaemon.Cli.Commands.Domains;

/// <summary><c>domain show</c></summary>
internal static class DomainShow
{
    internal static Command Create(CommandRunner runner)
    {
        var key = Arguments.Key();
        var probes = new Option<bool>("--probes") { Description = "Show the last probes of each address, too, with what was said" };
        var verb = new Verb("show", "Show a destination: its policy, its pins, the exact answer, and what probes saw.")
        {
            Columns = ["name", "value (one line for each fact; pins as 'pin' with fingerprint, subject, state and strength; what was seen as 'seen' with MX host, address, outcome, key, public key, end, pinned; with --probes, probes as 'probe' with time, MX host, address, outcome, stage, duration, TLS version, certificates, detail)"],
            ExitCodes = "1 where the key is not configured",
            Examples =
            [
                ("policyctl domain show example.com", "What is configured, and what Postfix is told."),
                ("policyctl domain show example.com --probes", "And how the last probes of each address went."),
                ("policyctl domain show example.com --format json", "The same for a program."),
            ],
        };
        verb.Add(key);
        verb.Add(probes);
        verb.SetAction(runner.Handle(context => Run(context, key, context.Get(probes))));
        return verb;
    }

    private static ExitCode Run(CommandContext context, Argument<string> key, bool withProbes)
    {
        var nextHop = CommandContext.EntryKey(context.Get(key)!);
        var postfix = context.Settings.Postfix;
        using var store = context.OpenStore(StoreAccess.Read);
        // What has ended by the clock is shown so, whether or not policyd has written it yet.
        var stored = store.Find(nextHop) ?? throw StoreView.Missing(store, nextHop);
        var known = PinProbeState.Read(store, stored);
        var observations = withProbes ? store.ReadObservations(nextHop) : [];
        var now = context.Host.Time.GetUtcNow();
        var destination = stored.At(now) ?? stored;
        var report = context.Report;
        if (report.Format == OutputFormat.Json)
        {
            var probed = ProbeStateJson.From(known.Probed, destination, postfix.FingerprintDigest, now);
            var json = DestinationJson.From(destination, postfix, probed, known) with
            {
                Findings = [.. store.OpenFindings(destination.Key).OrderBy(finding => finding.Severity).Select(finding => FindingJson.From(finding))],
                Observations = withProbes ? Observations(observations, known.Probed!, ProbeStateJson.Frame(destination, postfix.FingerprintDigest, now)) : null,
            };
            report.Json(json, CliJson.Default.DestinationJson);
            return ExitCode.Done;
        }

        var facts = Facts(destination, stored, postfix, now);
        facts.AddRange(ProbedFacts.Of(known.Probed!, destination.Observe, destination.Key, now));
        var advice = FindingText.Advice(store, destination.Key);
        facts.AddRange(advice.Select(FindingText.Fact));
        if (report.Format == OutputFormat.Tsv)
        {
            facts.AddRange(destination.Pins.Select(pin => ("pin", new Cell(
                $"{pin.Fingerprint.Hex} {pin.Subject.Name()} {pin.State.Name()} {PinTable.Trust(pin)}"))));
            facts.AddRange(ProbedFacts.Addresses(known.Probed!, destination, postfix).Rows.Select(row => (
                "seen", new Cell(string.Join(' ', row.Select(cell => cell.Text))))));
            facts.AddRange(ObservationTable.Of(observations).Rows.Select(row => ("probe", new Cell(string.Join(' ', row.Select(cell => cell.Text))))));
            report.Facts(facts, default!, CliJson.Default.DestinationJson);
            return ExitCode.Done;
        }

        report.Facts(facts);
        foreach (var found in advice)
            report.Line(NextCommand.Line(found.Remedy));
        if (!destination.Pins.IsEmpty)
        {
            report.Line();
            report.Aligned(PinTable.Of(destination, postfix));
            PinTable.WriteEvidence(report, destination, known);
        }

        if (ProbedFacts.Addresses(known.Probed!, destination, postfix) is { Rows.Count: > 0 } seen)
        {
            report.Line();
            report.Aligned(seen);
        }

        if (withProbes)
        {
            report.Line();
            if (observations.Count == 0)
                report.Line("No probe is kept.");
            else
                report.Aligned(ObservationTable.Of(observations));
            ObservationTable.WriteTranscripts(report, observations);
        }

        return ExitCode.Done;
    }

    private static IReadOnlyList<ObservationJson> Observations(IReadOnlyList<StoredObservation> observations, ProbeState state, CertificateFrame frame)
    {
        var known = state.Addresses.SelectMany(address => address.History.CertificateRuns).Select(run => run.Certificate).OfType<ServerCertificate>()
            .DistinctBy(certificate => certificate.Id).ToDictionary(certificate => certificate.Id.Hex, StringComparer.Ordinal);
        return [.. observations.Select(observation => ObservationJson.From(observation, known, frame))];
    }

    private static List<(string Name, Cell Value)> Facts(Destination destination, Destination stored, PostfixSettings postfix, DateTimeOffset now)
    {
        var facts = new List<(string, Cell)> { ("key", destination.Key.Text) };
        if (destination.Key.ToDisplayString() is var unicode && unicode != destination.Key.Text)
            facts.Add(("unicode", unicode));
        facts.Add(("level", destination.Policy.Level.Name()));
        if (destination.Floor != DiscoveryFloor.None)
            facts.Add(("floor", destination.Floor.Name()));
        if (EntryEnd.Of(stored, postfix) is { } end)
            facts.Add(("end", new Cell(
                end.Until > now
                    ? $"{end} (in {FindingText.Age(end.Until - now)})"
                    : $"at {UtcTime.Text(end.Until)} it ended, as was said when it was set to {stored.Policy.Level.Name()}; policyd has yet to write that", Tone.Caution)));
        foreach (var attribute in PolicyAttributes.All)
        {
            if (attribute.Get(destination.Policy) is { IsEmpty: false } values)
                facts.Add((attribute.Name, string.Join(", ", values)));
        }

        facts.Add(("mode", destination.Mode.Name()));
        if (destination.Observe)
            facts.Add(("enforced", new Cell(
                $"no, only observed; enforce it with: policyctl domain set {Shell.Quote(destination.Key.Text)} --enforce", Tone.Caution)));
        if (!destination.ProbeAs.IsEmpty)
            facts.Add(("probe as", string.Join(", ", destination.ProbeAs)));
        if (destination.Note is not null)
            facts.Add(("note", destination.Note));
        if (stored.At(now) is not { } inForce)
        {
            facts.Add(("answer", new Cell("(not configured)", Tone.Faint)));
            return facts;
        }

        var answer = PolicyText.Answer(inForce, postfix, MapName.TlsPolicy);
        facts.Add(("answer", new Cell(answer.ToDisplayString(), answer.Tone())));
        var tlsRpt = PolicyText.Answer(inForce, postfix, MapName.TlsPolicyTlsRpt);
        if (tlsRpt != answer)
            facts.Add(("answer on " + MapName.TlsPolicyTlsRpt.Name(), new Cell(tlsRpt.ToDisplayString(), tlsRpt.Tone())));
        return facts;
    }
}
