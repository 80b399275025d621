using System.Security.Cryptography.X509Certificates;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Store;
using PolicyDaemon.Store.Engines;
using PolicyDaemon.Tests.Support;
using Xunit;

namespace PolicyDaemon.Tests.Cli;

/// <summary>Every remedy about a destination that a probe prints, pasted: it settles the finding, or it looks and speaks of the matter.</summary>
public sealed class RemedyTests : IAsyncDisposable
{
    private static readonly X509Certificate2[] Keys = [.. Enumerable.Range(0, 5).Select(_ => TestCertificates.SelfSigned("mx.partner.test"))];
    private static readonly X509Certificate2 Weak = TestCertificates.Create(["mx.partner.test"], selfSigned: true, rsa: true);

    private readonly ProbedNetwork network = new(trusted: true);
    private X509Certificate2 first = Keys[0], second = Keys[0];
    private Func<FakeSmtpConnection, Task>? instead;
    private string key = "";

    public ValueTask DisposeAsync() => network.DisposeAsync();

    public static TheoryData<string> Kinds =>
    [
        "new-key", "rotating-too-often", "weaker-key", "rejected-key-seen", "tlsa-mismatch", "mx-set-replaced", "dnssec-lost", "starttls-gone",
        "plaintext-injected", "pin-mismatch", "destination-unreachable", "dns-trouble", "level-not-met", "pin-held", "pin-in-other-digest",
    ];

    [Theory]
    [MemberData(nameof(Kinds))]
    public async Task A_remedy_settles_its_finding_or_speaks_of_it(string kind)
    {
        Serve(isSigned: kind is "tlsa-mismatch" or "dnssec-lost", isBracketed: kind is "new-key" or "weaker-key" or "pin-mismatch" or "rejected-key-seen" or "starttls-gone");
        Bring(kind);

        var finding = Assert.Single(Open());
        Assert.Equal(kind, finding.Kind.Name());
        Assert.DoesNotContain("KEY", finding.Remedy, StringComparison.Ordinal);
        var words = ShellWords.Of(finding.Remedy);
        Assert.Equal(key, words.First(word => word.Contains("partner.test", StringComparison.Ordinal)));
        var result = network.Session.Run(words[1..]);
        if (words[1] == "check")
        {
            // Mail does not go through as it is, or goes through and somebody should know: both are said.
            Assert.True((int)result.Code is 0 or 1 or 6, $"{result.Code}: {result.Error}");
            Assert.Contains(kind is "dns-trouble" ? "dns-failure" : kind, result.Out.Split('\n').Where(line => line.Contains("\tnote\t", StringComparison.Ordinal) || kind == "dns-trouble").Aggregate("", string.Concat), StringComparison.Ordinal);
            return;
        }

        Assert.True(result.Code == 0, $"{finding.Remedy}: {result.Code} {result.Error}");
        Probe();
        Assert.Empty(Open());
    }

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

    private void Bring(string kind)
    {
        if (kind == "level-not-met")
        {
            network.Session.Succeed("domain", "add", key, "--level", "encrypt");
            instead = WithoutStartTls;
            Probe();
            return;
        }

        if (kind == "pin-in-other-digest")
        {
            var md5 = ProbedNetwork.Seen(Keys[0]).Digest(PinSubject.PublicKey, DigestAlgorithm.Md5).Hex;
            network.Session.Succeed("domain", "add", key, "--level", "fingerprint", "--match", md5, "--observe");
            Probe();
            return;
        }

        network.Session.Succeed("domain", "add", key, "--level", "fingerprint", "--match", ProbedNetwork.KeyPin(Keys[0]));
        if (kind == "pin-held")
        {
            network.Session.Succeed("pin", "add", key, ProbedNetwork.KeyPin(Keys[1]));
            second = Keys[1];
            network.Dns.AddMx("partner.test", 20, "mx.other.test");
        }

        Probe();
        Assert.Empty(Open());
        switch (kind)
        {
            case "new-key":
                network.Dns.AddHost("mx.partner.test", false, "127.0.0.2");
                (first, second) = (Keys[1], Keys[2]);
                break;
            case "rotating-too-often":
                foreach (var next in Keys[1..3])
                {
                    first = next;
                    Probe();
                    network.Session.Succeed("pin", "approve", key, ProbedNetwork.KeyPin(next));
                }

                first = Keys[3];
                break;
            case "weaker-key":
                first = Weak;
                break;
            case "rejected-key-seen":
                network.Session.Succeed("pin", "reject", key, ProbedNetwork.KeyPin(Keys[4]));
                first = Keys[4];
                break;
            case "tlsa-mismatch":
                first = Keys[1];
                break;
            case "mx-set-replaced":
                Mx("mx.other.test");
                second = Keys[4];
                break;
            case "dnssec-lost":
                network.Dns.Set("partner.test", FakeDnsServer.Mx, new FakeDnsReply());
                network.Dns.AddMx("partner.test", 10, "mx.partner.test");
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

        Probe();
    }

    private void Mx(string host)
    {
        network.Dns.Set("partner.test", FakeDnsServer.Mx, new FakeDnsReply());
        network.Dns.AddMx("partner.test", 10, host);
    }

    private void Probe()
    {
        network.Session.Time.Advance(TimeSpan.FromHours(1));
        network.Session.Run("probe", key);
    }

    private List<Finding> Open()
    {
        using var store = PolicyStore.Open(network.Session.Database, StoreAccess.Read, network.Session.Time);
        return [.. store.OpenFindings().Select(open => open.Finding)];
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
        await connection.HandshakeAsync(() => Keys[0], System.Security.Authentication.SslProtocols.Tls12);
    }

    private static async Task WithoutHandshake(FakeSmtpConnection connection)
    {
        await connection.UpToStartTlsAsync();
        await connection.SendAsync("220 go ahead\r\n");
        await connection.ReadOctetAsync();
        await connection.SendAsync([0x15, 0x03, 0x01, 0x00, 0x02, 0x02, 0x28]); // a fatal alert: handshake_failure
    }
}
