using System.Diagnostics;
using System.Globalization;
using System.Net;
using Npgsql;
using PolicyDaemon.Benchmarks.Machine;
using PolicyDaemon.Benchmarks.Peers;
using PolicyDaemon.Benchmarks.Reports;
using PolicyDaemon.Tests.Support;

namespace PolicyDaemon.Benchmarks.Sections.Fleet;

/// <summary>Several fleets of three policyd each, over stores and mail servers of their own, whose prober is killed, stopped, halted or cut off from the
/// server, again and again.</summary>
/// <remarks>Each node is a user of its own and has a way to the server of its own. A trigger compares each row that a prober writes with the holder of the lease at
/// that moment.</remarks>
internal sealed class FleetProbers(Bench bench, PostgreSqlCluster server, SilentMailServers mail)
{
    private const string Judge =
        """
        CREATE TABLE late_write (what TEXT, who TEXT, holder TEXT);
        CREATE FUNCTION judge() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS
        $$
        DECLARE held TEXT;
        BEGIN
            SELECT holder INTO held FROM probe_lease WHERE vantage = 'default';
            IF held IS DISTINCT FROM session_user::text THEN
                INSERT INTO late_write VALUES (TG_TABLE_NAME, session_user::text, held);
            END IF;
            RETURN NULL;
        END
        $$;
        CREATE TRIGGER judge AFTER INSERT OR UPDATE OR DELETE ON observation FOR EACH ROW EXECUTE FUNCTION judge();
        CREATE TRIGGER judge AFTER INSERT OR UPDATE OR DELETE ON probe_state FOR EACH ROW EXECUTE FUNCTION judge();
        CREATE TRIGGER judge AFTER INSERT OR UPDATE OR DELETE ON probe_target FOR EACH ROW EXECUTE FUNCTION judge();
        """;

    private const string Probe =
        """
        enabled = yes
        private_addresses = yes
        resolver = 127.0.0.1:9
        reply_timeout = 1s
        address_spacing = 0s
        provider_spacing = 0s
        interval = 5s
        back_off = 1s
        alert_socket =
        """;

    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(90);
    private static readonly IReadOnlyList<int> Ports = [2501, 2502, 2503, 2504, 2505, 2506];

    private readonly Dictionary<Event, Samples> times = Enum.GetValues<Event>().ToDictionary(one => one, _ => new Samples());
    private readonly Lock gate = new();

    private enum Event
    {
        Kill,
        Stop,
        CutOff,
        Halt,
    }

    /// <summary>Takes half a minute for each event but a stop, whatever the number of fleets.</summary>
    internal static async Task<ReportPart> MeasureAsync(Bench bench, PostgreSqlCluster server)
    {
        foreach (var number in Enumerable.Range(1, 3))
            server.Sql($"CREATE ROLE mx{number} LOGIN IN ROLE policydaemon");
        using var mail = new SilentMailServers(Ports);
        var probers = new FleetProbers(bench, server, mail);
        IReadOnlyList<Event> events = bench.Options.Quick ? [Event.Kill, Event.Stop, Event.CutOff] : [Event.Kill, Event.Stop, Event.CutOff, Event.Kill, Event.Halt];
        var fleets = bench.Options.Quick ? 2 : 20;
        // Each begins with another one.
        var late = await Task.WhenAll(Enumerable.Range(0, fleets).Select(fleet => probers.RunAsync(fleet, [.. events.Skip(fleet % events.Count), .. events.Take(fleet % events.Count)])));
        var part = new ReportPart(
            "Fleet: who probes",
            string.Create(
                CultureInfo.InvariantCulture,
                $"{fleets} fleets of three published policyd, each with a store, a mail server at one address and, for each node, a way to PostgreSQL that can be cut, on the same cores; the address is connected to nearly all the time. A mail server disconnects who was silent for 20 s. From the signal or the cut until another node has the lease."),
            "what", "measured", "spread", "aim");
        var all = string.Create(CultureInfo.InvariantCulture, $"{fleets * events.Count} times killed, stopped, cut off or halted");
        probers.Row(part, Event.Kill, "the prober killed, s", "below 30");
        probers.Row(part, Event.Stop, "stopped as systemd does", "below 2");
        probers.Row(part, Event.CutOff, "cut off from the server", "");
        probers.Row(part, Event.Halt, "halted (SIGSTOP)", "");
        part.Row(
            string.Create(CultureInfo.InvariantCulture, $"{all}: connections to an address where another one was open, of {mail.Connections}"),
            mail.Overlaps.Count.ToString(CultureInfo.InvariantCulture), string.Join(' ', mail.Overlaps.Take(3)), "0");
        part.Row("rows written by a deposed prober meanwhile", late.Sum().ToString(CultureInfo.InvariantCulture), "", "0");
        return part;
    }

    private void Row(ReportPart part, Event happened, string what, string aim)
    {
        if (times[happened] is { Count: > 0 } measured)
            part.Row(string.Create(CultureInfo.InvariantCulture, $"{what} (median of {measured.Count})"), measured.Text("0.0"), measured.Spread("0.0"), aim);
    }

