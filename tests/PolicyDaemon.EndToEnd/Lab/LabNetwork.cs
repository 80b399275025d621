using System.Net;

namespace PolicyDaemon.EndToEnd.Lab;

/// <summary>
/// The addresses of the laboratory: the sending side has 192.0.2.1, the MX hosts are on the far end of a cable.
/// sandbox-init.sh lays the cable.
/// </summary>
public sealed class LabNetwork(Sandbox sandbox)
{
    /// <summary>How many receiving servers there are.</summary>
    public const int Servers = 6;

    public static IPAddress IPv4(int server) => IPAddress.Parse($"192.0.2.{10 + server}");

    public static IPAddress IPv6(int server) => IPAddress.Parse($"2001:db8:25::{10 + server}");

    // 192.0.2.11 ff. are the servers'; a sandbox lasts for one collection of tests, which needs less than what is left.
    private int _next = 30;

    /// <summary>Makes an address answer, if somebody listens there.</summary>
    public async Task UpAsync(IPAddress address)
    {
        // "replace" succeeds for an address that is there already.
        string[] command = ["ip", "address", "replace", $"{address}/{PrefixLength(address)}", "dev", "mx"];
        (await sandbox.RunOnMxAsync(address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6
            ? [.. command, "nodad"]
            : command)).Require();
    }

    /// <summary>Takes an address off the net, as when its host is switched off: nobody answers for it.</summary>
    public async Task DownAsync(IPAddress address) =>
        (await sandbox.RunOnMxAsync("ip", "address", "delete", $"{address}/{PrefixLength(address)}", "dev", "mx")).Require();

    /// <summary>IPv4 addresses of the receiving side that nobody else has, made to answer.</summary>
    public async Task<IReadOnlyList<IPAddress>> MoreAsync(int count)
    {
        IPAddress[] addresses = [.. Enumerable.Range(_next, count).Select(number => new IPAddress([192, 0, 2, checked((byte)number)]))];
        _next += count;
        var commands = string.Concat(addresses.Select(address => $"address replace {address}/24 dev mx\n"));
        (await sandbox.RunOnMxAsync(["ip", "-batch", "-"], commands)).Require();
        return addresses;
    }

    /// <summary>Makes every address of a network one of the receiving side's.</summary>
    internal static async Task WholeAsync(Sandbox sandbox, string network)
    {
        var isIPv6 = network.Contains(':', StringComparison.Ordinal);
        string[] ip = ["ip", isIPv6 ? "-6" : "-4", "route", "add"];
        (await sandbox.RunOnMxAsync([.. ip, "local", network, "dev", "lo"])).Require();
        (await sandbox.RunAsync([.. ip, network, "via", isIPv6 ? "2001:db8:25::10" : "192.0.2.10", "dev", "sender"])).Require();
    }

    internal async Task StartAsync()
    {
        for (var server = 1; server <= Servers; server++)
        {
            await UpAsync(IPv4(server));
            await UpAsync(IPv6(server));
        }
    }

    private static int PrefixLength(IPAddress address) =>
        address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6 ? 64 : 24;
}
