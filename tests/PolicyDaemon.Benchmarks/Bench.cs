using PolicyDaemon.Benchmarks.Loads;
using PolicyDaemon.Benchmarks.Machine;

namespace PolicyDaemon.Benchmarks;

/// <summary>What all sections share: the options, a directory of their own, and how servers are started.</summary>
internal sealed class Bench(Options options) : IAsyncDisposable
{
    private readonly Dictionary<int, Workload> workloads = [];

    internal Options Options { get; } = options;

    internal string Directory { get; } = System.IO.Directory.CreateTempSubdirectory("policydaemon-benchmarks-").FullName;

    /// <summary>Seconds of one measured round.</summary>
    internal double Seconds => Options.Quick ? 0.3 : 1;

    /// <summary>Rounds of A and B in turn.</summary>
    internal int Rounds => Options.Quick ? 2 : 5;

    internal Workload Workload(int rows) =>
        workloads.TryGetValue(rows, out var known) ? known : workloads[rows] = Loads.Workload.Create(Directory, rows);

    internal string Program(string name) => Path.Combine(Options.Binaries!, name);

    /// <summary>A store of its own for policyd, empty.</summary>
    internal async Task<PolicydStore> NewStoreAsync(string name)
    {
        var store = new PolicydStore(this, Path.Combine(Directory, name));
        await store.InitAsync();
        return store;
    }

    /// <summary>A store with the rows of a workload.</summary>
    internal async Task<PolicydStore> NewStoreAsync(string name, Workload workload)
    {
        var store = await NewStoreAsync(name);
        await store.ImportAsync(workload.Table);
        return store;
    }

    /// <summary>The yardstick on an endpoint like the given one, but its own.</summary>
    internal async Task<(Server Server, Endpoint Endpoint)> StartYardstickAsync(Endpoint like)
    {
        var own = like with { Text = like.IsUnix ? $"unix:{Directory}/yardstick" : $"inet:127.0.0.1:{(like.Protocol == "socketmap" ? 18001 : 18002)}" };
        File.Delete($"{Directory}/yardstick");
        return (await Server.StartAsync([.. Cores.Server, Toolchain.Native(Options, "yardstick"), own.Protocol, own.Text], own), own);
    }

    public ValueTask DisposeAsync()
    {
        System.IO.Directory.Delete(Directory, recursive: true);
        return ValueTask.CompletedTask;
    }
}
