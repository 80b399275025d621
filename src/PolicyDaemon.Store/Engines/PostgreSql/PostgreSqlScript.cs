using System.Globalization;
using System.Text;

namespace PolicyDaemon.Store.Engines.PostgreSql;

/// <summary>What the administrator of a server is handed for psql(1): roles, tables and rights of a store.</summary>
internal static class PostgreSqlScript
{
    /// <summary>The text; it may be run again, and leaves what is there.</summary>
    internal static string Text()
    {
        var text = new StringBuilder(Head(PostgreSqlSchema.Newest));
        text.Append("-- Roles. None can log in: users become members.\n");
        text.Append("DO $roles$\nBEGIN\n");
        foreach (var role in PostgreSqlRoles.Names)
            text.Append(CultureInfo.InvariantCulture, $"    IF to_regrole('{role}') IS NULL THEN CREATE ROLE {role} NOLOGIN; END IF;\n");
        text.Append(
            $"""
                -- What is made below belongs to {PostgreSqlRoles.Owner}, which takes being a member of it.
                IF NOT pg_has_role('{PostgreSqlRoles.Owner}', 'MEMBER') THEN GRANT {PostgreSqlRoles.Owner} TO CURRENT_USER; END IF;
                EXECUTE format('GRANT CONNECT ON DATABASE %I TO {string.Join(", ", PostgreSqlRoles.Names)}', current_database());
            END $roles$;

            GRANT USAGE, CREATE ON SCHEMA public TO {PostgreSqlRoles.Owner};
            GRANT USAGE ON SCHEMA public TO {PostgreSqlRoles.Admin}, {PostgreSqlRoles.Prober}, {PostgreSqlRoles.Node};

            -- What somebody made before there were roles.
            DO $owner$
            DECLARE made text;
            BEGIN
                FOR made IN SELECT c.oid::regclass::text FROM pg_class c WHERE c.relowner <> '{PostgreSqlRoles.Owner}'::regrole
                    AND c.oid IN ({string.Join(", ", PostgreSqlRoles.Tables.Select(table => $"to_regclass('{table.Table}')"))}) LOOP
                    EXECUTE 'ALTER TABLE ' || made || ' OWNER TO {PostgreSqlRoles.Owner}';
                END LOOP;
                FOR made IN SELECT p.oid::regprocedure::text FROM pg_proc p WHERE p.proowner <> '{PostgreSqlRoles.Owner}'::regrole
                    AND p.oid IN ({string.Join(", ", PostgreSqlRoles.Functions.Select(function => $"to_regproc('{function}')"))}) LOOP
                    EXECUTE 'ALTER FUNCTION ' || made || ' OWNER TO {PostgreSqlRoles.Owner}';
                END LOOP;
            END $owner$;

            SET LOCAL ROLE {PostgreSqlRoles.Owner};

            -- Tables, where none are. Those of an older version are brought up to date by 'policyctl store upgrade', and by nothing else.
            SELECT to_regclass('schema_version') IS NULL AS has_no_tables \gset
            \if :has_no_tables


            """);
        foreach (var migration in PostgreSqlSchema.Migrations)
            text.Append(migration.Sql.TrimEnd()).Append("\n\n");
        text.Append("\\endif\n\n-- What each role may do.\n").Append(PostgreSqlRoles.Grants()).Append("\nRESET ROLE;\nCOMMIT;\n").Append(Tail);
        return text.ToString();
    }

    private static string Head(long version) => string.Create(
        CultureInfo.InvariantCulture,
        $"""
        -- A store of PolicyDaemon, schema {version}, on PostgreSQL 14 or newer: its roles, its tables, and what each role may do.
        --
        -- For the administrator of the server, to be run by psql in a database of encoding UTF8 that holds nothing else:
        --
        --     createdb --encoding=UTF8 --template=template0 policydaemon
        --     psql --no-psqlrc --dbname=policydaemon --file=THIS-FILE
        --
        -- It is one transaction, and may be run again: what is there stays as it is, and rights are given again. What is to be filled in stands at
        -- its end. Then 'policyctl init', as a user of the role {PostgreSqlRoles.Admin}, makes the store in these tables.

        \set ON_ERROR_STOP on
        \set QUIET on
        BEGIN;

        DO $server$
        BEGIN
            IF current_setting('server_version_num')::int < 140000 THEN RAISE EXCEPTION 'PolicyDaemon takes PostgreSQL 14 or newer'; END IF;
            IF current_setting('server_encoding') <> 'UTF8' THEN
                RAISE EXCEPTION 'the database has the encoding %; make it with createdb --encoding=UTF8 --template=template0', current_setting('server_encoding');
            END IF;
        END $server$;


        """);

    private const string Tail =
        $"""

        -- To fill in: one user for each machine, and one for each person who administers. The names are examples. Over TCP, pg_hba.conf says how each
        -- proves who it is (scram-sha-256 or cert, in lines that begin with hostssl); over the unix socket, peer.
        --
        --     CREATE ROLE mx1 LOGIN IN ROLE {PostgreSqlRoles.Prober};        -- a machine whose policyd probes
        --     CREATE ROLE mx2 LOGIN IN ROLE {PostgreSqlRoles.Node};          -- a machine whose policyd answers only
        --     CREATE ROLE hostmaster LOGIN IN ROLE {PostgreSqlRoles.Admin};       -- who uses policyctl
        --     GRANT {PostgreSqlRoles.Owner} TO hostmaster;                        -- who may use policyctl store upgrade, too
        --     \password mx1
        --
        -- With [discovery] on, what a machine of the role {PostgreSqlRoles.Node} discovers is lost with a restart of its policyd. To keep it, at a
        -- price: whoever breaks into such a machine may then change what the others discovered:
        --
        --     GRANT INSERT, UPDATE, DELETE ON discovered, verdict_change, discovery_notice TO {PostgreSqlRoles.Node};

        """;
}
