using System.Globalization;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Logging.Abstractions;
using PolicyDaemon.Cli.Hosting;
using PolicyDaemon.Core.Audit;
using PolicyDaemon.Core.Discovery;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Rotation;
using PolicyDaemon.Core.Runtime;
using PolicyDaemon.Lookup;
using PolicyDaemon.Lookup.Listening;
using PolicyDaemon.Lookup.Protocols;
using PolicyDaemon.Store;
using PolicyDaemon.Store.Engines;
using PolicyDaemon.Tests.Core.Discovery;
using PolicyDaemon.Tests.Lookup;
using PolicyDaemon.Tests.Support;
using Xunit;

namespace PolicyDaemon.Tests.Cli;

/// <summary>A machine on which an example of the help has something to do: entries, files, mail servers, a Postfix, a daemon that answers.</summary>
internal sealed class ExamplePlace : IAsyncDisposable
{
    /// <summary>What smtp(8) has logged.</summary>
    internal const string MailLog = "Nov 23 06:25:01 mail postfix/smtp[811]: 4bQ1: to=<a@example.com>, relay=mx.example.com[127.0.0.1]:25, dsn=2.0.0, status=sent (250 ok)\n";

    // Beyond whatever an example writes: what it waits for is served already.
    private const long Served = 1000;

    private static readonly X509Certificate2 Certificate = TestCertificates.Issued("mx.example.com");

    // Where examples keep their files; here these stand below the session's directory.
    private static readonly string[] Folders = ["/etc/", "/var/", "/tmp/"];
    private static readonly string[] Files = ["entries.conf", "tls_policy.yesterday", "domains.txt", "tlspol-domains.txt", "report.html", "november.html", "example.html"];

    private readonly string line;
    private readonly ProbedNetwork network = new(trusted: true, CliSession.DiscoveryOn, init: false);
    private readonly LookupServer daemon;
    private DaemonLock? running;

    private ExamplePlace(string line, LookupServer daemon) => (this.line, this.daemon) = (line, daemon);

    internal CliSession Session => network.Session;

    /// <summary>The servers are asked; on the port that the test's have.</summary>
    private bool Probes => Is("check") || Is("probe") || Is("doctor") || line.Split(' ').Contains("--probe");

    internal static async Task<ExamplePlace> ForAsync(string line)
    {
        MapEndpoint[] endpoints = [Endpoint(MapProtocol.Socketmap), Endpoint(MapProtocol.TcpTable)];
        var place = new ExamplePlace(line, new LookupServer(
            new LookupTestData().Service, new LookupOptions { Endpoints = [.. endpoints] }, NullLogger<LookupServer>.Instance, TimeProvider.System));
        try
        {
            await place.daemon.StartAsync();
            place.Prepare();
            return place;
        }
        catch
        {
            await place.DisposeAsync();
            throw;
        }
    }

    /// <summary>A word of an example, as it stands on this machine.</summary>
    internal string Here(string word) => word switch
    {
        _ when Array.Exists(Folders, folder => word.StartsWith(folder, StringComparison.Ordinal)) => Session.Directory + word,
        _ when Files.Contains(word) => Path.Combine(Session.Directory, word),
        "example.com" when Probes => $"example.com:{network.Port}",
        "[mx.example.com]:587" when Probes => $"[mx.example.com]:{network.Port}",
        _ => word,
    };

    public async ValueTask DisposeAsync()
    {
        running?.Dispose();
        await daemon.DisposeAsync();
        await network.DisposeAsync();
    }

    private static MapEndpoint Endpoint(MapProtocol protocol) =>
        MapEndpoint.TryParse(protocol, "inet:127.0.0.1:0", out var endpoint, out var reason) ? endpoint : throw new InvalidOperationException(reason);

    private bool Is(string verb) => line.StartsWith($"policyctl {verb}", StringComparison.Ordinal);

    private void Prepare()
    {
        network.Serve(Certificate);
        // A key with a leading dot can name no port, and port 25 of this machine is not the test's: that one finds no address.
        network.Domain("example.com", "mx.example.com", secure: true, line.Contains("--probe-as", StringComparison.Ordinal) ? [] : ["127.0.0.1"]);
        var (map, table) = (daemon.Listening[0].Split(' ')[^1], daemon.Listening[1].Split(' ')[^1]);
        File.WriteAllText(Session.Config, File.ReadAllText(Session.Config).Replace(
            "[lookup]\n", $"[lookup]\nsocketmap = {map}\ntcp_table = {table}\n", StringComparison.Ordinal));
        Session.Postfix.Text = new PostconfText(("config_directory", Session.Directory), ("smtp_tls_policy_maps", $"socketmap:{map}:tlspolicy"), ("smtp_dns_support_level", "dnssec"));
        Session.Person = true;
        Session.Input = "yes\n";
        Session.Edits.Enqueue(text => text.Replace(" encrypt", " secure", StringComparison.Ordinal));
        Write();
        if (!Is("init"))
            Fill();
        if (Is("status") || line.Contains("--wait", StringComparison.Ordinal))
            Tell();
        running = DaemonLock.TryTake(Session.Database + ".status");
        Assert.NotNull(running);
    }

