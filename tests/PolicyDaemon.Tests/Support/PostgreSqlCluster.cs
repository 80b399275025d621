using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Npgsql;

namespace PolicyDaemon.Tests.Support;

/// <summary>A PostgreSQL server that one test may configure, stop, kill and promote: on a port of 127.0.0.1, and over a unix socket.</summary>
/// <remarks>It ends with the process, however that ends: a shell beside it waits for the end of a pipe. The benchmarks use it, too.</remarks>
internal sealed class PostgreSqlCluster : IDisposable
{
    /// <summary>Who may do everything, from the socket.</summary>
    internal const string Superuser = "postgres";

    // The directory, the programs, the port, then the settings.
    private const string Script =
        """
        set -e
        directory=$1 binaries=$2 port=$3
        shift 3
        cd "$directory"
        if ! [ -e data ]; then
            "$binaries/initdb" --pgdata="$directory/data" --username=postgres --auth=trust --encoding=UTF8 --locale=C.UTF-8 --no-sync --no-instructions >initdb.log 2>&1
            cp hba data/pg_hba.conf
        fi
        rm -f data/postmaster.pid
        "$binaries/postgres" -D "$directory/data" -c listen_addresses=127.0.0.1 -c port=$port -c unix_socket_directories="$directory" -c fsync=off \
            -c max_connections=300 -c max_wal_senders=4 -c hot_standby=on -c wal_keep_size=64MB -c shared_buffers=32MB "$@" >>postgres.log 2>&1 &
        echo $!
        cat >/dev/null || true
        kill -CONT $! 2>/dev/null || true
        kill -INT $! 2>/dev/null || true
        wait || true
        """;

    private static int number;

    private readonly List<string> settings;
    private readonly int? megabytes;
    private Process? shell;
    private int postmaster;

    /// <param name="settings">What differs from the server's defaults: NAME=VALUE.</param>
    /// <param name="access">The lines of pg_hba.conf for connections over TCP and the socket, but for the superuser's; whoever is there is trusted where null.</param>
    /// <param name="megabytes">The room on a disk that is <c>small</c> in its directory, for a tablespace: a file system of its own, which nobody else sees, and which goes with the server's end; null for none.</param>
    internal PostgreSqlCluster(IEnumerable<string>? settings = null, string? access = null, int? megabytes = null)
        : this(settings)
    {
        this.megabytes = megabytes;
        File.WriteAllText(Path.Combine(Directory, "hba"), $"local all {Superuser} trust\nlocal replication {Superuser} trust\n{access ?? "local all all trust\nhost all all 127.0.0.1/32 trust\nhost replication all 127.0.0.1/32 trust"}\n");
    }

    private PostgreSqlCluster(IEnumerable<string>? settings)
    {
        this.settings = [.. settings ?? []];
        Directory = NewDirectory();
        Port = FreePort();
        AppDomain.CurrentDomain.ProcessExit += OnExit;
    }

    /// <summary>Where its data, its log and its socket lie.</summary>
    internal string Directory { get; }

    internal int Port { get; }

    /// <summary>Where the server's programs are.</summary>
    internal static string Binaries { get; } = System.IO.Directory.GetDirectories("/usr/lib/postgresql").Order(StringComparer.Ordinal).Last() + "/bin";

    /// <summary>The server's log.</summary>
    internal string Log => File.ReadAllText(Path.Combine(Directory, "postgres.log"));

    /// <summary>A directory in memory, where there is one, that the user of the server may write to.</summary>
    internal static string NewDirectory()
    {
        // The socket's path has room for 107 octets.
        var made = System.IO.Directory.CreateDirectory(Path.Combine(
            System.IO.Directory.Exists("/dev/shm") ? "/dev/shm" : "/tmp",
            string.Create(CultureInfo.InvariantCulture, $"pd-pg-{Environment.ProcessId}-{Interlocked.Increment(ref number)}"))).FullName;
        return Own(made);
    }

    /// <summary>A port of 127.0.0.1 that nobody listens on now.</summary>
    internal static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    /// <summary>Gives a file or directory to the user who runs the server.</summary>
    internal static string Own(string path)
    {
        if (Environment.IsPrivilegedProcess)
            Run("chown", ["-R", "postgres", path]);
        return path;
    }

    /// <summary>How a program is run as the user of the server: as root it refuses to.</summary>
    internal static ProcessStartInfo AsServer(string program, IEnumerable<string> arguments)
    {
        var start = new ProcessStartInfo(program);
        if (Environment.IsPrivilegedProcess)
        {
            start.FileName = "setpriv";
            foreach (var argument in (string[])["--reuid=postgres", "--regid=postgres", "--clear-groups", program])
                start.ArgumentList.Add(argument);
        }

        foreach (var argument in arguments)
            start.ArgumentList.Add(argument);
        return start;
    }

    /// <summary>Starts the server, and waits until it answers.</summary>
    internal PostgreSqlCluster Start()
    {
        var start = AsServer("/bin/sh", ["-c", Script, "sh", Directory, Binaries, Port.ToString(CultureInfo.InvariantCulture), .. settings.SelectMany(one => (string[])["-c", one])]);
        if (megabytes is { } size)
            start = OnSmallDisk(start, size);
        (start.RedirectStandardInput, start.RedirectStandardOutput) = (true, true);
        shell = Process.Start(start)!;
        postmaster = int.Parse(shell.StandardOutput.ReadLine() ?? throw new InvalidOperationException(File.ReadAllText(Path.Combine(Directory, "initdb.log"))), CultureInfo.InvariantCulture);
        while (true)
        {
            try
            {
                Sql("SELECT 1");
                return this;
            }
            catch (NpgsqlException) when (IsRunning(postmaster))
            {
                shell.WaitForExit(50);
            }
        }
    }

