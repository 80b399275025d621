using System.Diagnostics;
using PolicyDaemon.Benchmarks.Loads;
using PolicyDaemon.Benchmarks.Machine;
using PolicyDaemon.Benchmarks.Reports;

namespace PolicyDaemon.Benchmarks.Sections;

/// <summary>Postfix's own tables with the same rows, asked by <c>postmap -q -</c> as policyd is.</summary>
internal sealed class PostmapSection : ISection
{
    private const int Rows = 1_000;

    public string Name => "postmap";

    public async Task<ReportPart> MeasureAsync(Bench bench)
    {
        var questions = bench.Options.Quick ? 2_000 : 20_000;
        var part = new ReportPart(
            "Postfix's own tables",
            $"`postmap -q -` with {questions} keys, half of them hits, in a table of {Rows} rows; its start is taken off. The tables are read by "
                + $"the asking process itself; policyd is asked over a connection, so a question costs it a turn of two processes. {bench.Rounds} rounds, medians.",
            "table", "µs per key", "spread", "client CPU µs per key", "server CPU µs per key");
        var workload = bench.Workload(Rows);
        var directory = Path.Combine(bench.Directory, "postmap");
        Directory.CreateDirectory(directory);
        await File.WriteAllTextAsync(Path.Combine(directory, "main.cf"), "compatibility_level = 3.6\n");
        var tables = await MakeTablesAsync(directory, workload);
        var store = await bench.NewStoreAsync("postmap-store", workload);
        await using var policyd = await store.StartAsync();
        tables.Add($"socketmap:{store.Unix.Text}:tlspolicy");
        tables.Add($"socketmap:{store.Tcp.Text}:tlspolicy");
        tables.Add(store.TcpTable.Text.Replace("inet:", "tcp:", StringComparison.Ordinal));

        var keys = (await File.ReadAllLinesAsync(workload.Keys)).Select(line => line.Split('\t')[0]).ToArray();
        var input = Path.Combine(directory, "questions");
        await File.WriteAllLinesAsync(input, Enumerable.Range(0, questions).Select(index => keys[index % keys.Length]));
        var one = Path.Combine(directory, "one-question");
        await File.WriteAllTextAsync(one, Workload.Key(0) + "\n");

        var times = tables.ToDictionary(table => table, _ => (Wall: new Samples(), Client: new Samples(), Server: new Samples()));
        for (var round = 0; round < bench.Rounds; round++)
        {
            foreach (var table in tables)
            {
                var start = await AskAsync(directory, table, one, policyd);
                var whole = await AskAsync(directory, table, input, policyd);
                times[table].Wall.Add((whole.Wall - start.Wall).TotalMicroseconds / questions);
                times[table].Client.Add((whole.Client - start.Client).TotalMicroseconds / questions);
                times[table].Server.Add((whole.Server - start.Server).TotalMicroseconds / questions);
            }
        }

        foreach (var (table, (wall, client, server)) in times)
        {
            var isOurs = table.StartsWith("socketmap", StringComparison.Ordinal) || table.StartsWith("tcp", StringComparison.Ordinal);
            part.Row(
                isOurs ? $"policyd, {(table.StartsWith("tcp", StringComparison.Ordinal) ? "tcp_table" : table.Contains("unix", StringComparison.Ordinal) ? "socketmap, unix" : "socketmap, TCP")}" : $"`{table.Split(':')[0]}:`",
                wall.Text(), wall.Spread(), client.Text(), isOurs ? server.Text() : "-");
        }

        return part;
    }

    private static async Task<List<string>> MakeTablesAsync(string directory, Workload workload)
    {
        var tables = new List<string>();
        foreach (var type in (string[])["hash", "lmdb", "cdb"])
        {
            var file = Path.Combine(directory, type);
            File.Copy(workload.Table, file);
            await Run.AsyncOrThrow("postmap", ["-c", directory, $"{type}:{file}"]);
            tables.Add($"{type}:{file}");
        }

        // Read whole into memory at the start, which is taken off.
        tables.Add($"texthash:{workload.Table}");

        var rows = (await File.ReadAllLinesAsync(workload.Table)).Select(line => line.Split(' ', 2));
        var script = Path.Combine(directory, "sqlite.sql");
        await File.WriteAllLinesAsync(script,
        [
            "BEGIN; CREATE TABLE policy (destination TEXT PRIMARY KEY, policy TEXT NOT NULL) WITHOUT ROWID;",
            .. rows.Select(row => $"INSERT INTO policy VALUES ('{row[0]}', '{row[1]}');"),
            "COMMIT;",
        ]);
        await Run.AsyncOrThrow("sqlite3", [Path.Combine(directory, "sqlite.db")], script);
        await File.WriteAllTextAsync(
            Path.Combine(directory, "sqlite.cf"),
            $"dbpath = {directory}/sqlite.db\nquery = SELECT policy FROM policy WHERE destination = '%s'\n");
        tables.Add($"sqlite:{directory}/sqlite.cf");
        return tables;
    }

    private static async Task<(TimeSpan Wall, TimeSpan Client, TimeSpan Server)> AskAsync(string directory, string table, string input, Server policyd)
    {
        var client = ProcessClock.OfEndedChildren();
        var server = policyd.Cpu;
        var clock = Stopwatch.StartNew();
        List<string> command = [.. Cores.Client, "postmap", "-c", directory, "-q", "-", table];
        var output = await Run.AsyncOrThrow(command[0], command[1..], input);
        var wall = clock.Elapsed;
        if (output.Length == 0)
            throw new BenchmarkException($"postmap found nothing in {table}");
        return (wall, ProcessClock.OfEndedChildren() - client, policyd.Cpu - server);
    }
}
