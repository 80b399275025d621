using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Rotation;
using PolicyDaemon.Tests.Cli;
using PolicyDaemon.Tests.Support;

namespace PolicyDaemon.Tests.Remedies;

/// <summary>A destination of which a probe finds something, over real sockets.</summary>
internal sealed class ProbeScenario(string kind) : RemedyScenario
{
    private static readonly X509Certificate2[] Keys = [.. Enumerable.Range(0, 5).Select(_ => TestCertificates.SelfSigned("mx.partner.test"))];
    private static readonly X509Certificate2 Weak = TestCertificates.Create(["mx.partner.test"], selfSigned: true, rsa: true);

    private readonly ProbedNetwork network = new(trusted: true);
    private X509Certificate2 first = Keys[0], second = Keys[0];
    private Func<FakeSmtpConnection, Task>? instead;
    private TimeSpan pause = TimeSpan.FromHours(1);
    private string key = "";

    internal static IEnumerable<RemedyCase> Cases =>
    [
        Case("new-key") with { Shows = "Nothing was changed." },
        Case("rotating-too-often") with { Shows = "Nothing was changed." },
        Case("pin-held") with { Settles = true },
        Case("pin-in-other-digest") with { Settles = true },
        Case("pin-beside-dane") with { Settles = true },
        Case("entry-below-published") with { Settles = true },
        Case("exemption-outlived") with { Settles = true },
        Case("weaker-key"), Case("rejected-key-seen"), Case("revoked-key-seen"), Case("tlsa-mismatch"), Case("mx-set-replaced"), Case("dnssec-lost"),
        Case("starttls-gone"), Case("plaintext-injected"), Case("pin-mismatch"), Case("destination-unreachable"), Case("dns-trouble"),
        Case("level-not-met"), Case("nothing-to-probe"),
        Case("too-many-keys") with { Shows = "\tcandidate\t" },
    ];

    internal override CliSession Session => network.Session;

    internal override Task BringAsync()
    {
        Serve(
            isSigned: kind is "tlsa-mismatch" or "dnssec-lost" or "pin-beside-dane" or "entry-below-published" or "exemption-outlived",
            isBracketed: kind is "new-key" or "weaker-key" or "pin-mismatch" or "rejected-key-seen" or "starttls-gone");
        switch (kind)
        {
            case "level-not-met":
                Session.Succeed("domain", "add", key, "--level", "encrypt");
                instead = WithoutStartTls;
                break;
            case "pin-beside-dane":
                Pin();
                break;
            case "entry-below-published":
                Session.Succeed("domain", "add", key, "--level", "encrypt");
                break;
            case "exemption-outlived":
                Session.Succeed("domain", "add", key, "--level", "default", "--reason", "their zone is broken");
                Probe();
                Session.Time.Advance(EntryConflicts.LongExemption);
                break;
            case "nothing-to-probe":
                key = ".elsewhere.test";
                network.Dns.AddHost("elsewhere.test", false);
                Session.Succeed("domain", "add", key, "--level", "encrypt");
                break;
            case "pin-in-other-digest":
                var md5 = ProbedNetwork.Seen(Keys[0]).Digest(PinSubject.PublicKey, DigestAlgorithm.Md5).Hex;
                Session.Succeed("domain", "add", key, "--level", "fingerprint", "--match", md5, "--observe");
                break;
            default:
                Pin();
                Change();
                break;
        }

        Probe();
        return Task.CompletedTask;
    }

    internal override Task PassAsync()
    {
        Probe();
        return Task.CompletedTask;
    }

    public override ValueTask DisposeAsync() => network.DisposeAsync();

    private static RemedyCase Case(string kind) => new(kind, () => new ProbeScenario(kind));

    private void Serve(bool isSigned, bool isBracketed)
    {
        network.Serve(connection => instead is null ? FakeSmtpConnection.Polite(() => first)(connection) : instead(connection));
        network.Serve(() => second, "127.0.0.2");
        var domain = network.Domain("partner.test", "mx.partner.test", isSigned, "127.0.0.1");
        network.Dns.AddHost("mx.other.test", false, "127.0.0.2");
        key = isBracketed ? $"[mx.partner.test]:{network.Port}" : domain;
        if (isSigned)
            network.Tlsa("mx.partner.test", Keys[0]);
    }

