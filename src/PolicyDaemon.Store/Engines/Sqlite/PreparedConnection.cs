using System.Buffers;
using System.Data;
using System.Data.Common;
using System.Text;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace PolicyDaemon.Store.Engines.Sqlite;

/// <summary>A connection that keeps the statements it has run prepared, and none of whose commands waits for ever.</summary>
/// <remarks>
/// <para>Dapper makes a command for each call, and SQLite would compile each again: for the rows of a large import, and for the probes
/// of a large store, compiling is more than the work. So a command here is only a text with values, and the connection keeps what
/// SQLite made of the text. (Npgsql does the same where it is told to, Max Auto Prepare.) What it is asked goes to
/// SQLite without a command and a reader of Microsoft.Data.Sqlite in between, which cost as much as the row itself.</para>
/// <para>Commands that Dapper generates have the time limit 0, and Microsoft.Data.Sqlite would then try a locked database again without
/// end. The wait is SQLite's busy_timeout; the limit of what is several statements only keeps it from being started anew.</para>
/// </remarks>
internal sealed class PreparedConnection(string connectionString) : SqliteConnection(connectionString)
{
    private readonly Dictionary<string, PreparedStatement> statements = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Stack<PreparedStatement>> readers = new(StringComparer.Ordinal);
    private readonly List<PreparedStatement> all = [];

    public override void Close()
    {
        // Before the database: one whose statements are open stays open itself.
        foreach (var statement in all)
            statement.Dispose();
        all.Clear();
        statements.Clear();
        readers.Clear();
        base.Close();
    }

    protected override DbCommand CreateDbCommand() => new PreparedCommand(this);

    /// <returns>Null for a text of several statements, which is not kept.</returns>
    internal PreparedStatement? Statement(string sql)
    {
        if (statements.TryGetValue(sql, out var known))
            return known;
        if (Prepare(sql) is { } prepared)
            return statements[sql] = prepared;
        return null;
    }

    /// <summary>A statement for a reader; two readers of one text, one inside the other, have one each.</summary>
    /// <returns>Null for a text of several statements.</returns>
    internal PreparedStatement? Rent(string sql) => readers.TryGetValue(sql, out var idle) && idle.TryPop(out var known) ? known : Prepare(sql);

    internal void Return(string sql, PreparedStatement statement)
    {
        if (State != ConnectionState.Open)
            return;
        if (!readers.TryGetValue(sql, out var idle))
            readers[sql] = idle = new Stack<PreparedStatement>();
        idle.Push(statement);
    }

    private PreparedStatement? Prepare(string sql)
    {
        if (PreparedStatement.TryPrepare(this, sql) is not { } prepared)
            return null;
        all.Add(prepared);
        return prepared;
    }

    /// <summary>A command of several statements.</summary>
    internal SqliteCommand Several(string sql, IReadOnlyList<PreparedParameter> values)
    {
        var command = new SqliteCommand { Connection = this, CommandTimeout = DefaultTimeout };
#pragma warning disable CA2100 // Dapper's callers write constants; analyzer DAP241 holds them to it.
        command.CommandText = sql;
#pragma warning restore CA2100
        foreach (var value in values)
        {
            StoredText.RefuseNul(value.Value);
            command.Parameters.Add(new SqliteParameter { ParameterName = value.ParameterName, Value = value.Value ?? DBNull.Value });
        }

        return command;
    }
}

/// <summary>A statement as SQLite prepared it.</summary>
internal sealed class PreparedStatement : IDisposable
{
    private const int OnStack = 512;

    private readonly SqliteConnection connection;
    private readonly sqlite3_stmt statement;
    private string[] names = [];
    private int[] indices = [];

    private PreparedStatement(SqliteConnection connection, sqlite3_stmt statement)
    {
        this.connection = connection;
        this.statement = statement;
    }

    /// <returns>Null where the text holds more than one statement.</returns>
    internal static PreparedStatement? TryPrepare(SqliteConnection connection, string sql)
    {
        SqliteException.ThrowExceptionForRC(raw.sqlite3_prepare_v2(connection.Handle!, sql, out var statement, out var rest), connection.Handle);
        if (string.IsNullOrWhiteSpace(rest) && !statement.IsInvalid)
            return new PreparedStatement(connection, statement);
        statement.Dispose();
        return null;
    }

