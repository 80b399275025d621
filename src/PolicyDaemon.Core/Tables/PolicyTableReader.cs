using System.Collections.Immutable;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;

namespace PolicyDaemon.Core.Tables;

/// <summary>Reads the source of an smtp_tls_policy_maps table, row by row, without holding it in memory.</summary>
/// <remarks>
/// See postmap(1), TABLE FORMAT, for the lines and <see cref="PolicyTextReader"/> for the policies. A row with any problem is
/// not returned; an import takes all rows or none. What postmap would quietly ignore (a line without a value, a duplicate) is
/// a problem here, because a row that vanishes is a destination without its policy.
/// </remarks>
public sealed class PolicyTableReader
{
    // What is true of every row of a large table is said for its first rows, and then once for all of them.
    private const int MaxNoBreakSpaceWarnings = 10;
    private const int MaxApexWarnings = 100;

    private readonly TableOptions options;
    private readonly KeyLines lines = new();
    private readonly Dictionary<string, Destination> manySpellings = new(StringComparer.Ordinal);
    private readonly List<(int Line, NextHop Key, Destination? Row)> dotKeys = [];
    private int noBreakSpaceRows;

    private PolicyTableReader(TableOptions options) => this.options = options;

    /// <summary>Reads a table.</summary>
    /// <param name="source">The bytes of the table source; read once, from its position to its end.</param>
    /// <param name="options">How rows become destinations.</param>
    /// <returns>Rows, problems and warnings in the order of the table; what can be said at its end only comes last.</returns>
    public static IEnumerable<TableItem> Read(Stream source, TableOptions options)
    {
        ArgumentNullException.ThrowIfNull(source);
        ArgumentNullException.ThrowIfNull(options);
        return new PolicyTableReader(options).ReadAll(source);
    }

    private IEnumerable<TableItem> ReadAll(Stream source)
    {
        var logicalLines = new LogicalLineReader(source);
        foreach (var line in logicalLines.ReadAll())
        {
            if (line.NoBreakSpaceLine > 0 && ++noBreakSpaceRows <= MaxNoBreakSpaceWarnings)
                yield return TableItem.Warning(
                    line.NoBreakSpaceLine, new Problem("no-break spaces (U+00A0) are read as blanks", options.WithEntryAttributes ? "" : "postmap would take them for text"));
            foreach (var item in line.Fault is { } fault ? [TableItem.Refused(fault.Line, fault.Problem)] : ReadRow(line))
                yield return item;
        }

        if (logicalLines.NulLine > 0)
        {
            yield return TableItem.NoText(
                logicalLines.NulLine,
                new Problem("it contains a NUL character", options.WithEntryAttributes
                    ? "this is no text file. Name a file of entries, as export --full writes them, or JSON"
                    : "this is no text file. Name the table's source, as given to postmap, not what postmap makes of it"));
            yield break;
        }

        if (logicalLines.HadByteOrderMark)
            yield return TableItem.Warning(1, new Problem("the byte order mark is dropped", options.WithEntryAttributes ? "" : "postmap would take it for a part of the first destination"));
        if (noBreakSpaceRows > MaxNoBreakSpaceWarnings)
            yield return TableItem.Warning(0, new Problem($"{noBreakSpaceRows} rows in all have no-break spaces; the first {MaxNoBreakSpaceWarnings} are named"));
        foreach (var item in Apexes())
            yield return item;
    }

    private IEnumerable<TableItem> ReadRow(LogicalLine line)
    {
        var (key, policyAt) = SplitKey(line.Text);
        if (key.Contains('"', StringComparison.Ordinal))
            return [Refused($"Postfix keeps the quotes of {AttributeValues.Shown(key)} in the key, which no destination has", "remove them")];
        var isKey = options.WithEntryAttributes ? NextHop.TryParseEntry(key, out var nextHop, out var reason) : NextHop.TryParse(key, out nextHop, out reason);
        if (!isKey)
        {
            return [Refused(reason!, key == NextHop.Default.Text ? "remove the row, which has had no effect; as a default for every domain it is made with policyctl domain add"
                : key.EndsWith(':') ? options.WithEntryAttributes ? "a row has no colon after the destination" : "a table has no colon after the destination" : "")];
        }

        if (policyAt == line.Text.Length)
            return [Refused($"{nextHop.ToDisplayString()} has no policy", "write a level behind it, or remove the line")];

        var policy = line.Text[policyAt..];
        var own = options.WithEntryAttributes ? EntryAttributeReader.Take(ref policy) : EntryAttributeReader.None;
        var reading = PolicyTextReader.Read(policy, options.WithEntryAttributes ? PostfixVersion.Newest : options.Postfix.Version, options.WithEntryAttributes);
        if (reading.Policy is null || !reading.Problems.IsEmpty || !own.Problems.IsEmpty)
            return Problems(line, nextHop, policyAt, reading.Problems.AddRange(own.Problems));

        var row = own.Apply(ToDestination(nextHop, reading), options.Since, out var problem);
        if (problem is { } wrong)
            return Problems(line, nextHop, policyAt, [wrong]);
        var items = new List<TableItem>(reading.Warnings.Length + 1);
        foreach (var warning in reading.Warnings)
            items.Add(TableItem.Warning(line.LineAt(policyAt + warning.Offset), warning.Problem.At(nextHop.ToDisplayString())));
        return Judge(line, row, items);

        TableItem Refused(string reason, string advice) => TableItem.Refused(line.First, new Problem(reason, advice));
    }

