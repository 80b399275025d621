using System.CommandLine;
using PolicyDaemon.Administration.Changes;
using PolicyDaemon.Administration.Explaining;
using PolicyDaemon.Cli.Hosting;
using PolicyDaemon.Cli.Json;
using PolicyDaemon.Cli.Output;
using PolicyDaemon.Cli.Text;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Runtime;
using PolicyDaemon.Store;
using PolicyDaemon.Store.Engines;

namespace PolicyDaemon.Cli.Commands.Pins;

/// <summary><c>pin list</c></summary>
internal static class PinList
{
    private static readonly string[] Columns = ["key", "fingerprint", "digest", "of", "state", "trust", "since", "served", "first_seen", "last_seen", "seen_at", "evidence"];

    // What fits beside each other on a screen; the rest stands below.
    private const int Narrow = 8;

    internal static Command Create(CommandRunner runner)
    {
        var key = new Argument<string?>("PATTERN")
        {
            Description = "A key, or a pattern over keys: * is any characters, ? is one; without it every pin is listed",
            Arity = ArgumentArity.ZeroOrOne,
        };
        var verb = new Verb("list", "List pins: whether each is served, where it was seen, and who decided.")
        {
            Columns = Columns,
            ExitCodes = "1 where the key is not configured, or nothing matches PATTERN",
            Examples =
            [
                ("policyctl pin list example.com", "The pins of one destination."),
                ("policyctl pin list '*.example.com'", "Those of every destination below example.com."),
                ("policyctl pin list --format tsv | cut -f1,2,5", "Key, fingerprint and state of every pin."),
            ],
        };
        verb.Add(key);
        verb.SetAction(runner.Handle(context => Run(context, context.Get(key))));
        return verb;
    }

    private static ExitCode Run(CommandContext context, string? key)
    {
        var postfix = context.Settings.Postfix;
        using var store = context.OpenStore(StoreAccess.Read);
        var pattern = key is null || KeyPattern.IsPattern(key) ? new KeyPattern(key ?? "**") : null;
        var destinations = pattern is null ? [One(context, store, key!)] : Matching(store, pattern);
        var table = new Table(context.Report.IsTable ? Columns[..Narrow] : Columns);
        var json = new List<ListedPinJson>();
        foreach (var destination in destinations)
        {
            var selection = PinSelection.Of(destination, postfix);
            var known = PinProbeState.Read(store, destination);
            json.AddRange(PinJson.Of(destination, postfix, known).Select(pin => new ListedPinJson(destination.Key.Text, pin)));
            foreach (var pin in destination.Pins)
                table.Add([.. Row(destination, selection, pin).Concat(context.Report.IsTable ? [] : More(known, pin))]);
        }

        context.Report.Rows(table, json, CliJson.Default.IReadOnlyListListedPinJson, WhenEmpty(key, destinations));
        if (context.Report.IsTable && pattern is null)
            PinTable.WriteEvidence(context.Report, destinations[0], PinProbeState.Read(store, destinations[0]));
        if (destinations.Count > 0 || key is null)
            return ExitCode.Done;
        if (!context.Report.IsTable)
            context.Report.Note(WhenEmpty(key, destinations));
        return ExitCode.Negative;
    }

    private static List<Destination> Matching(PolicyStore store, KeyPattern pattern) =>
        [.. store.List(pattern.Canonical).Where(destination => pattern.Matches(destination.Key) && !destination.Pins.IsEmpty)];

    private static string WhenEmpty(string? key, List<Destination> found) => key is null
        ? "There are no pins."
        : found.Count > 0 ? $"{key} has no pins." : $"No key with pins matches {key}.";

    private static Destination One(CommandContext context, PolicyStore store, string key)
    {
        var nextHop = CommandContext.ParseKey(key);
        return store.Find(nextHop) ?? throw StoreView.Missing(store, nextHop);
    }

    private static Cell[] Row(Destination destination, PinSelection selection, Pin pin) =>
    [
        destination.Key.Text,
        pin.Fingerprint.Hex,
        pin.Fingerprint.Algorithm.Name(),
        pin.Subject.Name(),
        pin.State.Name(),
        PinTable.Trust(pin),
        UtcTime.Text(pin.Since),
        PinTable.Served(destination, selection, pin),
    ];

    private static Cell[] More(PinProbeState known, Pin pin)
    {
        var seen = known.Seen(pin);
        return
        [
            seen is null ? "-" : UtcTime.Text(seen.Value.First),
            seen is null ? "-" : UtcTime.Text(seen.Value.Last),
            PinTable.Places(known, pin) is { Length: > 0 } places ? places : "-",
            known.EvidenceOf(pin)?.Describe() ?? "-",
        ];
    }
}
