using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Runtime;
using PolicyDaemon.Core.Tables;

namespace PolicyDaemon.Cli.Setup.Postfix;

/// <summary>A table kept by hand in smtp_tls_policy_maps, its rows compared with the entries: what of it still decides about mail.</summary>
/// <remarks>Read from the table's source, which postmap(1) leaves where it is; a row counts as it stands there.</remarks>
/// <param name="Name">The table as main.cf names it, such as <c>hash:/etc/postfix/tls_policy</c>.</param>
/// <param name="Source">The file that postmap reads.</param>
internal sealed record OlderTable(string Name, string Source)
{
    // Every row takes a question to the store.
    private const int MostRows = 100_000;
    private const int MostNamed = 5;

    // Of these types the source lies beside the database under the same name; nothing else can be read as text.
    private static readonly string[] Types = ["hash", "btree", "lmdb", "cdb", "dbm", "texthash"];

    /// <summary>Its rows, as far as they were read.</summary>
    public long Rows { get; init; }

    /// <summary>True where it has more rows than are compared.</summary>
    public bool IsCut { get; init; }

    /// <summary>Rows without an entry here, and those that cannot be read: whoever asks us goes on to this table.</summary>
    public long Missing { get; init; }

    /// <summary>Rows whose entry here leaves the answer to main.cf and so to this table, because it is only observed or at level <c>default</c>.</summary>
    public long Observed { get; init; }

    /// <summary>Rows among both whose pins are all in another digest than ours: with our digest in Postfix they match nothing, and their mail waits.</summary>
    public long Mismatched { get; init; }

    /// <summary>Observed entries that can be enforced, the first of them.</summary>
    public IReadOnlyList<NextHop> Ready { get; init; } = [];

    /// <summary>Observed entries of which no pin in our digest is known and that nobody has probed, the first of them.</summary>
    public IReadOnlyList<NextHop> Unproven { get; init; } = [];

    /// <summary>Those among them whose servers showed keys, so that a person decides; the first of them.</summary>
    public IReadOnlyList<NextHop> Undecided { get; init; } = [];

    /// <summary>Those among them of which the last probe met no server: nothing can be proven until one does. The first of them.</summary>
    public IReadOnlyList<NextHop> OutOfReach { get; init; } = [];

    /// <summary>Rows that decide about mail where we are asked first.</summary>
    public long Deciding => Missing + Observed;

    /// <summary>True where every row was compared and none decides any more: the table can be taken out.</summary>
    public bool IsSettled => Deciding == 0 && !IsCut;

    /// <summary>The command that shows what an import of the table would do.</summary>
    public string ImportCommand => Import(Name, probes: Mismatched > 0)!;

    /// <summary>The command that shows what an import of a table would do; null where it has no source to read.</summary>
    internal static string? Import(string table, bool probes = false) =>
        SourceOf(table) is { } source ? $"policyctl import{(probes ? " --probe" : "")} --dry-run {Shell.Quote(source)}" : null;

    /// <summary>The file that postmap makes a table of; null for a table of another kind.</summary>
    internal static string? SourceOf(string table)
    {
        var rest = table.StartsWith("proxy:", StringComparison.Ordinal) ? table["proxy:".Length..] : table;
        var colon = rest.IndexOf(':', StringComparison.Ordinal);
        return colon > 0 && Types.Contains(rest[..colon]) && rest.Length > colon + 1 ? rest[(colon + 1)..] : null;
    }

    /// <summary>Reads a table and compares its rows.</summary>
    /// <param name="find">The entry of a key; null where there is none.</param>
    /// <param name="met">Whether the last probe of an entry met a server; null where none was made.</param>
    /// <param name="mostRows">How many rows are compared.</param>
    /// <returns>Null for a table without a source that can be read.</returns>
    internal static OlderTable? Read(
        string table, Settings settings, Func<NextHop, Destination?> find, Func<NextHop, bool?> met, TimeProvider time, long mostRows = MostRows)
    {
        if (SourceOf(table) is not { } source)
            return null;
        try
        {
            using var stream = new FileStream(source, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete, bufferSize: 1);
            return Compare(new OlderTable(table, source), stream, settings, find, met, time, mostRows);
        }
        catch (Exception unreadable) when (unreadable is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static OlderTable? Compare(
        OlderTable table, Stream stream, Settings settings, Func<NextHop, Destination?> find, Func<NextHop, bool?> met, TimeProvider time, long mostRows)
    {
        var digest = settings.Postfix.FingerprintDigest;
        var options = new TableOptions(settings.Postfix, UtcTime.WholeSeconds(time.GetUtcNow())) { Unservable = UnservableRows.Keep };
        var (rows, missing, observed, mismatched, refused) = (0L, 0L, 0L, 0L, 0);
        var (ready, unproven, undecided, outOfReach, isCut) = (new List<NextHop>(), new List<NextHop>(), new List<NextHop>(), new List<NextHop>(), false);
        foreach (var item in PolicyTableReader.Read(stream, options))
        {
            if (item.Kind == TableItemKind.NoText)
                return null;
            if (item.Kind == TableItemKind.Warning || (item.Kind == TableItemKind.Problem && item.Line == refused))
                continue;
            if (isCut = rows == mostRows)
                break;
            rows++;
            if (item.Destination is not { } row)
            {
                (refused, missing) = (item.Line, missing + 1);
                continue;
            }

            var entry = find(row.Key);
            if (entry is not null && !LeavesItToMainCf(entry))
                continue;
            (missing, observed) = entry is null ? (missing + 1, observed) : (missing, observed + 1);
            if (row.Policy.Level.MatchesFingerprints() && !row.Pins.IsEmpty && row.Pins.All(pin => pin.Fingerprint.Algorithm != digest))
                mismatched++;
            if (entry is not { Observe: true })
                continue;
            var named = CanBeServed(entry, digest) ? ready : met(entry.Key) switch { null => unproven, true => undecided, false => outOfReach };
            if (named.Count < MostNamed)
                named.Add(entry.Key);
        }

        return table with
        {
            Rows = rows, IsCut = isCut, Missing = missing, Observed = observed, Mismatched = mismatched,
            Ready = ready, Unproven = unproven, Undecided = undecided, OutOfReach = outOfReach,
        };
    }

    private static bool LeavesItToMainCf(Destination entry) => entry.Observe || entry.Policy.Level == TlsLevel.Default;

    private static bool CanBeServed(Destination entry, DigestAlgorithm digest) =>
        !entry.Policy.Level.MatchesFingerprints() || entry.Pins.Any(pin => pin.IsServed && pin.Fingerprint.Algorithm == digest);
}
