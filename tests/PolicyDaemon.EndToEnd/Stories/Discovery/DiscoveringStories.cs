using System.Globalization;
using System.Net;
using PolicyDaemon.EndToEnd.Lab;

namespace PolicyDaemon.EndToEnd.Stories.Discovery;

/// <summary>Stories of a daemon that discovers: one of its own for each, and a policy host.</summary>
public abstract class DiscoveringStories(Laboratory lab) : ProberStories(lab)
{
    /// <summary>A loopback address at which nobody listens.</summary>
    protected const string Nobody = "127.0.0.6";

    // What is remembered has its times in JSON; the daemon reads again what a notice names.
    private const string Age = """
        import re, sqlite3, sys
        from datetime import datetime, timedelta
        by = int(sys.argv[2])
        def older(time):
            if not "2000" < time.group(1) < "9000": return time.group(0)
            return (datetime.fromisoformat(time.group(1)) - timedelta(seconds=by)).isoformat()
        store = sqlite3.connect(sys.argv[1], timeout=30)
        with store:
            store.execute("BEGIN IMMEDIATE")
            for key, memory in store.execute("SELECT key, memory FROM discovered").fetchall():
                memory = re.sub(r"(?<=\")(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?=[.Z+])", older, memory)
                store.execute("UPDATE discovered SET memory = ?, used = used - ?, renewal_due = renewal_due - ?, renewal_until = renewal_until - ?, "
                    "policy_until = policy_until - ? WHERE key = ?", (memory, by, by, by, by, key))
                store.execute("INSERT INTO discovery_notice (key) VALUES (?)", (key,))

        """;

    private PolicyHost? _policies;

    protected IReadOnlyList<ReceivingServer> Servers => Lab.Receivers.Servers;

    /// <summary>The web server of all domains' policies.</summary>
    protected PolicyHost Policies => _policies ??= Keep(new PolicyHost(Lab.Sandbox, IPAddress.Parse("127.0.0.5"), Lab.Certificates));

    /// <summary>A daemon that discovers, which Postfix asks from now on.</summary>
    /// <param name="probe">The section [probe], if not the usual one.</param>
    /// <param name="level">What smtp_tls_security_level is said to be.</param>
    protected async Task<Prober> StartAsync(ProbeConfiguration? probe = null, string level = "may")
    {
        var prober = await ProberAsync((probe ?? Lab.Probing()).With("private_addresses", "yes"), further: $"security_level = {level}\n[discovery]\nmode = on\n");
        await prober.Policyd.StartAsync();
        await RouteAsync(prober);
        return prober;
    }

    /// <summary>A domain whose one host has a TLSA record of this certificate.</summary>
    protected Task<Destination> DaneAsync(string domain, out LabCertificate certificate)
    {
        var made = Lab.Certificates.SelfSigned("mx1." + domain);
        certificate = made;
        Lab.Dns.Set($"_25._tcp.mx1.{domain}", "TLSA", $"3 1 1 {made.PublicKeyFingerprint}");
        return Destination.CreateAsync(Lab, domain, Servers[0]);
    }

    /// <summary>Sets one MX host (mx1.DOMAIN), the first of <see cref="Servers"/>, for a domain. Takes effect when DNS is published.</summary>
    protected void Mail(string domain) => Lab.Dns.Set(domain, "MX", $"10 mx1.{domain}.").Set("mx1." + domain, "A", $"{Servers[0].IPv4}");

    /// <summary>Serves a policy for a domain and announces it. Takes effect when DNS is published.</summary>
    protected void Announce(string domain, ServedPolicy policy, string id = "1")
    {
        Policies.Serve(domain, policy);
        Lab.Dns.Set($"_mta-sts.{domain}", "TXT", $"\"v=STSv1; id={id};\"").Set($"mta-sts.{domain}", "A", $"{Policies.Address}");
    }

    /// <summary>Stops a daemon, lets time pass for all that it remembers of discovered destinations, and starts it again.</summary>
    protected async Task RestartAfterAsync(Prober prober, TimeSpan time)
    {
        ArgumentNullException.ThrowIfNull(prober);
        await prober.Policyd.StopAsync();
        await AgeAsync(prober, time);
        await prober.Policyd.StartAsync();
    }

    /// <summary>Lets time pass for all that a running daemon remembers of discovered destinations and has stored. What it has not stored yet
    /// would take that back: the story has to wait for it.</summary>
    protected async Task AgeAsync(Prober prober, TimeSpan time)
    {
        ArgumentNullException.ThrowIfNull(prober);
        (await Lab.Sandbox.RunAsync(
            ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups", "python3", "-c", Age, prober.Policyd.Database, time.TotalSeconds.ToString(CultureInfo.InvariantCulture)])).Require();
    }

    /// <summary>What <c>policyctl discovery list</c> says, by key: verdict, row, when DNS was asked, until when a policy holds.</summary>
    protected static async Task<IReadOnlyDictionary<string, string[]>> ListAsync(Prober prober)
    {
        ArgumentNullException.ThrowIfNull(prober);
        return (await prober.Policyd.DoAsync("discovery", "list", "--format", "tsv")).Split('\n', StringSplitOptions.RemoveEmptyEntries)
            .Select(row => row.Split('\t')).ToDictionary(row => row[0], row => row[1..]);
    }

    /// <summary>Waits until a domain was discovered again, and what came of it is stored: until then its answer is that of before, whatever it will be.</summary>
    /// <param name="since">Before this it was asked for last, by more than a second.</param>
    protected static Task AwaitRenewedAsync(Prober prober, string domain, DateTimeOffset since)
    {
        ArgumentNullException.ThrowIfNull(prober);
        return Until.TrueAsync($"{domain} is discovered again", async () =>
        {
            // Whoever asks has what is due renewed.
            await prober.AnswerAsync(domain);
            return (await ListAsync(prober)).TryGetValue(domain, out var row)
                && DateTimeOffset.Parse(row[2], CultureInfo.InvariantCulture) > since - TimeSpan.FromSeconds(1);
        }, () => prober.Tell(null));
    }

    /// <summary>Waits until the daemon says that a lookup was answered without its verdict, which did not come in time. It says so every ten seconds.</summary>
    protected static Task AwaitTimedOutAsync(Prober prober)
    {
        ArgumentNullException.ThrowIfNull(prober);
        return Until.TrueAsync(
            "a lookup had no verdict in time", async () => (await prober.Policyd.JsonAsync("status"))
                .GetProperty("daemon").GetProperty("discovery").GetProperty("timed_out").GetInt64() > 0,
            () => prober.Tell(null));
    }

    /// <summary>Waits until <c>policyctl discovery show</c> says this of a domain.</summary>
    protected static async Task AwaitShownAsync(Prober prober, string domain, string text)
    {
        ArgumentNullException.ThrowIfNull(prober);
        CommandResult? last = null;
        await Until.TrueAsync($"\"{text}\" is said of {domain}", async () =>
        {
            // Whoever asks has what is due renewed.
            await prober.AnswerAsync(domain);
            return (last = await prober.Policyd.CtlAsync("discovery", "show", domain)).Output.Contains(text, StringComparison.Ordinal);
        }, () => $"{last}\n{prober.Policyd.Said}");
    }
}
