using Microsoft.Data.Sqlite;

namespace PolicyDaemon.Store;

/// <summary>A prepared statement that bulk work runs many times.</summary>
/// <remarks>Dapper makes a command per call, and SQLite would compile each again; a million rows are the difference.</remarks>
internal sealed class Statement : IDisposable
{
    private readonly SqliteCommand command;

    /// <param name="connection">An open connection.</param>
    /// <param name="sql">Takes its values as <c>$0</c>, <c>$1</c>...</param>
    /// <param name="values">How many values it takes.</param>
    internal Statement(SqliteConnection connection, string sql, int values)
    {
        command = connection.CreateCommand();
        // The text is a constant of a calling class, never made of data.
#pragma warning disable CA2100
        command.CommandText = sql;
#pragma warning restore CA2100
        for (var i = 0; i < values; i++)
            command.Parameters.Add(new SqliteParameter { ParameterName = string.Create(System.Globalization.CultureInfo.InvariantCulture, $"${i}") });
    }

    internal void Execute(params ReadOnlySpan<object?> values)
    {
        Bind(values);
        command.ExecuteNonQuery();
    }

    /// <summary>The first column of the first row; null where there is none.</summary>
    internal object? Scalar(params ReadOnlySpan<object?> values)
    {
        Bind(values);
        return command.ExecuteScalar();
    }

    /// <summary>Every row.</summary>
    internal List<T> Query<T>(Func<SqliteDataReader, T> read, params ReadOnlySpan<object?> values)
    {
        Bind(values);
        using var reader = command.ExecuteReader();
        var rows = new List<T>();
        while (reader.Read())
            rows.Add(read(reader));
        return rows;
    }

    public void Dispose() => command.Dispose();

    private void Bind(ReadOnlySpan<object?> values)
    {
        for (var i = 0; i < values.Length; i++)
        {
            // SQLite would give back only what stands before it, and the audit chain would look altered.
            if (values[i] is string text && text.Contains('\0', StringComparison.Ordinal))
                throw new ArgumentException("a text with a NUL character cannot be stored", nameof(values));
            command.Parameters[i].Value = values[i] ?? DBNull.Value;
        }
    }
}
