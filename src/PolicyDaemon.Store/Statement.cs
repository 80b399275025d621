using System.Buffers;
using System.Globalization;
using System.Text;
using Microsoft.Data.Sqlite;
using SQLitePCL;

namespace PolicyDaemon.Store;

/// <summary>A prepared statement that bulk work runs many times.</summary>
/// <remarks>
/// Dapper makes a command per call, and SQLite would compile each again; and a command's parameter objects and reader cost as much
/// as a row itself. A million rows are the difference, so writing and single values go to SQLite directly.
/// </remarks>
internal sealed class Statement : IDisposable
{
    private const int OnStack = 512;

    private readonly SqliteConnection connection;
    private readonly string sql;
    private readonly string[] names;
    private sqlite3_stmt? prepared;
    private int[]? indices;
    private SqliteCommand? command;

    /// <param name="connection">An open connection.</param>
    /// <param name="sql">Takes its values as <c>$0</c>, <c>$1</c>...; a constant of the calling class, never made of data.</param>
    /// <param name="values">How many values it takes.</param>
    internal Statement(SqliteConnection connection, string sql, int values)
    {
        this.connection = connection;
        this.sql = sql;
        names = [.. Enumerable.Range(0, values).Select(value => string.Create(CultureInfo.InvariantCulture, $"${value}"))];
    }

    internal void Execute(params ReadOnlySpan<object?> values)
    {
        var statement = Prepare(values);
        try
        {
            while (Step(statement))
            {
            }
        }
        finally
        {
            _ = raw.sqlite3_reset(statement); // repeats the error of the step
        }
    }

    /// <summary>The first column of the first row; null where there is none.</summary>
    internal object? Scalar(params ReadOnlySpan<object?> values)
    {
        var statement = Prepare(values);
        try
        {
            if (!Step(statement))
                return null;
            object? value = raw.sqlite3_column_type(statement, 0) switch
            {
                raw.SQLITE_INTEGER => raw.sqlite3_column_int64(statement, 0),
                raw.SQLITE_FLOAT => raw.sqlite3_column_double(statement, 0),
                raw.SQLITE_TEXT => raw.sqlite3_column_text(statement, 0).utf8_to_string(),
                _ => null,
            };
            return value;
        }
        finally
        {
            _ = raw.sqlite3_reset(statement);
        }
    }

    /// <summary>Every row.</summary>
    internal List<T> Query<T>(Func<SqliteDataReader, T> read, params ReadOnlySpan<object?> values)
    {
        command ??= NewCommand();
        for (var i = 0; i < values.Length; i++)
        {
            RefuseNul(values[i]);
            command.Parameters[i].Value = values[i] ?? DBNull.Value;
        }

        using var reader = command.ExecuteReader();
        var rows = new List<T>();
        while (reader.Read())
            rows.Add(read(reader));
        return rows;
    }

    public void Dispose()
    {
        prepared?.Dispose();
        command?.Dispose();
    }

    // SQLite would give back only what stands before it, and the audit chain would look altered.
    private static void RefuseNul(object? value)
    {
        if (value is string text && text.Contains('\0', StringComparison.Ordinal))
            throw new ArgumentException("a text with a NUL character cannot be stored", nameof(value));
    }

    private SqliteCommand NewCommand()
    {
        var made = connection.CreateCommand();
#pragma warning disable CA2100 // a constant of the calling class
        made.CommandText = sql;
#pragma warning restore CA2100
        foreach (var name in names)
            made.Parameters.Add(new SqliteParameter { ParameterName = name });
        return made;
    }

    private sqlite3_stmt Prepare(ReadOnlySpan<object?> values)
    {
        if (prepared is null)
        {
            Check(raw.sqlite3_prepare_v2(connection.Handle!, sql, out prepared));
            // SQLite numbers parameters as it meets them, not by their names.
            var statement = prepared;
            indices = [.. names.Select(name => raw.sqlite3_bind_parameter_index(statement, name))];
        }

        for (var i = 0; i < values.Length; i++)
        {
            RefuseNul(values[i]);
            if (indices![i] != 0)
                Check(Bind(prepared, indices[i], values[i]));
        }

        return prepared;
    }

    private static int Bind(sqlite3_stmt statement, int index, object? value) => value switch
    {
        null => raw.sqlite3_bind_null(statement, index),
        string text => BindText(statement, index, text),
        long number => raw.sqlite3_bind_int64(statement, index, number),
        int number => raw.sqlite3_bind_int64(statement, index, number),
        bool flag => raw.sqlite3_bind_int64(statement, index, flag ? 1 : 0),
        double number => raw.sqlite3_bind_double(statement, index, number),
        _ => throw new ArgumentException($"a value of type {value.GetType().Name} cannot be stored", nameof(value)),
    };

    private static int BindText(sqlite3_stmt statement, int index, string text)
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

    private bool Step(sqlite3_stmt statement)
    {
        var result = raw.sqlite3_step(statement);
        if (result == raw.SQLITE_ROW)
            return true;
        if (result != raw.SQLITE_DONE)
            Check(result);
        return false;
    }

    private void Check(int result) => SqliteException.ThrowExceptionForRC(result, connection.Handle);
}
