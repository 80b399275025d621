using System.Data.Common;
using Microsoft.Data.Sqlite;

namespace PolicyDaemon.Store;

/// <summary>A connection none of whose commands waits for ever.</summary>
/// <remarks>
/// Commands that Dapper generates have the time limit 0, and Microsoft.Data.Sqlite then tries a locked database again without
/// end. The wait itself is SQLite's busy_timeout; the limit here only keeps it from being started anew.
/// </remarks>
internal sealed class BoundedConnection(string connectionString) : SqliteConnection(connectionString)
{
    protected override DbCommand CreateDbCommand() => new BoundedCommand { Connection = this, CommandTimeout = DefaultTimeout };

    private sealed class BoundedCommand : SqliteCommand
    {
        public override int CommandTimeout
        {
            get => base.CommandTimeout;
            set => base.CommandTimeout = Math.Max(value, 1);
        }
    }
}
