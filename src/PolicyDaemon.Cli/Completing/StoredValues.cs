using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Runtime;
using PolicyDaemon.Store;

namespace PolicyDaemon.Cli.Completing;

/// <summary>Arguments whose values the store knows: destinations, pins, changes.</summary>
internal static class StoredValues
{
    private const int ChangesOffered = 30;

    internal delegate IEnumerable<(string Label, string Description)> Source(PolicyStore store, ParseResult line, string current);

    /// <returns>Null where the store knows nothing of it.</returns>
    internal static Source? Of(Symbol symbol, Command command) => (symbol.Name, command.Name) switch
    {
        // What is to be added is not there yet.
        ("KEY", "add") when command.Parents.Any(parent => parent.Name == "domain") => null,
        ("KEY" or "PATTERN" or "DOMAIN", _) => Keys,
        ("FINGERPRINT", _) => (store, line, current) => Pins(store, line, current, command.Name),
        ("ID", "undo") => Changes,
        ("--who", _) => People,
        _ => null,
    };

    private static IEnumerable<(string, string)> Keys(PolicyStore store, ParseResult line, string current) =>
        store.List(new KeyPattern(current.TrimEnd('*') + "*").Canonical)
            .Select(entry => (entry.Key.Text, entry.Policy.Level.Name() + (entry.Note is null ? "" : $", {entry.Note}")));

    private static IEnumerable<(string, string)> Pins(PolicyStore store, ParseResult line, string current, string verb)
    {
        if (line.CommandResult.Children.OfType<ArgumentResult>().FirstOrDefault(argument => argument.Argument.Name == "KEY") is not { Tokens: [var key, ..] }
            || !NextHop.TryParse(key.Value, out var nextHop, out _) || store.Find(nextHop) is not { } entry)
            return [];
        return entry.Pins.Where(pin => verb switch
        {
            "approve" => pin.State == PinState.Candidate,
            "revoke" => pin.IsServed,
            "add" => !pin.IsServed,
            _ => pin.State != PinState.Rejected,
        }).Select(pin => (pin.Fingerprint.Hex, $"{pin.State.Name()} since {UtcTime.Text(pin.Since)}"));
    }

    private static IEnumerable<(string, string)> Changes(PolicyStore store, ParseResult line, string current) =>
        store.Audit(limit: 1000).Where(row => row.Key is not null).GroupBy(row => row.ChangeId).Take(ChangesOffered).Select(change => (
            change.Key.ToString(CultureInfo.InvariantCulture),
            $"{UtcTime.Text(change.First().Time)} {change.First().Actor}: {change.First().Action} {change.First().Key}"
            + (change.Count() > 1 ? string.Create(CultureInfo.InvariantCulture, $" and {change.Count() - 1} more") : "")));

    private static IEnumerable<(string, string)> People(PolicyStore store, ParseResult line, string current) =>
        store.Audit(limit: 1000).SelectMany(row => new[] { row.Actor.SudoUser, row.Actor.Login, row.Actor.Effective }).OfType<string>().Distinct(StringComparer.Ordinal)
            .Select(name => (name, ""));
}
