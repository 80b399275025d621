using Npgsql;

namespace PolicyDaemon.Store.Engines.PostgreSql;

/// <summary>Hears of changes by LISTEN, on a connection of its own.</summary>
/// <remarks>Whoever follows the store asks it again and again anyway: a standby refuses LISTEN, a pool that hands connections out by transaction
/// forgets it, and a failover loses what was said; all of that only makes a change as late as it would be without.</remarks>
internal sealed class PostgreSqlNews : StoreNews
{
    /// <summary>The channel on which changes are announced; what is said there says nothing.</summary>
    internal const string Channel = "policydaemon_change";

    private static readonly TimeSpan ConnectAgain = TimeSpan.FromSeconds(10);

    // How long the end of the program waits for it.
    private static readonly TimeSpan Turn = TimeSpan.FromSeconds(1);

    private readonly Func<NpgsqlConnection> connect;
    private readonly ManualResetEvent stopped = new(false);
    private readonly Thread thread;

    internal PostgreSqlNews(Func<NpgsqlConnection> connect)
    {
        this.connect = connect;
        thread = new Thread(Run) { IsBackground = true, Name = "store news" };
        thread.Start();
    }

    protected override void Dispose(bool disposing)
    {
        stopped.Set();
        thread.Join();
        stopped.Dispose();
        base.Dispose(disposing);
    }

    private void Run()
    {
        do
        {
            try
            {
                Hear();
            }
            // Whatever it is, the store is followed without it.
#pragma warning disable CA1031
            catch (Exception)
#pragma warning restore CA1031
            {
                // Connects again.
            }
        }
        while (!stopped.WaitOne(ConnectAgain));
    }

    private void Hear()
    {
        using var connection = connect();
        using (var command = new NpgsqlCommand("LISTEN " + Channel, connection))
            command.ExecuteNonQuery();
        // What was said before it listened.
        Come();
        while (!stopped.WaitOne(0))
        {
            if (connection.Wait(Turn))
                Come();
        }
    }
}
