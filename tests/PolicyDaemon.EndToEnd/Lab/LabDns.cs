using System.Globalization;
using System.Text;

namespace PolicyDaemon.EndToEnd.Lab;

/// <summary>
/// A DNS of its own from a signed root down, served by knot, and a validating unbound at 127.0.0.1 which remembers
/// nothing: what is published is what the next question gets. Zones: <c>plain.test</c> without DNSSEC, <c>signed.test</c>
/// with it, and <c>bogus.test</c>, whose parent promises signatures that it does not have. Any other name does not exist.
/// </summary>
public sealed class LabDns(Sandbox sandbox) : IAsyncDisposable
{
    public const string PlainZone = "plain.test";
    public const string SignedZone = "signed.test";
    public const string BogusZone = "bogus.test";

    /// <summary>Has an address, and comes back secure.</summary>
    public const string SecureName = "ns." + SignedZone;

    /// <summary>Has an address, and comes back bogus.</summary>
    public const string BogusName = "ns." + BogusZone;

    private const string Root = ".";
    private const string Marker = "version";
    private const string Authority = "127.0.0.2";
    private static readonly string[] Zones = [PlainZone, SignedZone, BogusZone];

    private readonly string _folder = Directory.CreateDirectory(Path.Combine(sandbox.Folder, "dns")).FullName;
    private readonly Dictionary<(string Zone, string Name, string Type), string[]> _records = [];
    private RunningProcess? _knot;
    private RunningProcess? _unbound;
    private int _version;

    /// <summary>Sets all records of one name and type; none removes them. Takes effect with <see cref="PublishAsync"/>.</summary>
    /// <param name="name">A full name below one of the zones, without the last dot.</param>
    /// <param name="type">MX, A, AAAA, TLSA, CNAME, TXT ...</param>
    /// <param name="data">The records' data as a zone file has it; names in it end with a dot.</param>
    public LabDns Set(string name, string type, params string[] data)
    {
        var zone = Zones.FirstOrDefault(zone => name == zone || name.EndsWith("." + zone, StringComparison.Ordinal))
            ?? throw new ArgumentException($"{name} is in none of the zones", nameof(name));
        if (data.Length == 0) _records.Remove((zone, name, type));
        else _records[(zone, name, type)] = data;
        return this;
    }

    /// <summary>Makes what was set visible and waits until the resolver says so.</summary>
    public async Task PublishAsync()
    {
        _version++;
        foreach (var zone in Zones)
        {
            await WriteZoneAsync(zone);
            (await sandbox.RunAsync(["knotc", "--config", KnotConf, "zone-reload", zone])).Require();
        }

        await AwaitVersionAsync();
    }

    /// <summary>Ends the resolver, as when its machine is gone.</summary>
    public async Task StopResolverAsync()
    {
        if (_unbound is not null) await _unbound.DisposeAsync();
        _unbound = null;
    }

    /// <summary>Starts the resolver (again).</summary>
    public async Task StartResolverAsync()
    {
        _unbound = sandbox.Start(["unbound", "-d", "-c", UnboundConf]);
        await AwaitVersionAsync();
    }

    internal async Task StartAsync()
    {
        Directory.CreateDirectory(Path.Combine(_folder, "knot"));
        await WriteKnotConfigurationAsync();
        // The keys are made before the server starts, so that the root's DS record and the resolver's anchor are known.
        foreach (var zone in new[] { Root, SignedZone })
        {
            (await sandbox.RunAsync(
                ["keymgr", "--config", KnotConf, zone, "generate", "algorithm=ECDSAP256SHA256", "ksk=yes", "zsk=yes"])).Require();
        }

        await File.WriteAllTextAsync(Path.Combine(_folder, "anchor"), await DelegationSignerAsync(Root));
        await WriteUnboundConfigurationAsync();
        await WriteRootAsync(await DelegationSignerAsync(SignedZone));
        foreach (var zone in Zones) await WriteZoneAsync(zone);
        _knot = sandbox.Start(["knotd", "--config", KnotConf]);
        await StartResolverAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await StopResolverAsync();
        if (_knot is not null) await _knot.DisposeAsync();
    }

    private string KnotConf => Path.Combine(_folder, "knot.conf");

    private string UnboundConf => Path.Combine(_folder, "unbound.conf");

