using System.Globalization;
using System.Text.RegularExpressions;
using Microsoft.Data.Sqlite;
using Npgsql;
using PolicyDaemon.Core.Audit;
using PolicyDaemon.Store;
using PolicyDaemon.Store.Engines.PostgreSql;
using PolicyDaemon.Store.Engines.Sqlite;
using PolicyDaemon.Tests.Support;
using Xunit;

namespace PolicyDaemon.Tests.Store.Engines;

/// <summary>SQL stands once, for both engines: each prepares every text of it.</summary>
public sealed class StatementGuardTests
{
    [Fact]
    public void Every_text_was_found()
    {
        var texts = StatementTexts.All();

        Assert.True(texts.Count > 100, $"{texts.Count} texts");
        // Put together of literals and a field.
        Assert.Contains(texts, text => text.StartsWith("SELECT DISTINCT l.mx_host", StringComparison.Ordinal) && text.Contains("'retiring'", StringComparison.Ordinal));
        Assert.DoesNotContain(texts, text => text.TrimEnd().EndsWith("WHERE", StringComparison.Ordinal));
    }

    [Fact]
    public void Sqlite_prepares_every_text()
    {
        using var connection = new SqliteConnection("Data Source=:memory:");
        connection.Open();
        SqliteSchema.Apply(connection);

        Assert.Empty(StatementTexts.All().Select(text => Problem(text, () =>
        {
            using var command = connection.CreateCommand();
#pragma warning disable CA2100 // the library's own text
            command.CommandText = "EXPLAIN " + text;
#pragma warning restore CA2100
            foreach (var name in Parameters(text))
                command.Parameters.AddWithValue(name, 1);
            command.ExecuteNonQuery();
        })).OfType<string>());
    }

    [Fact]
    [Trait(Part.Name, Part.Store)]
    public void PostgreSql_prepares_every_text()
    {
        var store = PostgreSqlServer.Instance.CreateDatabase();
        PolicyStore.Create(store, Actor.Daemon, TimeProvider.System).Dispose();
        using var connection = PostgreSqlServer.Instance.Connect(store);

        Assert.Empty(StatementTexts.All().Select(text => Problem(text, () => Prepare(connection, text))).OfType<string>());
        PostgreSqlServer.Instance.DropDatabase(store);
    }

    /// <summary>Version for version the engines keep the same: whoever adds a column to one adds it to the other.</summary>
    [Fact]
    [Trait(Part.Name, Part.Store)]
    public void Both_engines_have_the_same_tables_and_columns()
    {
        using var sqlite = new SqliteConnection("Data Source=:memory:");
        sqlite.Open();
        SqliteSchema.Apply(sqlite);
        var store = PostgreSqlServer.Instance.CreateDatabase();
        PolicyStore.Create(store, Actor.Daemon, TimeProvider.System).Dispose();
        using var server = PostgreSqlServer.Instance.Connect(store);

        var ofSqlite = Read(
            sqlite,
            """
            SELECT m.name || '.' || c.name || ' ' || CASE c.type WHEN 'INTEGER' THEN 'bigint' ELSE lower(c.type) END
                || CASE WHEN c."notnull" = 1 OR c.pk > 0 THEN ' not null' ELSE '' END
            FROM sqlite_master m JOIN pragma_table_info(m.name) c WHERE m.type = 'table'
            """);
        var ofServer = Read(
            server,
            """
            SELECT table_name || '.' || column_name || ' ' || data_type || CASE is_nullable WHEN 'NO' THEN ' not null' ELSE '' END
            FROM information_schema.columns WHERE table_schema = 'public'
            """);

        Assert.Equal(SqliteSchema.Newest, PostgreSqlSchema.Newest);
        Assert.Equal(ofSqlite, ofServer);
        Assert.Equal(ofServer.Select(column => column[..column.IndexOf('.', StringComparison.Ordinal)]).Distinct(), [.. StoreCopy.Tables.Concat(StoreCopy.OfPlace).Append("schema_version").Order(StringComparer.Ordinal)]);
        // A locale's order would not be the order of the octets, by which pages and patterns go.
        Assert.Empty(Read(server, "SELECT table_name || '.' || column_name FROM information_schema.columns WHERE table_schema = 'public' AND data_type = 'text' AND collation_name IS DISTINCT FROM 'C'"));
        PostgreSqlServer.Instance.DropDatabase(store);
    }

