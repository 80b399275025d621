using PolicyDaemon.Benchmarks.Loads;

namespace PolicyDaemon.Benchmarks.Machine;

/// <summary>A store in a directory of its own, and the policyd that serves it.</summary>
internal sealed class PolicydStore(Bench bench, string directory)
{
    internal Endpoint Unix { get; } = new("socketmap", $"unix:{directory}/lookups");

    internal Endpoint Tcp { get; } = new("socketmap", "inet:127.0.0.1:8461");

    internal Endpoint TcpTable { get; } = new("tcp_table", "inet:127.0.0.1:8462");

    internal string Database => Path.Combine(directory, "policy.db");

    internal string Snapshot => Database + ".snapshot";

    internal string Configuration => Path.Combine(directory, "policydaemon.conf");

    /// <summary>Where a policyd-web over this store shows its pages.</summary>
    internal string Pages => Path.Combine(directory, "web.sock");

    internal string StatusFile => Path.Combine(directory, "status");

    /// <summary>Libpq's words for a store on a server; null for one in a file.</summary>
    internal string? Words { get; set; }

    /// <summary>Its name among those that share a store; the host's where null.</summary>
    internal string? Node { get; set; }

    /// <summary>The section <c>[probe]</c>: off, because its connections would be measured too.</summary>
    internal string Probe { get; set; } = "enabled = no";

    /// <param name="isAlone">Also listens on TCP; of two daemons at the same time only one can.</param>
    /// <param name="isPinned">On a core of its own; else on all of them.</param>
    internal Task<Server> StartAsync(bool isAlone = true, bool isPinned = true)
    {
        Configure(isAlone);
        return Server.StartAsync([.. isPinned ? Cores.Server : [], bench.Program("policyd"), "--config", Configuration], Unix);
    }

    internal async Task InitAsync()
    {
        Configure();
        await Run.AsyncOrThrow(bench.Program("policyctl"), ["--config", Configuration, "init"]);
    }

    /// <summary>Writes the configuration of a store that is there already.</summary>
    internal void Configure(bool isAlone = true)
    {
        Directory.CreateDirectory(directory);
        File.WriteAllText(Configuration, ConfigurationText(isAlone));
    }

    internal Task ImportAsync(string table) =>
        Run.AsyncOrThrow(bench.Program("policyctl"), ["--config", Configuration, "import", table]);

    /// <summary>What policyctl says of a destination without an entry, once policyd has written it.</summary>
    internal async Task<string> ShowAsync(string key)
    {
        await Task.Delay(TimeSpan.FromSeconds(2));
        return (await Run.AsyncOrThrow(bench.Program("policyctl"), ["--config", Configuration, "discovery", "show", key])).Trim();
    }

    private string ConfigurationText(bool isAlone) => $"""
        [lookup]
        socketmap = {Unix.Text}{(isAlone ? $", {Tcp.Text}" : "")}
        tcp_table = {(isAlone ? TcpTable.Text : "")}
        max_connections = 20000
        [store]
        {(Words is null ? "" : $"engine = postgresql\npostgresql = {Words}\n")}{(Node is null ? "" : $"node = {Node}\n")}database = {Database}
        status_file = {StatusFile}
        [web]
        listen = unix:{Pages}
        [probe]
        {Probe}

        """;
}
