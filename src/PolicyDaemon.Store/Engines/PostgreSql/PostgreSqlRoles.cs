using System.Text;

namespace PolicyDaemon.Store.Engines.PostgreSql;

/// <summary>Who may do what in a store on a server, table by table: the roles of which the users of the programs are members.</summary>
/// <remarks>
/// <code>
/// policydaemon_owner      owns the tables: policyctl store upgrade
/// policydaemon_admin      changes entries: policyctl
/// policydaemon_prober     moves pins, and writes what it saw: a policyd that probes
/// policydaemon_node       reads, and tells its findings: every other policyd. Whoever breaks into it can write no pin
/// </code>
/// A database without the roles works as well: then its owner is everything. What a role may do to a table that comes later is a row below; what
/// it may do to single rows say triggers (<c>Migrations/0013.sql</c>).
/// </remarks>
internal static class PostgreSqlRoles
{
    internal const string Owner = "policydaemon_owner";
    internal const string Admin = "policydaemon_admin";
    internal const string Prober = "policydaemon_prober";
    internal const string Node = "policydaemon_node";

    private const string Read = "SELECT";
    private const string Append = "SELECT, INSERT";
    private const string All = "SELECT, INSERT, UPDATE, DELETE";

    /// <summary>All of them, the owner first.</summary>
    internal static readonly IReadOnlyList<string> Names = [Owner, Admin, Prober, Node];

    /// <summary>What each role may do to each table. A test compares them with the tables that there are.</summary>
    internal static readonly IReadOnlyList<TableRights> Tables =
    [
        new("schema_version", "the version of the tables", "SELECT, UPDATE", Read, Read),
        new("store", "the identity of the store", "SELECT, INSERT, UPDATE", Read, Read),
        // Automation ends entries whose time is over; a trigger refuses everything else. It adds none.
        new("destination", "the entries", All, "SELECT, UPDATE, DELETE", Read),
        new("pin", "the pins", All, All, Read),
        new("change", "the audit log", Append, Append, Read),
        new("audit", "the audit log", Append, Append, Read),
        // Whoever writes locks its row, for which a right to change it is asked; in the column id nothing but 1 is allowed.
        new("audit_head", "the end of the audit log", All, "SELECT, UPDATE", "SELECT, UPDATE (id)"),
        new("finding", "the findings", All, All, "SELECT, INSERT, UPDATE"),
        new("alert_delivery", "what people were told of findings", All, All, Read),
        new("key_material", "the certificates and public keys that probes saw", All, All, Read),
        new("probe_target", "what probes saw", All, All, Read),
        new("certificate_run", "what probes saw", All, All, Read),
        new("observation", "what probes saw", All, All, Read),
        new("probe_state", "what probes found", All, All, Read),
        new("mx_target", "what probes found", All, All, Read),
        new("new_key", "what the brake counts", All, All, Read),
        new("prober", "what the prober remembers of itself", All, All, Read),
        new("discovered", "what discovery remembers", All, All, Read),
        new("verdict_change", "what discovery remembers", All, All, Read),
        new("discovery_notice", "what discovery remembers", All, All, Read),
        new("node", "the machines that share the store", "SELECT, DELETE", "SELECT, INSERT, UPDATE", "SELECT, INSERT, UPDATE"),
        new("probe_lease", "which machine probes", Read, "SELECT, INSERT, UPDATE", Read),
        new("probe_claim", "the addresses that programs are connected to", All, All, Read),
        new("probe_request", "what lookups want probed", Read, All, "SELECT, INSERT"),
    ];

    /// <summary>The functions of triggers, which say what a role may do to single rows. A test compares them with those that there are.</summary>
    internal static readonly IReadOnlyList<string> Functions = ["audit_append_only", "node_is_own", "finding_is_own", "entry_has_ended"];

    /// <summary>What the name of a table stands for; null where it is none of the store's.</summary>
    internal static string? PurposeIn(string message) => Tables.FirstOrDefault(table => WordsOf(message).Contains(table.Table))?.Purpose;

    /// <summary>What a table holds, for messages.</summary>
    internal static string PurposeOf(string table) => Tables.First(row => row.Table == table).Purpose;

    /// <summary>The rights, as statements for the owner of the tables.</summary>
    internal static string Grants()
    {
        var text = new StringBuilder();
        foreach (var (role, rights) in Granted())
        {
            foreach (var (privileges, tables) in rights)
                text.Append("GRANT ").Append(privileges).Append(" ON ").Append(tables).Append(" TO ").Append(role).Append(";\n");
        }

        // Numbers of rows that come from another store are given, and those of later ones begin behind them.
        return text.Append(
            $$"""
            DO $sequences$
            DECLARE numbers text;
            BEGIN
                FOR numbers IN SELECT s.oid::regclass::text FROM pg_class s JOIN pg_depend d ON d.objid = s.oid AND d.deptype = 'i' AND d.classid = 'pg_class'::regclass
                    WHERE s.relkind = 'S' AND d.refobjid IN ({{string.Join(", ", Tables.Select(table => $"to_regclass('{table.Table}')"))}}) LOOP
                    EXECUTE 'GRANT SELECT, USAGE, UPDATE ON SEQUENCE ' || numbers || ' TO {{Admin}}';
                END LOOP;
            END $sequences$;

            """).ToString();
    }

    private static IEnumerable<(string Role, IEnumerable<(string Privileges, string Tables)> Rights)> Granted()
    {
        yield return (Admin, Of(table => table.Admin));
        yield return (Prober, Of(table => table.Prober));
        yield return (Node, Of(table => table.Node));

        static IEnumerable<(string, string)> Of(Func<TableRights, string> rights) =>
            Tables.GroupBy(rights).Select(group => (group.Key, string.Join(", ", group.Select(table => table.Table))));
    }

    /// <summary>The words of a message that may be names.</summary>
    private static HashSet<string> WordsOf(string message) =>
        [.. message.Split([' ', '"', '\'', '«', '»', '„', '“', '”', ',', '.', ':'], StringSplitOptions.RemoveEmptyEntries)];
}

/// <summary>What the roles may do to a table.</summary>
/// <param name="Table">Its name.</param>
/// <param name="Purpose">What it holds, for messages.</param>
/// <param name="Admin">The privileges of policydaemon_admin, as GRANT has them.</param>
/// <param name="Prober">Those of policydaemon_prober.</param>
/// <param name="Node">Those of policydaemon_node.</param>
internal sealed record TableRights(string Table, string Purpose, string Admin, string Prober, string Node);