    /// <returns>How many rows a deposed prober wrote.</returns>
    private async Task<long> RunAsync(int fleet, IReadOnlyList<Event> events)
    {
        var database = string.Create(CultureInfo.InvariantCulture, $"probers{fleet}");
        var address = new IPAddress([127, 9, (byte)fleet, 1]);
        var nodes = new List<Node>();
        try
        {
            await MakeAsync(database, address);
            foreach (var number in Enumerable.Range(1, 3))
            {
                var way = new Gate(server.Port);
                var name = $"mx{number}";
                var store = new PolicydStore(bench, Path.Combine(bench.Directory, $"{database}-{name}"))
                {
                    Words = $"host=127.0.0.1 port={way.Port} dbname={database} user={name} sslmode=disable", Node = name, Probe = Probe,
                };
                nodes.Add(new Node(name, store, way, await store.StartAsync(isAlone: false, isPinned: false)));
            }

            await using var connection = server.Connect(database);
            foreach (var happens in events)
                await HappenAsync(connection, nodes, address, happens);
            await using var late = new NpgsqlCommand("SELECT count(*) FROM late_write", connection);
            return (long)(await late.ExecuteScalarAsync())!;
        }
        finally
        {
            foreach (var node in nodes)
            {
                node.Way.Open();
                await node.Program.DisposeAsync();
                node.Way.Dispose();
            }
        }
    }

    private async Task HappenAsync(NpgsqlConnection connection, List<Node> nodes, IPAddress address, Event happens)
    {
        var holder = nodes[await HolderAsync(connection, nodes, null)];
        await ProbedAsync(address);
        var began = Stopwatch.GetTimestamp();
        Task ends = Task.CompletedTask;
        switch (happens)
        {
            case Event.Kill: await holder.Program.KillAsync(); break;
            case Event.Stop: ends = holder.Program.DisposeAsync().AsTask(); break;
            case Event.CutOff: holder.Way.Shut(); break;
            default: holder.Program.Signal("STOP"); break;
        }

        await HolderAsync(connection, nodes, holder);
        lock (gate)
            times[happens].Add(Stopwatch.GetElapsedTime(began).TotalSeconds);
        // What the deposed one still wants to write, it may try beside its successor.
        if (happens == Event.CutOff)
            holder.Way.Open();
        if (happens == Event.Halt)
            holder.Program.Signal("CONT");
        await ends;
        if (happens is Event.Kill or Event.Stop)
        {
            await holder.Program.DisposeAsync();
            holder.Program = await holder.Store.StartAsync(isAlone: false, isPinned: false);
        }

        await ProbedAsync(address);
        Console.Error.WriteLine($"-- fleet: {connection.Database}: {happens} of {holder.Name}, taken over after {Stopwatch.GetElapsedTime(began).TotalSeconds:0.0} s with a probe");
    }

    private async Task MakeAsync(string database, IPAddress address)
    {
        var words = FleetChanges.Make(server, database);
        server.Sql(Judge, database);
        var table = Path.Combine(bench.Directory, database);
        await File.WriteAllLinesAsync(table, Ports.Select(port => $"[{address}]:{port} fingerprint match={new string('a', 64)}"));
        var store = new PolicydStore(bench, Path.Combine(bench.Directory, database + "-owner")) { Words = words };
        store.Configure();
        await store.ImportAsync(table);
    }

    /// <summary>Waits until the address is connected to once more.</summary>
    private async Task ProbedAsync(IPAddress address)
    {
        var (before, since) = (mail.ConnectionsTo(address), Stopwatch.GetTimestamp());
        while (mail.ConnectionsTo(address) == before)
            await WaitAsync(since, $"{address} is not probed");
    }

    /// <summary>Waits until a node holds the lease.</summary>
    /// <param name="other">Which it must not be.</param>
    private static async Task<int> HolderAsync(NpgsqlConnection connection, List<Node> nodes, Node? other)
    {
        var since = Stopwatch.GetTimestamp();
        while (true)
        {
            await using var command = new NpgsqlCommand(
                "SELECT holder FROM probe_lease WHERE vantage = 'default' AND expires > CAST(extract(epoch FROM clock_timestamp()) * 1000 AS BIGINT)", connection);
            if (await command.ExecuteScalarAsync() is string name && name != other?.Name)
                return nodes.FindIndex(node => node.Name == name);
            await WaitAsync(since, $"nobody but {other?.Name} takes the lease of {connection.Database}");
        }
    }

    private static Task WaitAsync(long since, string what) =>
        Stopwatch.GetElapsedTime(since) < Deadline ? Task.Delay(Look) : throw new BenchmarkException(what);

    private sealed class Node(string name, PolicydStore store, Gate way, Server program)
    {
        internal string Name { get; } = name;

        internal PolicydStore Store { get; } = store;

        internal Gate Way { get; } = way;

        internal Server Program { get; set; } = program;
    }
}