    private async Task AwaitVersionAsync()
    {
        // The signed zone must also come back validated and the plain one must not.
        foreach (var zone in new[] { PlainZone, SignedZone })
        {
            CommandResult? last = null;
            await Until.TrueAsync($"{zone} is published in version {_version}", async () =>
            {
                last = await sandbox.RunAsync(["kdig", "@127.0.0.1", "+timeout=1", "+retry=0", "+adflag", "TXT", $"{Marker}.{zone}"]);
                var validated = last.Output.Contains(" ad;", StringComparison.Ordinal);
                return last.Output.Contains($"\"{_version}\"", StringComparison.Ordinal) && validated == (zone == SignedZone);
            }, () => $"{last}\nknotd: {_knot?.Said}\nunbound: {_unbound?.Said}");
        }
    }

    private async Task<string> DelegationSignerAsync(string zone) =>
        (await sandbox.RunAsync(["keymgr", "--config", KnotConf, zone, "ds"])).Require();

    private Task WriteRootAsync(string delegationSigner)
    {
        var text = new StringBuilder($"$TTL 0\n. SOA ns. hostmaster. 1 60 60 3600 0\n. NS ns.\nns. A {Authority}\n");
        foreach (var zone in Zones)
            text.Append(CultureInfo.InvariantCulture, $"{zone}. NS ns.{zone}.\nns.{zone}. A {Authority}\n");
        text.Append(delegationSigner);
        text.Append(CultureInfo.InvariantCulture, $"{BogusZone}. DS 1 13 2 {new string('0', 64)}\n");
        return File.WriteAllTextAsync(Path.Combine(_folder, "root.zone"), text.ToString());
    }

    private async Task WriteZoneAsync(string zone)
    {
        // No caching anywhere: TTL 0, and a negative answer is as short-lived.
        var text = new StringBuilder()
            .Append(CultureInfo.InvariantCulture, $"$TTL 0\n{zone}. SOA ns.{zone}. hostmaster.{zone}. {_version + 1} 60 60 3600 0\n")
            .Append(CultureInfo.InvariantCulture, $"{zone}. NS ns.{zone}.\nns.{zone}. A {Authority}\n")
            .Append(CultureInfo.InvariantCulture, $"{Marker}.{zone}. TXT \"{_version}\"\n");
        foreach (var ((_, name, type), data) in _records.Where(r => r.Key.Zone == zone))
        {
            foreach (var entry in data) text.Append(CultureInfo.InvariantCulture, $"{name}. {type} {entry}\n");
        }

        await File.WriteAllTextAsync(Path.Combine(_folder, zone + ".zone"), text.ToString());
    }

    private Task WriteKnotConfigurationAsync() => File.WriteAllTextAsync(KnotConf, $"""
        server:
            rundir: {_folder}
            listen: {Authority}@53
        control:
            listen: {_folder}/knot.sock
        log:
          - target: stderr
            any: warning
        database:
            storage: {_folder}/knot
        policy:
          - id: lab
            manual: on
        template:
          - id: signed
            dnssec-signing: on
            dnssec-policy: lab
            # Knot adds signatures and counts serials itself; the file stays ours.
            zonefile-load: difference-no-serial
            zonefile-sync: -1
            journal-content: all
        zone:
          - domain: .
            file: {_folder}/root.zone
            template: signed
          - domain: {SignedZone}
            file: {_folder}/{SignedZone}.zone
            template: signed
          - domain: {PlainZone}
            file: {_folder}/{PlainZone}.zone
          - domain: {BogusZone}
            file: {_folder}/{BogusZone}.zone

        """);

    private Task WriteUnboundConfigurationAsync() => File.WriteAllTextAsync(UnboundConf, $"""
        server:
            interface: 127.0.0.1
            username: ""
            chroot: ""
            directory: "{_folder}"
            pidfile: ""
            use-syslog: no
            module-config: "validator iterator"
            trust-anchor-file: "{_folder}/anchor"
            do-not-query-localhost: no
            # unbound answers for test. itself otherwise (RFC 6761 section 6.2).
            local-zone: "test." nodefault
            cache-max-ttl: 0
            cache-max-negative-ttl: 0
            aggressive-nsec: no
        remote-control:
            control-enable: no
        stub-zone:
            name: "."
            stub-addr: {Authority}@53

        """);
}