    /// <summary>An index that a query rests on is there on both engines; those of one alone are named.</summary>
    [Fact]
    [Trait(Part.Name, Part.Store)]
    public void Both_engines_have_the_same_indexes()
    {
        using var sqlite = new SqliteConnection("Data Source=:memory:");
        sqlite.Open();
        SqliteSchema.Apply(sqlite);
        var store = PostgreSqlServer.Instance.CreateDatabase();
        PolicyStore.Create(store, Actor.Daemon, TimeProvider.System).Dispose();
        using var server = PostgreSqlServer.Instance.Connect(store);

        var ofSqlite = Read(sqlite, "SELECT name FROM sqlite_master WHERE type = 'index' AND sql IS NOT NULL");
        var ofServer = Read(
            server,
            "SELECT c.relname::text FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_namespace n ON n.oid = c.relnamespace "
            + "WHERE n.nspname = 'public' AND NOT EXISTS (SELECT 1 FROM pg_constraint o WHERE o.conindid = c.oid)");

        // SQLite compares with the row before in a trigger.
        Assert.Equal([.. ofSqlite.Append("audit_previous_hash").Order(StringComparer.Ordinal)], ofServer);
        PostgreSqlServer.Instance.DropDatabase(store);
    }

    /// <summary>Dapper says of each value whether it is a number or a text; here the server says where it has to be told.</summary>
    private static void Prepare(NpgsqlConnection connection, string text)
    {
        var names = Parameters(text);
        var numbered = Regex.Replace(text, "@[A-Za-z][A-Za-z0-9]*", name => string.Create(CultureInfo.InvariantCulture, $"${names.IndexOf(name.Value) + 1}"));
        var types = names.ConvertAll(_ => "unknown");
        var told = -1;
        while (true)
        {
            try
            {
                using var command = connection.CreateCommand();
#pragma warning disable CA2100 // the library's own text
                command.CommandText = $"PREPARE guarded{(types.Count == 0 ? "" : $"({string.Join(", ", types)})")} AS {numbered}; DEALLOCATE guarded";
#pragma warning restore CA2100
                command.ExecuteNonQuery();
                return;
            }
            catch (PostgresException error) when (error.SqlState == PostgresErrorCodes.IndeterminateDatatype && types.Count > 0)
            {
                told = int.Parse(Regex.Match(error.MessageText, "\\$([0-9]+)").Groups[1].Value, CultureInfo.InvariantCulture) - 1;
                types[told] = "text";
            }
            catch (PostgresException error) when (error.SqlState == PostgresErrorCodes.DatatypeMismatch && told >= 0 && types[told] == "text")
            {
                types[told] = "bigint";
            }
        }
    }

    private static List<string> Read(System.Data.Common.DbConnection connection, string sql)
    {
        using var command = connection.CreateCommand();
#pragma warning disable CA2100 // the tests' own text
        command.CommandText = sql;
#pragma warning restore CA2100
        using var reader = command.ExecuteReader();
        var rows = new List<string>();
        while (reader.Read())
            rows.Add(reader.GetString(0));
        return [.. rows.Order(StringComparer.Ordinal)];
    }

    private static List<string> Parameters(string text) => [.. Regex.Matches(text, "@[A-Za-z][A-Za-z0-9]*").Select(match => match.Value).Distinct(StringComparer.Ordinal)];

    private static string? Problem(string text, Action prepare)
    {
        try
        {
            prepare();
            return null;
        }
        catch (Exception error) when (error is SqliteException or PostgresException)
        {
            return $"{error.Message}: {text}";
        }
    }
}
