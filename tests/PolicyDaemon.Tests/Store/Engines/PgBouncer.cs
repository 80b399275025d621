using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using PolicyDaemon.Tests.Support;

namespace PolicyDaemon.Tests.Store.Engines;

/// <summary>Debian's PgBouncer before a server, in transaction mode: each transaction may be in another session there.</summary>
internal sealed class PgBouncer : IDisposable
{
    private readonly string directory = PostgreSqlCluster.NewDirectory();
    private readonly string configuration;
    private Process? running;

    internal PgBouncer(PostgreSqlCluster server, string settings = "")
        : this(server.Port, settings)
    {
    }

    /// <param name="port">The server's, on 127.0.0.1.</param>
    internal PgBouncer(int port, string settings = "")
    {
        Port = PostgreSqlCluster.FreePort();
        configuration = Path.Combine(directory, "pgbouncer.ini");
        File.WriteAllText(
            configuration,
            $"""
            [databases]
            * = user=policydaemon host=127.0.0.1 port={port}
            [pgbouncer]
            listen_addr = 127.0.0.1
            listen_port = {Port}
            unix_socket_dir =
            auth_type = any
            pool_mode = transaction
            default_pool_size = 3
            server_login_retry = 1
            {settings}

            """);
        PostgreSqlCluster.Own(directory);
        AppDomain.CurrentDomain.ProcessExit += OnExit;
        Start();
    }

    internal int Port { get; }

    internal void Start()
    {
        var start = PostgreSqlCluster.AsServer("/usr/sbin/pgbouncer", ["-q", configuration]);
        start.RedirectStandardError = true;
        running = Process.Start(start)!;
        running.ErrorDataReceived += (_, _) => { };
        running.BeginErrorReadLine();
        while (true)
        {
            try
            {
                using var client = new TcpClient();
                client.Connect(IPAddress.Loopback, Port);
                return;
            }
            catch (SocketException) when (!running.HasExited)
            {
                running.WaitForExit(20);
            }
        }
    }

    /// <summary>Ends it at once, with all connections through it.</summary>
    internal void Stop()
    {
        running!.Kill();
        running.WaitForExit();
    }

    internal void Pause() => PostgreSqlCluster.Run("kill", ["-STOP", $"{running!.Id}"]);

    internal void Continue() => PostgreSqlCluster.Run("kill", ["-CONT", $"{running!.Id}"]);

    public void Dispose()
    {
        AppDomain.CurrentDomain.ProcessExit -= OnExit;
        Stop();
        Directory.Delete(directory, recursive: true);
    }

    private void OnExit(object? sender, EventArgs arguments) => Stop();
}
