using PolicyDaemon.Administration;
using PolicyDaemon.Administration.Postfix;
using PolicyDaemon.Cli.Setup.Postfix;
using PolicyDaemon.Core.Destinations;

namespace PolicyDaemon.Cli.Setup.Checks;

/// <summary>What the rows of older tables still decide, in words and as the commands that settle it.</summary>
internal static class OlderTableText
{
    /// <summary>That nothing of a table behind us is asked for any more.</summary>
    internal static string Settled(OlderTable table) => table.Rows == 0
        ? $"{table.Name} is asked behind us and has no rows; take it out"
        : $"{table.Name} is asked behind us and decides nothing any more: {Each(table)}; take it out";

    /// <summary>What a table behind us still decides.</summary>
    /// <param name="digest">The digest that we serve.</param>
    internal static string Deciding(OlderTable table, string digest) =>
        (table.Deciding == 0
            ? $"{table.Name} is asked behind us, and of its rows only the {Rows(table)} were compared, which decide nothing; what those behind them say is not known"
            : $"{table.Name} is asked behind us, and {table.Deciding} of its {Rows(table)} still {Decide(table.Deciding)}: {Parts(table)}")
        + (table.Mismatched == 0 ? "" : $"; {Mismatches([table], digest)}");

    /// <summary>How many rows of the tables are not in the store, as the end of a sentence; empty where none is known.</summary>
    internal static string NotHere(IReadOnlyList<OlderTable> tables) =>
        tables.Count == 0 ? "" : "; " + string.Join(", ", tables.Select(table => table.Deciding == 0
            ? Each(table)
            : $"of the {Rows(table)} of {table.Name} {Parts(table)}"));

    /// <summary>That pins match nothing, and what becomes of mail.</summary>
    internal static string Mismatches(IReadOnlyList<OlderTable> tables, string digest)
    {
        var count = tables.Sum(table => table.Mismatched);
        return $"{Phrases.Count(count, "row")} of {string.Join(" and ", tables.Select(table => table.Name))} {(count == 1 ? "has its" : "have their")} pins in another digest than {digest} "
            + $"and would match nothing: {(count == 1 ? "its" : "their")} mail would wait";
    }

    /// <summary>What goes on without partners who are not there, and what does not; null where all of them are.</summary>
    /// <param name="digest">The digest that we serve.</param>
    /// <param name="isInTheWay">Their rows keep Postfix from being switched over.</param>
    internal static string? OutOfReach(IReadOnlyList<OlderTable> tables, string digest, bool isInTheWay)
    {
        var keys = tables.SelectMany(table => table.OutOfReach).Distinct().ToList();
        if (keys.Count == 0)
            return null;
        var (one, quoted) = (keys.Count == 1, Shell.Quote(keys[0].Text));
        return $"{string.Join(", ", keys)}: the last probe met no server, so that {(one ? "its pin is" : "their pins are")} not carried over to {digest} yet. "
            + (isInTheWay ? "Every other row can come in meanwhile, and Postfix is switched over after that" : $"Everything else goes on; until then {(one ? "its row" : "their rows")} in the older table decide{(one ? "s" : "")}")
            + $". Not to wait for it: have the partner read the fingerprint in {digest} to you (policyctl pin add {quoted} FINGERPRINT, then policyctl domain set {quoted} --enforce), "
            + $"or enforce another level (policyctl domain set {quoted} --level encrypt --enforce --reason \"not there\"). Once a server answers:";
    }

    /// <summary>The commands that bring in what still decides: rows without an entry, entries that are only observed, pins that nobody has proven.
    /// Of entries whose servers do not answer there is none: a probe that has just met nobody would be proposed again and again.</summary>
    internal static IReadOnlyList<SetupCommand> Steps(IReadOnlyList<OlderTable> tables) =>
    [
        .. tables.Where(table => table.Missing > 0).Select(table => (SetupCommand)table.ImportCommand),
        .. tables.SelectMany(table => table.Ready).Select(key => (SetupCommand)$"policyctl domain set {Shell.Quote(key.Text)} --enforce"),
        .. tables.SelectMany(table => table.Unproven).Select(key => (SetupCommand)$"policyctl probe {Shell.Quote(key.Text)}"),
        .. tables.SelectMany(table => table.Undecided).Select(key => (SetupCommand)$"policyctl pin approve {Shell.Quote(key.Text)}"),
    ];

    private static string Each(OlderTable table) => $"{(table.Rows == 1 ? "its one row" : $"each of its {Rows(table)}")} has an entry here that is enforced";

    private static string Rows(OlderTable table) => (table.IsCut ? "first " : "") + Phrases.Count(table.Rows, "row");

    private static string Decide(long count) => count == 1 ? "decides" : "decide";

    private static string Parts(OlderTable table) => string.Join(" and ", new[]
    {
        table.Missing == 0 ? null : $"{table.Missing} {(table.Missing == 1 ? "has" : "have")} no entry here",
        table.Observed == 0 ? null : $"{table.Observed} {(table.Observed == 1 ? "has" : "have")} {(table.Missing == 0 ? "an entry here" : "one")} that is not enforced",
    }.OfType<string>());
}
