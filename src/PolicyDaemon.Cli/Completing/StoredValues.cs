using System.Collections.Immutable;
using System.CommandLine;
using System.CommandLine.Parsing;
using System.Globalization;
using System.Text;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Observations;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Rotation;
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
        ("KEY", "approve") => Waiting,
        ("KEY" or "PATTERN" or "DOMAIN" or "--like", _) => Keys,
        ("FINGERPRINT", _) => (store, line, current) => Pins(store, line, current, command.Name),
        ("ID", "undo") => Changes,
        ("--who", _) => People,
        _ => null,
    };

    private static IEnumerable<(string, string)> Keys(PolicyStore store, ParseResult line, string current) =>
        Begun(store, current).Select(entry => (Label(entry.Key, current), entry.Policy.Level.Name() + (entry.Note is null ? "" : $", {entry.Note}")));

    /// <summary>The entries whose keys begin with what is typed, in A-labels or in U-labels.</summary>
    private static IEnumerable<Destination> Begun(PolicyStore store, string current)
    {
        var pattern = new KeyPattern(current.TrimEnd('*') + "*");
        return store.List(pattern.Canonical).Where(entry => pattern.Canonical is not null || pattern.Matches(entry.Key));
    }

    // The shells offer what begins as the word does.
    private static string Label(NextHop key, string current) => Ascii.IsValid(current) ? key.Text : key.ToDisplayString();

    /// <summary>The entries in which a key waits for a decision.</summary>
    private static IEnumerable<(string, string)> Waiting(PolicyStore store, ParseResult line, string current) =>
        Begun(store, current).Where(entry => entry.Pins.Any(pin => pin.State == PinState.Candidate))
            .Select(entry => (Label(entry.Key, current), Waits(entry.Pins.Count(pin => pin.State == PinState.Candidate))));

    private static string Waits(int candidates) => candidates == 1 ? "a key waits for a decision" : string.Create(CultureInfo.InvariantCulture, $"{candidates} keys wait for a decision");

    private static IEnumerable<(string, string)> Pins(PolicyStore store, ParseResult line, string current, string verb)
    {
        if (line.CommandResult.Children.OfType<ArgumentResult>().FirstOrDefault(argument => argument.Argument.Name == "KEY") is not { Tokens: [var key, ..] }
            || !NextHop.TryParse(key.Value, out var nextHop, out _) || store.Find(nextHop) is not { } entry)
            return [];
        var probed = new Lazy<ProbeState?>(() => store.ReadProbeState(nextHop));
        var written = Written.Of(current);
        var pins = entry.Pins.Where(pin => verb switch
        {
            "approve" => pin.State == PinState.Candidate,
            "revoke" => pin.IsServed,
            "add" => !pin.IsServed,
            _ => pin.State != PinState.Rejected,
        }).ToList();
        var own = pins.Select(pin => (Label: written.As(pin.Fingerprint), Description: Description(pin, probed.Value?.PresentationsOf(pin.Fingerprint) ?? []))).ToList();
        // Whoever types what a partner read out types the certificate's; before anything is typed one fingerprint of each is enough.
        return current.Length == 0 || verb == "add" || own.Exists(pin => pin.Label.StartsWith(current, StringComparison.OrdinalIgnoreCase))
            ? own
            : pins.SelectMany(pin => probed.Value?.PresentationsOf(pin.Fingerprint) ?? []).SelectMany(seen => DigestAlgorithms.All.Select(digest => (
                written.As(seen.Certificate.Digest(PinSubject.Certificate, digest)), $"certificate of {seen.MxHost}, {digest.Name()}, until {UtcTime.Text(seen.Certificate.NotAfter)}")));
    }

    private static string Description(Pin pin, ImmutableArray<PinPresentation> seen)
    {
        var hosts = seen.Where(place => place.IsCurrent).Select(place => place.MxHost).Distinct().ToList();
        return $"{pin.State.Name()} since {UtcTime.Text(pin.Since)}" + (hosts.Count == 0 ? "" : $", shown by {string.Join(' ', hosts.Take(2))}{(hosts.Count > 2 ? " ..." : "")}");
    }

    /// <summary>How a fingerprint is being written: a candidate of the shells begins as what is there already.</summary>
    /// <param name="Prefix">The digest in front.</param>
    /// <param name="HasColons">There are colons between the pairs of digits.</param>
    private sealed record Written(string Prefix, bool HasColons)
    {
        internal static Written Of(string current)
        {
            var colon = current.IndexOf(':', StringComparison.Ordinal);
            var hasPrefix = colon > 0 && DigestAlgorithms.TryParse(current[..colon], out _);
            var digits = hasPrefix ? current[(colon + 1)..] : current;
            return new Written(hasPrefix ? current[..(colon + 1)] : "", digits.Contains(':', StringComparison.Ordinal));
        }

        internal string As(Fingerprint fingerprint) => Prefix + (HasColons ? fingerprint.ToDisplayString() : fingerprint.Hex);
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
