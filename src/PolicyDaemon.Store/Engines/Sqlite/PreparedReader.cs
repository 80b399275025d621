using System.Collections;
using System.Data.Common;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using SQLitePCL;

namespace PolicyDaemon.Store.Engines.Sqlite;

/// <summary>Reads the rows of a <see cref="PreparedStatement"/>, each value as SQLite has it.</summary>
/// <remarks>What Dapper asks of a reader, and no more. That of Microsoft.Data.Sqlite checks more at each of sixteen million values of a large store
/// than it takes to read one.</remarks>
internal sealed class PreparedReader : DbDataReader
{
    private readonly PreparedStatement statement;
    private readonly Action<PreparedStatement> giveBack;
    private bool isOnRow;
    private bool isBefore = true;
    private bool isClosed;

    /// <param name="statement">With its values; nobody else uses it before it is given back.</param>
    /// <param name="giveBack">Called once, when the reader is closed.</param>
    internal PreparedReader(PreparedStatement statement, Action<PreparedStatement> giveBack)
    {
        this.statement = statement;
        this.giveBack = giveBack;
        try
        {
            HasRows = isOnRow = statement.Step();
        }
        catch
        {
            Close();
            throw;
        }
    }

    public override int Depth => 0;

    public override int FieldCount => raw.sqlite3_column_count(statement.Handle);

    public override bool HasRows { get; }

    public override bool IsClosed => isClosed;

    public override int RecordsAffected => -1;

    public override object this[int ordinal] => GetValue(ordinal);

    public override object this[string name] => GetValue(GetOrdinal(name));

    public override bool Read()
    {
        if (!isBefore)
            isOnRow = isOnRow && statement.Step();
        isBefore = false;
        return isOnRow;
    }

    public override bool NextResult() => false;

    public override bool IsDBNull(int ordinal) => raw.sqlite3_column_type(statement.Handle, ordinal) == raw.SQLITE_NULL;

    public override string GetString(int ordinal) => raw.sqlite3_column_text(statement.Handle, ordinal).utf8_to_string();

    public override long GetInt64(int ordinal) => raw.sqlite3_column_int64(statement.Handle, ordinal);

    public override int GetInt32(int ordinal) => checked((int)GetInt64(ordinal));

    public override double GetDouble(int ordinal) => raw.sqlite3_column_double(statement.Handle, ordinal);

    public override bool GetBoolean(int ordinal) => GetInt64(ordinal) != 0;

    public override object GetValue(int ordinal) => statement.Value(ordinal);

    public override int GetValues(object[] values)
    {
        var count = Math.Min(values.Length, FieldCount);
        for (var i = 0; i < count; i++)
            values[i] = GetValue(i);
        return count;
    }

    public override string GetName(int ordinal) => raw.sqlite3_column_name(statement.Handle, ordinal).utf8_to_string();

    public override int GetOrdinal(string name)
    {
        for (var i = 0; i < FieldCount; i++)
        {
            if (string.Equals(GetName(i), name, StringComparison.OrdinalIgnoreCase))
                return i;
        }

        throw new ArgumentOutOfRangeException(nameof(name), name, "no such column");
    }

    [return: DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicProperties | DynamicallyAccessedMemberTypes.PublicFields)]
    public override Type GetFieldType(int ordinal)
    {
        var type = isOnRow ? raw.sqlite3_column_type(statement.Handle, ordinal) : raw.SQLITE_NULL;
        return type switch
        {
            raw.SQLITE_INTEGER => typeof(long),
            raw.SQLITE_FLOAT => typeof(double),
            raw.SQLITE_TEXT => typeof(string),
            _ => raw.sqlite3_column_decltype(statement.Handle, ordinal).utf8_to_string() switch
            {
                "INTEGER" => typeof(long),
                "REAL" => typeof(double),
                _ => typeof(string),
            },
        };
    }

    public override string GetDataTypeName(int ordinal) => GetFieldType(ordinal).Name;

    public override IEnumerator GetEnumerator() => new DbEnumerator(this);

    public override void Close()
    {
        if (isClosed)
            return;
        isClosed = true;
        isOnRow = false;
        statement.Reset();
        giveBack(statement);
    }

    // The store keeps texts and numbers only (Dapper reads no other types of them).
    public override byte GetByte(int ordinal) => throw NoSuchValue(ordinal);

    public override long GetBytes(int ordinal, long dataOffset, byte[]? buffer, int bufferOffset, int length) => throw NoSuchValue(ordinal);

    public override char GetChar(int ordinal) => throw NoSuchValue(ordinal);

    public override long GetChars(int ordinal, long dataOffset, char[]? buffer, int bufferOffset, int length) => throw NoSuchValue(ordinal);

    public override DateTime GetDateTime(int ordinal) => throw NoSuchValue(ordinal);

    public override decimal GetDecimal(int ordinal) => throw NoSuchValue(ordinal);

    public override float GetFloat(int ordinal) => throw NoSuchValue(ordinal);

    public override Guid GetGuid(int ordinal) => throw NoSuchValue(ordinal);

    public override short GetInt16(int ordinal) => throw NoSuchValue(ordinal);

    protected override void Dispose(bool disposing)
    {
        if (disposing)
            Close();
        base.Dispose(disposing);
    }

    private static NotSupportedException NoSuchValue(int ordinal) =>
        new(string.Create(CultureInfo.InvariantCulture, $"column {ordinal} is a text or a number"));
}
