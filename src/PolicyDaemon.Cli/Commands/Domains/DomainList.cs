using System.CommandLine;
using System.Globalization;
using PolicyDaemon.Cli.Hosting;
using PolicyDaemon.Cli.Json;
using PolicyDaemon.Cli.Output;
using PolicyDaemon.Cli.Text;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Rotation;
using PolicyDaemon.Core.Runtime;
using PolicyDaemon.Store.Engines;

namespace PolicyDaemon.Cli.Commands.Domains;

/// <summary><c>domain list</c></summary>
internal static class DomainList
{
    private static readonly string[] Columns = ["key", "level", "pins", "served", "mode", "note", "verdict", "last_probe", "next_probe", "days_left", "until"];

    // For a person: without the times of probes, which `domain show` says, and with the note where it can be as long as it is.
    private static readonly int[] OnScreen = [0, 1, 2, 3, 4, 6, 9, 5];

    internal static Command Create(CommandRunner runner)
    {
        var pattern = Arguments.OptionalPattern("without it all are listed");
        var verb = new Verb("list", "List the destinations.")
        {
            Columns = Columns,
            ExitCodes = "1 where nothing matches PATTERN",
            Examples =
            [
                ("policyctl domain list", "Every destination; pins are served/all, served is yes, observed or TEMP (cannot be served), days left until a certificate ends."),
                ("policyctl domain list '*.example.com' --format json", "Those below example.com, with their pins and answers."),
            ],
        };
        verb.Add(pattern);
        verb.SetAction(runner.Handle(context => Run(context, context.Get(pattern))));
        return verb;
    }

    private static ExitCode Run(CommandContext context, string? pattern)
    {
        var postfix = context.Settings.Postfix;
        using var store = context.OpenStore(StoreAccess.Read);
        var wanted = pattern is null ? null : new KeyPattern(pattern);
        var now = context.Host.Time.GetUtcNow();
        // What has ended by the clock is answered so, whether or not policyd has written it yet.
        var destinations = store.List(wanted?.Canonical).Where(destination => wanted?.Matches(destination.Key) != false)
            .Select(destination => destination.At(now) ?? destination).ToList();
        var probed = store.ReadSummaries();
        var report = context.Report;
        if (report.Format == OutputFormat.Json)
        {
            report.Json([.. destinations.Select(destination => DestinationJson.From(
                destination, postfix, ProbeStateJson.From(probed.GetValueOrDefault(destination.Key), now)))], CliJson.Default.IReadOnlyListDestinationJson);
        }
        else
        {
            var table = new Table(report.IsTable ? [.. OnScreen.Select(column => Columns[column])] : Columns) { CutsLast = true, Spare = ["note", "mode", "days_left"] };
            foreach (var destination in destinations)
            {
                var row = Row(destination, postfix, probed.GetValueOrDefault(destination.Key), now);
                if (report.IsTable)
                {
                    row[1] = destination.Policy.Level.Name() + (destination.Floor == DiscoveryFloor.None ? "" : $", at least {destination.Floor.Name()}")
                        + (destination.Until is { } until ? $", until {UtcTime.Text(until)}" : "");
                }

                table.Add(report.IsTable ? [.. OnScreen.Select(column => row[column])] : row);
            }

            report.Rows(table, [], CliJson.Default.IReadOnlyListDestinationJson, WhenEmpty(pattern));
        }

        if (destinations.Count > 0 || pattern is null)
            return ExitCode.Done;
        if (!report.IsTable)
            report.Note(WhenEmpty(pattern));
        return ExitCode.Negative;
    }

    private static string WhenEmpty(string? pattern) => pattern is null
        ? "No destination is configured; add one with: policyctl domain add KEY --level LEVEL"
        : $"No key matches {pattern}.";

    private static Cell[] Row(Destination destination, PostfixSettings postfix, ProbeSummary? probed, DateTimeOffset now) =>
    [
        destination.Key.Text,
        destination.Policy.Level.Name(),
        Pins(destination, postfix),
        Served(destination.At(now), postfix),
        destination.Mode.Name(),
        destination.Note,
        new Cell(VerdictText.Name(probed?.Verdict), VerdictText.Tone(probed?.Verdict)),
        probed is null ? "-" : UtcTime.Text(probed.LastProbe),
        probed is null ? "-" : UtcTime.Text(probed.NextDue),
        VerdictText.DaysLeft(probed?.Expires, now),
        destination.Until is { } until ? UtcTime.Text(until) : "-",
    ];

    private static string Pins(Destination destination, PostfixSettings postfix) => destination.Pins.IsEmpty
        ? "-"
        : string.Create(
            CultureInfo.InvariantCulture,
            $"{(destination.Policy.Level.MatchesFingerprints() && !destination.Observe ? PinSelection.Of(destination, postfix).Served.Length : 0)}/{destination.Pins.Length}");

    private static Cell Served(Destination? destination, PostfixSettings postfix)
    {
        if (destination is null)
            return new Cell("ended", Tone.Caution);
        if (destination.Observe)
            return new Cell("observed", Tone.Caution);
        return PolicyText.Answer(destination, postfix, MapName.TlsPolicy).Kind == LookupAnswerKind.Temporary
            ? new Cell("TEMP", Tone.Bad)
            : new Cell("yes", Tone.Good);
    }
}
