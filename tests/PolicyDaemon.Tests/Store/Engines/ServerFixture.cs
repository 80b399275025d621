using System.Diagnostics;
using Npgsql;
using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Store;
using PolicyDaemon.Store.Engines;
using PolicyDaemon.Tests.Support;
using Xunit;

namespace PolicyDaemon.Tests.Store.Engines;

/// <summary>A database that the administrator of a server has prepared by <c>policyctl store schema</c>, with a user for each of its roles.</summary>
internal sealed class ServerFixture : IDisposable
{
    internal const string Owner = "owen";
    internal const string Admin = "alice";
    internal const string Prober = "mx1";
    internal const string Node = "mx2";
    internal const string Nobody = "nobody_here";

    private static readonly Lock Users = new();

    internal ServerFixture(bool prepare = true, bool init = false)
    {
        Store = PostgreSqlServer.Instance.CreateDatabase();
        if (prepare)
            Prepare();
        if (init)
            PolicyStore.Create(As(Admin), TemporaryStore.Alice, Time).Dispose();
    }

    internal SettableClock Time { get; } = new(new DateTimeOffset(2026, 11, 23, 12, 0, 0, TimeSpan.Zero));

    /// <summary>As the administrator of the server has it.</summary>
    internal string Store { get; }

    /// <summary>As a user of a role has it.</summary>
    internal string As(string user) => Store.Replace("user=policydaemon", $"user={user}", StringComparison.Ordinal);

    internal PolicyStore Open(string user, StoreAccess access = StoreAccess.Write) => PolicyStore.Open(As(user), access, Time);

    /// <summary>Runs what the administrator is handed.</summary>
    internal void Prepare(string user = "policydaemon")
    {
        // Roles are the whole server's, and another test may make them at the same time.
        lock (Users)
        {
            var said = Psql(user, StorePlace.ServerSchema());
            Assert.True(said.Length == 0, said);
            foreach (var (name, role) in ((string, string)[])[(Owner, "policydaemon_owner"), (Admin, "policydaemon_admin"), (Prober, "policydaemon_prober"), (Node, "policydaemon_node")])
                Sql($"DO $$ BEGIN IF to_regrole('{name}') IS NULL THEN CREATE ROLE {name} LOGIN IN ROLE {role}; END IF; END $$");
            Sql($"DO $$ BEGIN IF to_regrole('{Nobody}') IS NULL THEN CREATE ROLE {Nobody} LOGIN; END IF; END $$");
        }
    }

    /// <summary>What psql(1) says of a text.</summary>
    internal string Psql(string user, string text)
    {
        var start = new ProcessStartInfo("psql") { RedirectStandardInput = true, RedirectStandardOutput = true, RedirectStandardError = true };
        Assert.True(PostgreSqlWords.TryParse(As(user)[PostgreSqlWords.Prefix.Length..], out var words, out _));
        foreach (var argument in (string[])["--no-psqlrc", "--host", words["host"], "--username", words["user"], "--dbname", words["dbname"], "--file", "-"])
            start.ArgumentList.Add(argument);
        using var psql = Process.Start(start)!;
        var error = psql.StandardError.ReadToEndAsync();
        psql.StandardInput.Write(text);
        psql.StandardInput.Close();
        var output = psql.StandardOutput.ReadToEnd();
        psql.WaitForExit();
        return output + error.GetAwaiter().GetResult();
    }

    /// <summary>Runs a statement as the administrator of the server.</summary>
    internal void Sql(string sql)
    {
        using var connection = PostgreSqlServer.Instance.Connect(Store);
        using var command = connection.CreateCommand();
#pragma warning disable CA2100 // the tests' own text
        command.CommandText = sql;
#pragma warning restore CA2100
        command.ExecuteNonQuery();
    }

    /// <summary>What the server says of a statement of a user, which it takes back; null where it does it.</summary>
    /// <returns>The SQLSTATE.</returns>
    internal string? Try(string user, string sql)
    {
        using var connection = PostgreSqlServer.Instance.Connect(As(user));
        using var transaction = connection.BeginTransaction();
        using var command = connection.CreateCommand();
#pragma warning disable CA2100 // the tests' own text
        command.CommandText = sql;
#pragma warning restore CA2100
        return (Record.Exception(() => command.ExecuteNonQuery()) as PostgresException)?.SqlState;
    }

    internal IReadOnlyList<string> List(string sql)
    {
        using var connection = PostgreSqlServer.Instance.Connect(Store);
        using var command = connection.CreateCommand();
#pragma warning disable CA2100 // the tests' own text
        command.CommandText = sql;
#pragma warning restore CA2100
        using var reader = command.ExecuteReader();
        var rows = new List<string>();
        while (reader.Read())
            rows.Add(reader.GetString(0));
        return rows;
    }

    public void Dispose() => PostgreSqlServer.Instance.DropDatabase(Store);
}
