using PolicyDaemon.EndToEnd.Lab;

namespace PolicyDaemon.EndToEnd.Stories;

/// <summary>A mail domain of one story, with its MX hosts in DNS.</summary>
public sealed record Destination(string Domain, IReadOnlyList<string> MxHosts)
{
    /// <summary>A domain of this name whose MX hosts, in order of preference, are these servers.</summary>
    public static async Task<Destination> CreateAsync(Laboratory lab, string domain, params ReceivingServer[] servers)
    {
        string[] hosts = [.. servers.Select((_, index) => $"mx{index + 1}.{domain}")];
        lab.Dns.Set(domain, "MX", [.. hosts.Select((host, index) => $"{(index + 1) * 10} {host}.")]);
        foreach (var (host, server) in hosts.Zip(servers)) lab.Dns.Set(host, "A", $"{server.IPv4}");
        await lab.Dns.PublishAsync();
        return new Destination(domain, hosts);
    }

    public string User => "user@" + Domain;
}