    /// <summary>Another one that follows this one; not started.</summary>
    internal PostgreSqlCluster MakeStandby(IEnumerable<string>? settings = null)
    {
        var standby = new PostgreSqlCluster(settings);
        Run(AsServer(Binaries + "/pg_basebackup", ["-h", Directory, "-p", Port.ToString(CultureInfo.InvariantCulture), "-U", Superuser, "-D", standby.Directory + "/data", "-R", "--no-sync", "--checkpoint=fast", "-X", "stream"]));
        return standby;
    }

    /// <summary>Stops the server as its administrator does: connections are ended.</summary>
    internal void Stop()
    {
        shell!.StandardInput.Close();
        shell.WaitForExit();
    }

    /// <summary>Kills every process of the server at once.</summary>
    internal void Kill()
    {
        var all = Processes();
        Signal("KILL", all);
        Stop();
        while (all.Any(IsRunning))
            Run("sleep", ["0.02"]);
    }

    /// <summary>Stops every process of the server where it is: connections stay, and nothing answers.</summary>
    internal void Pause() => Signal("STOP", Processes());

    /// <summary>The processor time of all its processes that run now, in seconds.</summary>
    internal double ProcessorSeconds => Processes().Sum(process =>
    {
        try
        {
            // In nanoseconds; what stat says of a process is cut to hundredths, and a connection that asks twice a second takes less.
            return long.Parse(File.ReadAllText($"/proc/{process}/schedstat").Split(' ')[0], CultureInfo.InvariantCulture) / 1e9;
        }
        catch (IOException)
        {
            return 0;
        }
    });

    /// <summary>Goes on after <see cref="Pause"/>.</summary>
    internal void Continue() => Signal("CONT", Processes());

    /// <summary>Makes a primary of a standby, and waits until it is one.</summary>
    internal void Promote() => Run(AsServer(Binaries + "/pg_ctl", ["promote", "-D", Directory + "/data", "--wait", "--silent"]));

    /// <summary>Runs statements as the superuser.</summary>
    /// <returns>The first column of the first row of the last one.</returns>
    internal object? Sql(string sql, string database = "postgres")
    {
        using var connection = Connect(database);
#pragma warning disable CA2100 // the tests' own text
        using var command = new NpgsqlCommand(sql, connection);
#pragma warning restore CA2100
        return command.ExecuteScalar();
    }

    /// <summary>A connection of the superuser over the socket.</summary>
    internal NpgsqlConnection Connect(string database)
    {
        var connection = new NpgsqlConnection(string.Create(
            CultureInfo.InvariantCulture, $"Host={Directory};Port={Port};Username={Superuser};Database={database};Pooling=false;GSS Encryption Mode=Disable;Timeout=5"));
        connection.Open();
        return connection;
    }

    public void Dispose()
    {
        AppDomain.CurrentDomain.ProcessExit -= OnExit;
        End();
    }

    internal static void Run(string program, IEnumerable<string> arguments) => Run(new ProcessStartInfo(program, arguments));

    private static void Run(ProcessStartInfo start)
    {
        start.RedirectStandardError = true;
        using var running = Process.Start(start)!;
        var said = running.StandardError.ReadToEnd();
        running.WaitForExit();
        if (running.ExitCode != 0)
            throw new InvalidOperationException($"{start.FileName} {string.Join(' ', start.ArgumentList)}: {said}");
    }

    // In a mount namespace; who is not root becomes root of a user namespace for the mount, and nobody in particular in another one for the server.
    private ProcessStartInfo OnSmallDisk(ProcessStartInfo server, int size)
    {
        string[] enter = Environment.IsPrivilegedProcess ? ["--mount"] : ["--user", "--map-root-user", "--mount"];
        string[] leave = Environment.IsPrivilegedProcess ? [] : ["unshare", "--user", "--map-user=1000"];
        var mount = $"mkdir -p {Directory}/small && mount -t tmpfs -o size={size}m,mode=700 tmpfs {Directory}/small && chown --reference={Directory} {Directory}/small && cd {Directory} && exec \"$@\"";
        return new ProcessStartInfo("unshare", [.. enter, "sh", "-c", mount, "sh", .. leave, server.FileName, .. server.ArgumentList]);
    }

    private static bool IsRunning(int process) => File.Exists($"/proc/{process}/stat") && !File.ReadAllText($"/proc/{process}/stat").Contains(") Z ", StringComparison.Ordinal);

    private static void Signal(string signal, IEnumerable<int> processes) =>
        Run("/bin/sh", ["-c", $"kill -{signal} {string.Join(' ', processes)} 2>/dev/null || true"]);

    // The postmaster first, so that it makes no more.
    private List<int> Processes() =>
        [postmaster, .. System.IO.Directory.GetDirectories("/proc").Select(Path.GetFileName).Where(name => char.IsAsciiDigit(name![0])).Select(name => int.Parse(name!, CultureInfo.InvariantCulture)).Where(IsChild)];

    private bool IsChild(int process)
    {
        try
        {
            // pid (command) state ppid
            return File.ReadAllText($"/proc/{process}/stat") is var stat && stat[(stat.LastIndexOf(')') + 1)..].Split(' ')[2] == postmaster.ToString(CultureInfo.InvariantCulture);
        }
        catch (IOException)
        {
            return false;
        }
    }

    private void OnExit(object? sender, EventArgs arguments) => End();

    private void End()
    {
        if (shell is { HasExited: false })
            Stop();
        if (System.IO.Directory.Exists(Directory))
            System.IO.Directory.Delete(Directory, recursive: true);
    }
}
