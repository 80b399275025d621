using PolicyDaemon.EndToEnd.Lab;

namespace PolicyDaemon.EndToEnd.Stories;

/// <summary>Stories of the prober: each has a daemon of its own, whose days are seconds.</summary>
public abstract class ProberStories(Laboratory lab) : IAsyncLifetime
{
    private static int _number;

    private readonly List<IAsyncDisposable> _parts = [];
    private bool _hasRouted;

    protected Laboratory Lab => lab;

    protected SendingPostfix Sender => lab.Sender;

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        if (_hasRouted)
        {
            await lab.Sender.ForgetAllAsync();
            await lab.Sender.UsePolicyMapsAsync(Laboratory.PolicyMap);
        }

        foreach (var part in _parts.AsEnumerable().Reverse()) await part.DisposeAsync();
    }

    /// <summary>A daemon with a prober, not started yet.</summary>
    protected async Task<Prober> ProberAsync(ProbeConfiguration? probe = null, string digest = "sha256", string further = "") =>
        Keep(new Prober(await lab.ProberAsync($"prober{++_number}", probe ?? lab.Probing(), digest, further)));

    /// <summary>Lets the sending Postfix ask this daemon until the story ends.</summary>
    protected async Task RouteAsync(Prober prober)
    {
        ArgumentNullException.ThrowIfNull(prober);
        _hasRouted = true;
        await lab.Sender.UsePolicyMapsAsync(prober.Policyd.InetTable);
    }

    /// <summary>A server at an address of its own.</summary>
    protected async Task<ScriptedServer> ServerAsync(Func<ScriptedConnection, Task> script) =>
        Keep(new ScriptedServer(lab.Sandbox, (await lab.Network.MoreAsync(1))[0], script));

    /// <summary>Something to be disposed of when the story ends.</summary>
    protected T Keep<T>(T part)
        where T : IAsyncDisposable
    {
        _parts.Add(part);
        return part;
    }

    /// <summary>Sets one MX host (mx1.DOMAIN) with these addresses for a domain. Takes effect when DNS is published.</summary>
    /// <returns>The MX host's name.</returns>
    protected string Mail(string domain, params ScriptedServer[] servers)
    {
        var host = "mx1." + domain;
        lab.Dns.Set(domain, "MX", $"10 {host}.").Set(host, "A", [.. servers.Select(server => $"{server.Address}")]);
        return host;
    }
}
