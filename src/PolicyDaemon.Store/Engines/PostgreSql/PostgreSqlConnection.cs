using System.Data;
using System.Data.Common;
using System.Diagnostics.CodeAnalysis;
using Npgsql;
using NpgsqlTypes;

namespace PolicyDaemon.Store.Engines.PostgreSql;

/// <summary>A connection to a server, none of whose commands waits for ever.</summary>
/// <remarks>The commands that Dapper generates have the time limit 0, which is endless; what they set is not passed on, so that the limit of the
/// connection holds. Npgsql's own types are sealed.</remarks>
internal sealed class PostgreSqlConnection(NpgsqlConnection inner, string server) : DbConnection
{
    // Of a statement that a server answers at once, where it answers.
    private const int BriefSeconds = 5;

    // References are checked at its end, of a million rows at once.
    private static readonly TimeSpan CopyTime = TimeSpan.FromHours(1);

    [AllowNull]
    public override string ConnectionString
    {
        get => inner.ConnectionString;
        set => throw new NotSupportedException();
    }

    public override string Database => inner.Database;

    public override string DataSource => inner.DataSource;

    public override string ServerVersion => inner.ServerVersion;

    public override ConnectionState State => inner.State;

    /// <summary>How many seconds the server may take for what comes; a change counts for later commands.</summary>
    internal int CommandSeconds { get; set; } = inner.CommandTimeout;

    /// <summary>Waits for a notification.</summary>
    /// <returns>False where none came in the time.</returns>
    internal bool Wait(TimeSpan longest) => inner.Wait(longest);

    /// <summary>The server, as messages name it.</summary>
    internal string Server { get; } = server;

    /// <summary>True where a pool stands between: each transaction may be in another session of the server.</summary>
    internal bool IsPooled { get; set; }

    /// <summary>The present command; null before the first one.</summary>
    internal PostgreSqlCommand? Running { get; set; }

    /// <summary>As whom the server knows this program.</summary>
    internal string User => inner.UserName ?? "";

    /// <summary>False once the server ended the connection, or it broke.</summary>
    internal bool IsOpen => inner.FullState is not (ConnectionState.Broken or ConnectionState.Closed);

    /// <summary>Runs what a server answers at once: a machine that is gone says nothing, and another one may have taken over long ago.</summary>
    internal T Briefly<T>(Func<T> work)
    {
        var usual = CommandSeconds;
        CommandSeconds = BriefSeconds;
        try
        {
            return work();
        }
        finally
        {
            CommandSeconds = usual;
        }
    }

    /// <summary>Rows that wait to be inserted; null where each is inserted at once.</summary>
    internal PostgreSqlRowQueue? Rows { get; set; }

    /// <summary>Runs a text that is put together of this library's own names.</summary>
    internal void Run(string sql)
    {
#pragma warning disable CA2100
        using var command = new NpgsqlCommand(sql, inner);
#pragma warning restore CA2100
        command.ExecuteNonQuery();
    }

    /// <summary>Reads numbers, whatever waits to be inserted.</summary>
    internal void ReadNumbers(string sql, Queue<long> numbers)
    {
#pragma warning disable CA2100 // as above
        using var command = new NpgsqlCommand(sql, inner);
#pragma warning restore CA2100
        using var reader = command.ExecuteReader();
        while (reader.Read())
            numbers.Enqueue(reader.GetInt64(0));
    }

    /// <summary>Writes rows of numbers and texts in one statement.</summary>
    internal void CopyRows(string table, IReadOnlyList<string> columns, IEnumerable<object?[]> rows)
    {
        using var importer = inner.BeginBinaryImport($"COPY {table} ({string.Join(", ", columns)}) FROM STDIN (FORMAT BINARY)");
        importer.Timeout = CopyTime;
        foreach (var row in rows)
        {
            importer.StartRow();
            foreach (var value in row)
            {
                if (value is long number)
                    importer.Write(number, NpgsqlDbType.Bigint);
                else if (value is string text)
                    importer.Write(text, NpgsqlDbType.Text);
                else
                    importer.WriteNull();
            }
        }

        importer.Complete();
    }

    public override void ChangeDatabase(string databaseName) => throw new NotSupportedException();

    public override void Open() => inner.Open();

    public override void Close() => inner.Close();

    protected override DbTransaction BeginDbTransaction(IsolationLevel isolationLevel) => throw new NotSupportedException();

    protected override DbCommand CreateDbCommand() => new PostgreSqlCommand(this, inner.CreateCommand());

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            inner.Dispose();
        base.Dispose(disposing);
    }
}

/// <summary>A command of <see cref="PostgreSqlConnection"/>.</summary>
internal sealed class PostgreSqlCommand(PostgreSqlConnection connection, NpgsqlCommand inner) : DbCommand
{
    [AllowNull]
    public override string CommandText
    {
        get => inner.CommandText;
#pragma warning disable CA2100 // Dapper's callers write constants; analyzer DAP241 holds them to it.
        set => inner.CommandText = value;
#pragma warning restore CA2100
    }

    /// <summary>The connection's; another one is not taken over.</summary>
    public override int CommandTimeout
    {
        get => inner.CommandTimeout;
        set { }
    }

    /// <summary>Text, always: Dapper takes a text of one word, such as COMMIT, for the name of a procedure.</summary>
    public override CommandType CommandType { get; set; } = CommandType.Text;

    public override bool DesignTimeVisible { get; set; }

    public override UpdateRowSource UpdatedRowSource { get; set; }

    protected override DbConnection? DbConnection { get; set; } = connection;

    protected override DbParameterCollection DbParameterCollection => inner.Parameters;

    protected override DbTransaction? DbTransaction { get; set; }

    public override void Cancel() => inner.Cancel();

    public override void Prepare()
    {
    }

    public override int ExecuteNonQuery()
    {
        Begin();
        return inner.ExecuteNonQuery();
    }

    public override object? ExecuteScalar()
    {
        Begin();
        return inner.ExecuteScalar();
    }

    protected override DbParameter CreateDbParameter() => new NpgsqlParameter();

    protected override DbDataReader ExecuteDbDataReader(CommandBehavior behavior)
    {
        Begin();
        return inner.ExecuteReader(behavior);
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            inner.Dispose();
        base.Dispose(disposing);
    }

    private void Begin()
    {
        foreach (NpgsqlParameter parameter in inner.Parameters)
            StoredText.RefuseNul(parameter.Value);
        // What is taken back takes what waits with it.
        if (connection.Rows is { } rows)
        {
            if (inner.CommandText.StartsWith("ROLLBACK", StringComparison.Ordinal))
                rows.Drop();
            else
                rows.Flush();
        }

        inner.CommandTimeout = connection.CommandSeconds;
        connection.Running = this;
    }
}