    internal sqlite3_stmt Handle => statement;

    /// <param name="giveBack">Called when the reader is closed.</param>
    internal PreparedReader Read(IReadOnlyList<PreparedParameter> values, Action<PreparedStatement> giveBack)
    {
        Bind(values);
        return new PreparedReader(this, giveBack);
    }

    /// <returns>How many rows were changed.</returns>
    internal int Execute(IReadOnlyList<PreparedParameter> values)
    {
        Bind(values);
        var before = raw.sqlite3_total_changes(connection.Handle!);
        try
        {
            while (Step())
            {
            }
        }
        finally
        {
            Reset();
        }

        // Without what cascades with them; and a statement that changes nothing leaves the number of the one before.
        return raw.sqlite3_total_changes(connection.Handle!) == before ? 0 : raw.sqlite3_changes(connection.Handle!);
    }

    /// <summary>The first column of the first row; null where there is none.</summary>
    internal object? Scalar(IReadOnlyList<PreparedParameter> values)
    {
        Bind(values);
        try
        {
            return Step() ? Value(0) : null;
        }
        finally
        {
            Reset();
        }
    }

    /// <summary>A value of the row that the statement is on.</summary>
    internal object Value(int column) => raw.sqlite3_column_type(statement, column) switch
    {
        raw.SQLITE_INTEGER => raw.sqlite3_column_int64(statement, column),
        raw.SQLITE_FLOAT => raw.sqlite3_column_double(statement, column),
        raw.SQLITE_TEXT => raw.sqlite3_column_text(statement, column).utf8_to_string(),
        _ => DBNull.Value,
    };

    internal void Reset() => _ = raw.sqlite3_reset(statement); // repeats the error of the step

    public void Dispose() => statement.Dispose();

    private void Bind(IReadOnlyList<PreparedParameter> values)
    {
        if (names.Length != values.Count)
            (names, indices) = (new string[values.Count], new int[values.Count]);
        for (var i = 0; i < values.Count; i++)
        {
            var value = values[i];
            // SQLite numbers parameters as it meets them; a call site gives them always in the same order.
            if (names[i] != value.ParameterName)
                (names[i], indices[i]) = (value.ParameterName, raw.sqlite3_bind_parameter_index(statement, "@" + value.ParameterName));
            StoredText.RefuseNul(value.Value);
            if (indices[i] != 0)
                SqliteException.ThrowExceptionForRC(Bind(indices[i], value.Value), connection.Handle);
        }
    }

    private int Bind(int index, object? value) => value switch
    {
        null or DBNull => raw.sqlite3_bind_null(statement, index),
        string text => BindText(index, text),
        long number => raw.sqlite3_bind_int64(statement, index, number),
        int number => raw.sqlite3_bind_int64(statement, index, number),
        bool flag => raw.sqlite3_bind_int64(statement, index, flag ? 1 : 0),
        double number => raw.sqlite3_bind_double(statement, index, number),
        _ => throw new ArgumentException($"a value of type {value.GetType().Name} cannot be stored", nameof(value)),
    };

    private int BindText(int index, string text)
    {
        // Of an empty span SQLite would get no address, and store NULL.
        if (text.Length == 0)
            return raw.sqlite3_bind_text(statement, index, text);
        var room = Encoding.UTF8.GetMaxByteCount(text.Length);
        byte[]? rented = null;
        var octets = room <= OnStack ? stackalloc byte[OnStack] : (rented = ArrayPool<byte>.Shared.Rent(room));
        var result = raw.sqlite3_bind_text(statement, index, octets[..Encoding.UTF8.GetBytes(text, octets)]);
        if (rented is not null)
            ArrayPool<byte>.Shared.Return(rented);
        return result;
    }

    /// <returns>False where there is no row any more.</returns>
    internal bool Step()
    {
        var result = raw.sqlite3_step(statement);
        if (result is raw.SQLITE_ROW or raw.SQLITE_DONE)
            return result == raw.SQLITE_ROW;
        SqliteException.ThrowExceptionForRC(result, connection.Handle);
        return false;
    }
}
