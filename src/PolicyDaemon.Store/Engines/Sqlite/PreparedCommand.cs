using System.Collections;
using System.Data;
using System.Data.Common;
using System.Diagnostics.CodeAnalysis;
using Microsoft.Data.Sqlite;

namespace PolicyDaemon.Store.Engines.Sqlite;

/// <summary>A command of <see cref="PreparedConnection"/>: an SQL text with values, as Dapper makes one for each call.</summary>
internal sealed class PreparedCommand(PreparedConnection connection) : DbCommand
{
    private readonly PreparedParameters parameters = new();
    private SqliteCommand? several;

    [AllowNull]
    public override string CommandText { get; set; } = "";

    /// <summary>Not used: see <see cref="PreparedConnection"/>.</summary>
    public override int CommandTimeout { get; set; }

    public override CommandType CommandType { get; set; } = CommandType.Text;

    public override bool DesignTimeVisible { get; set; }

    public override UpdateRowSource UpdatedRowSource { get; set; }

    protected override DbConnection? DbConnection { get; set; } = connection;

    protected override DbParameterCollection DbParameterCollection => parameters;

    protected override DbTransaction? DbTransaction { get; set; }

    public override void Cancel()
    {
    }

    public override void Prepare()
    {
    }

    public override int ExecuteNonQuery()
    {
        if (connection.Statement(CommandText) is { } statement)
            return statement.Execute(parameters.Values);
        using var statements = connection.Several(CommandText, parameters.Values);
        return statements.ExecuteNonQuery();
    }

    public override object? ExecuteScalar() =>
        (connection.Statement(CommandText) ?? throw new NotSupportedException("one value of several statements")).Scalar(parameters.Values);

    protected override DbParameter CreateDbParameter() => new PreparedParameter();

    protected override DbDataReader ExecuteDbDataReader(CommandBehavior behavior)
    {
        if (connection.Rent(CommandText) is { } statement)
            return statement.Read(parameters.Values, returned => connection.Return(CommandText, returned));
        several = connection.Several(CommandText, parameters.Values);
        return several.ExecuteReader(behavior);
    }

    protected override void Dispose(bool disposing)
    {
        several?.Dispose();
        several = null;
        base.Dispose(disposing);
    }
}

/// <summary>A parameter: a name and a value, whose type tells SQLite how to store it.</summary>
internal sealed class PreparedParameter : DbParameter
{
    public override DbType DbType { get; set; }

    public override ParameterDirection Direction { get; set; } = ParameterDirection.Input;

    public override bool IsNullable { get; set; }

    [AllowNull]
    public override string ParameterName { get; set; } = "";

    public override int Size { get; set; }

    [AllowNull]
    public override string SourceColumn { get; set; } = "";

    public override bool SourceColumnNullMapping { get; set; }

    public override object? Value { get; set; }

    public override void ResetDbType()
    {
    }
}

/// <summary>The parameters of a command, with what Dapper uses: adding one, and getting one by its position.</summary>
internal sealed class PreparedParameters : DbParameterCollection
{
    internal List<PreparedParameter> Values { get; } = [];

    public override int Count => Values.Count;

    public override object SyncRoot => Values;

    public override int Add(object value)
    {
        Values.Add((PreparedParameter)value);
        return Values.Count - 1;
    }

    public override void Clear() => Values.Clear();

    public override IEnumerator GetEnumerator() => Values.GetEnumerator();

    public override void AddRange(Array values) => throw new NotSupportedException();

    public override bool Contains(object value) => throw new NotSupportedException();

    public override bool Contains(string value) => throw new NotSupportedException();

    public override void CopyTo(Array array, int index) => throw new NotSupportedException();

    public override int IndexOf(object value) => throw new NotSupportedException();

    public override int IndexOf(string parameterName) => throw new NotSupportedException();

    public override void Insert(int index, object value) => throw new NotSupportedException();

    public override void Remove(object value) => throw new NotSupportedException();

    public override void RemoveAt(int index) => throw new NotSupportedException();

    public override void RemoveAt(string parameterName) => throw new NotSupportedException();

    protected override DbParameter GetParameter(int index) => Values[index];

    protected override DbParameter GetParameter(string parameterName) => throw new NotSupportedException();

    protected override void SetParameter(int index, DbParameter value) => throw new NotSupportedException();

    protected override void SetParameter(string parameterName, DbParameter value) => throw new NotSupportedException();
}