    private List<TableItem> Judge(LogicalLine line, Destination row, List<TableItem> items)
    {
        var name = row.Key.ToDisplayString();
        var problems = options.WithEntryAttributes ? [] : PolicyRules.Problems(before: null, row, options.Postfix);
        var isUnservable = problems.Count > 0 && HasForeignPins(row) && PolicyRules.Problems(row with { Observe = true }, options.Postfix).Count == 0;
        var canKeep = isUnservable && options.Unservable != UnservableRows.Refuse;
        if (canKeep && options.Unservable == UnservableRows.Keep)
        {
            problems = [];
        }
        else if (canKeep)
        {
            row = row with { Observe = true };
            items.Add(TableItem.Warning(line.First, new Problem(
                $"{name} is imported as observed, because Postfix compares {options.Postfix.FingerprintDigest.Name()} digests and cannot match its pins: "
                + "it is not enforced while its pins are in another digest",
                "a probe that sees what they name carries them over, then enforce it with: policyctl domain set KEY --enforce")));
            problems = [];
        }

        if (problems.Count > 0)
            return [.. problems.Select(problem => TableItem.Refused(line.First, InTable(problem, row, isUnservable).At(name)) with { IsUnservable = isUnservable })];
        if (FindDuplicate(line.First, row) is { } duplicate)
            return [duplicate];
        items.Add(TableItem.Row(line.First, row));
        if (row.Key.IsSubdomains)
            dotKeys.Add((line.First, row.Key, options.WithApex ? row : null));
        return items;
    }

    /// <summary>The rules advise whoever types an entry; a row is mended in its table, or taken over by an option of the import.</summary>
    private static Problem InTable(Problem problem, Destination row, bool isUnservable) =>
        isUnservable ? problem with { Advice = "--probe carries over those that a server proves, --unservable observe keeps the row without enforcing it" }
        : row.Policy.Level.MatchesFingerprints() && row.Pins.IsEmpty ? problem with { Advice = "write match=FINGERPRINT behind the level" }
        : problem;

    private TableItem? FindDuplicate(int line, Destination row)
    {
        // Only a port's service name and an address literal are written in two ways on purpose, as an exported table does.
        var hasSpellings = row.Key.Text.Contains(':', StringComparison.Ordinal) || row.Key.Text.Contains("xn--", StringComparison.Ordinal);
        if (lines.TryAdd(row.Key.Text, line, out var first))
        {
            if (hasSpellings)
                manySpellings.Add(row.Key.Text, row);
            return null;
        }

        return hasSpellings && manySpellings[row.Key.Text] == row
            ? TableItem.Warning(line, new Problem(
                $"{row.Key.ToDisplayString()} stands in line {first} already, with the same policy", "one entry answers both spellings"))
            : TableItem.Refused(line, new Problem(
                $"{row.Key.ToDisplayString()} stands in line {first} already and can have one policy only", "remove one of the two"));
    }

    private IEnumerable<TableItem> Apexes()
    {
        var alone = 0;
        foreach (var (line, dotKey, row) in dotKeys)
        {
            var apex = dotKey.Text[1..];
            if (lines.Contains(apex) || !NextHop.TryParse(apex, out var key, out _))
                continue;
            if (row is not null)
                yield return TableItem.Row(line, row with { Key = key });
            else if (!options.WithEntryAttributes && ++alone <= MaxApexWarnings)
                yield return TableItem.Warning(line, new Problem(
                    $"{dotKey.ToDisplayString()} answers for subdomains only and there is no row for {key.ToDisplayString()}: "
                    + $"mail to {key.ToDisplayString()} itself gets the default level", "--with-apex adds it"));
        }

        if (alone > MaxApexWarnings)
            yield return TableItem.Warning(0, new Problem($"{alone} rows in all answer for subdomains only; the first {MaxApexWarnings} are named", "--with-apex adds the domains themselves"));
    }

    private Destination ToDestination(NextHop key, PolicyReading reading) => new()
    {
        Key = key,
        Policy = reading.Policy!,
        Observe = options.Observe,
        Pins =
        [
            .. reading.Fingerprints.Select(fingerprint =>
                new Pin(fingerprint, PinSubject.Unknown, options.PinState, PinStrength.Person, options.Since)),
        ],
    };

    private bool HasForeignPins(Destination row) =>
        row.Pins.Any(pin => pin.Fingerprint.Algorithm != options.Postfix.FingerprintDigest);

    private static IEnumerable<TableItem> Problems(LogicalLine line, NextHop key, int policyAt, ImmutableArray<PolicyProblem> problems)
    {
        foreach (var problem in problems)
        {
            var at = line.LineAt(policyAt + problem.Offset);
            var row = at == line.First ? "" : $" (of line {line.First})";
            yield return TableItem.Refused(at, problem.Problem.At($"{key.ToDisplayString()}{row}"));
        }
    }

    /// <summary>The key ends at the first blank outside double quotes (util/mystrtok.c, mystrtokdq); then blanks, then the policy.</summary>
    private static (string Key, int PolicyAt) SplitKey(string line)
    {
        var quoted = false;
        var end = 0;
        for (; end < line.Length && (quoted || !char.IsWhiteSpace(line[end])); end++)
        {
            if (line[end] == '"')
                quoted = !quoted;
            else if (line[end] == '\\' && end + 1 < line.Length)
                end++;
        }

        var policy = line.AsSpan(end).TrimStart();
        return (line[..end], policy.IsEmpty ? line.Length : line.Length - policy.Length);
    }
}