    private void Write()
    {
        foreach (var folder in (string[])["etc/postfix", "etc/ssl", "var/backups", "var/lib/mta-sts", "var/log", "tmp"])
            Directory.CreateDirectory(Path.Combine(Session.Directory, folder));
        Session.Write("main.cf", "smtp_tls_security_level = may\n");
        Session.Write("tls_policy.yesterday", "a.example may\n");
        Session.Write("policydaemon.sql", "BEGIN;\n");
        Session.Write("var/log/mail.log", MailLog);
        Session.Write("etc/ssl/next.pem", TestCertificates.Issued("mx.example.com").ExportCertificatePem());
        Session.Write("domains.txt", "example.com\n");
        Session.Write("tlspol-domains.txt", "example.com\n");
        DiscoveryIntakeTests.Cache(
            Session, "var/lib/mta-sts/cache.db",
            ("sts.example", DiscoveryIntakeTests.Ago(Session, TimeSpan.FromDays(1)), DiscoveryIntakeTests.Body("enforce", 604800, "mx.sts.example")));
        Session.Write("entries.conf", "a.example secure\npartner.example encrypt { note = new }\n");
        var sha1 = ProbedNetwork.Seen(Certificate).Digest(PinSubject.PublicKey, DigestAlgorithm.Sha1).Hex;
        var pinned = line.Contains("--probe", StringComparison.Ordinal) ? $"example.com:{network.Port} fingerprint match={sha1}\n"
            : line.Contains("--unservable", StringComparison.Ordinal) ? $"pinned.example fingerprint match={sha1}\n" : "";
        Session.Write("etc/postfix/tls_policy", $".example.com encrypt\nexample.org secure\n{pinned}");
    }

    private void Fill()
    {
        Session.Succeed("init");
        if (Is("domain add") || Is("import"))
        {
            if (line.Contains("--like", StringComparison.Ordinal))
                Session.Succeed("domain", "add", "example.com", "--level", "secure");
            return;
        }

        if (Is("store accept"))
        {
            StoreAcceptTests.Replace(Session);
            return;
        }

        // Of all of them only this one has a mail server here.
        if (!line.Contains("--all", StringComparison.Ordinal))
            Session.Succeed("domain", "add", "a.example", "b.example", "x.old.example", "partner.example", ".example.com", "[mx.example.com]:587", "--level", "encrypt");
        if (Probes)
            Session.Succeed("domain", "add", Here("example.com"), "--level", "fingerprint", "--match", ProbedNetwork.KeyPin(Certificate));
        else if (Is("domain set"))
            Session.Succeed("domain", "add", "example.com", "--level", line.Contains("--reason", StringComparison.Ordinal) ? "secure" : "encrypt", "--ciphers", "high");
        else
            Pin();
        foreach (var key in (string[])["example.com", "example.org"])
            DiscoveryTests.Remember(Session, key, DiscoveryScenario.Of("S", "T10"), DiscoveredAnswer.NotFound);
        if (Is("--database"))
            Session.Succeed("backup", Here("/var/backups/policy-2026-11-23.db"));
        if (Is("undo"))
            for (var i = Head().Sequence; Session.Run("undo", "12", "--dry-run").Code != ExitCode.Done; i++)
                Session.Succeed("domain", "add", string.Create(CultureInfo.InvariantCulture, $"n{i}.example"), "--level", "encrypt");
    }

    /// <summary>example.com has a pin that is served and one that a probe found; where an example takes it for a served one, it was approved.</summary>
    private void Pin()
    {
        Session.Succeed("domain", "add", "example.com", "--level", "fingerprint", "--match", CliSession.OtherPin);
        Session.Succeed("domain", "add", "mail.example.com", "--level", "fingerprint", "--match", $"{CliSession.OtherPin}|{Arguments.SomeFingerprint}");
        using var probed = new ProbedSession(Session);
        probed.Probe("example.com", [1], DestinationVerdict.Mismatch,
        [
            new PinTransition(
                Arguments.Fingerprint(Arguments.SomeFingerprint), PinSubject.PublicKey, null, PinState.Candidate, null, RotationRule.FirstSeen, "seen for the first time"),
        ]);
        if (Is("pin revoke") || line.Contains("leaked", StringComparison.Ordinal))
            Session.Succeed("pin", "approve", "example.com", Arguments.SomeFingerprint);
    }

    /// <summary>What the daemon says of itself.</summary>
    private void Tell()
    {
        using var store = PolicyStore.Open(Session.Store, StoreAccess.Read, Session.Time);
        DaemonStatusFile.Write(Session.Database + ".status", new DaemonStatus(
            "1.2.3", 4711, Session.Time.GetUtcNow(), Session.Time.GetUtcNow(), [.. daemon.Listening],
            new SnapshotStatus("store", store.StoreId, store.Head().Sequence + (Is("status") ? 0 : Served), AuditHead.Empty.Hash, 1, Session.Time.GetUtcNow()),
            new LookupCounts(0, 0, 0, 0, 0, new ConnectionCounts(0, 0, 0, 0, 0, 0), 0), []));
    }

    private AuditHead Head()
    {
        using var store = PolicyStore.Open(Session.Store, StoreAccess.Read, Session.Time);
        return store.Head();
    }
}