    private void Pin()
    {
        Session.Succeed("domain", "add", key, "--level", "fingerprint", "--match", ProbedNetwork.KeyPin(Keys[0]));
        if (kind is "pin-held" or "revoked-key-seen")
        {
            Session.Succeed("pin", "add", key, ProbedNetwork.KeyPin(Keys[1]));
            second = Keys[1];
        }

        if (kind == "pin-held")
            network.Dns.AddMx("partner.test", 20, "mx.other.test");
        Probe();
    }

    private void Change()
    {
        switch (kind)
        {
            case "new-key":
                // Two new keys: one line approves both.
                network.Dns.AddHost("mx.partner.test", false, "127.0.0.2");
                (first, second) = (Keys[1], Keys[2]);
                break;
            case "rotating-too-often":
                foreach (var next in Keys[1..3])
                {
                    first = next;
                    Probe();
                    Session.Succeed("pin", "approve", key, ProbedNetwork.KeyPin(next));
                }

                first = Keys[3];
                break;
            case "too-many-keys":
                pause = TimeSpan.FromMinutes(10);
                for (var number = 0; number < 17; number++)
                {
                    first = TestCertificates.SelfSigned("mx.partner.test");
                    Probe();
                }

                first = TestCertificates.SelfSigned("mx.partner.test");
                break;
            case "weaker-key":
                first = Weak;
                break;
            case "rejected-key-seen":
                Session.Succeed("pin", "reject", key, ProbedNetwork.KeyPin(Keys[4]), "--reason", "it's \"stolen\"; $(reboot) `reboot` [x]");
                first = Keys[4];
                break;
            case "revoked-key-seen":
                Session.Succeed("pin", "revoke", key, ProbedNetwork.KeyPin(Keys[1]), "--reason", "stolen");
                first = Keys[1];
                break;
            case "tlsa-mismatch":
                first = Keys[1];
                break;
            case "mx-set-replaced":
                Mx("mx.other.test");
                second = Keys[4];
                break;
            case "dnssec-lost":
                Mx("mx.partner.test");
                break;
            case "starttls-gone":
                instead = WithoutStartTls;
                break;
            case "plaintext-injected":
                instead = Injecting;
                break;
            case "pin-mismatch":
                instead = WithoutHandshake;
                break;
            case "destination-unreachable":
                instead = connection => connection.SendAsync("421 not now\r\n");
                break;
            case "dns-trouble":
                network.Dns.Set("partner.test", FakeDnsServer.Mx, new FakeDnsReply { Code = 2 });
                break;
            case "pin-held":
                Mx("mx.partner.test");
                break;
        }
    }

    private void Mx(string host)
    {
        network.Dns.Set("partner.test", FakeDnsServer.Mx, new FakeDnsReply());
        network.Dns.AddMx("partner.test", 10, host);
    }

    private void Probe()
    {
        Session.Time.Advance(pause);
        Session.Run("probe", key);
    }

    private static async Task WithoutStartTls(FakeSmtpConnection connection)
    {
        await connection.SendAsync("220 mx.example ESMTP\r\n");
        while (await connection.ReadCommandAsync() is { } command)
            await connection.SendAsync(command.StartsWith("QUIT", StringComparison.Ordinal) ? "221 bye\r\n" : "250 mx.example\r\n");
    }

    private static async Task Injecting(FakeSmtpConnection connection)
    {
        await connection.UpToStartTlsAsync();
        await connection.SendAsync("220 go ahead\r\n250 injected\r\n");
        await connection.HandshakeAsync(() => Keys[0], SslProtocols.Tls12);
    }

    private static async Task WithoutHandshake(FakeSmtpConnection connection)
    {
        await connection.UpToStartTlsAsync();
        await connection.SendAsync("220 go ahead\r\n");
        await connection.ReadOctetAsync();
        await connection.SendAsync([0x15, 0x03, 0x01, 0x00, 0x02, 0x02, 0x28]); // a fatal alert: handshake_failure
    }
}
