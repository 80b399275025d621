using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using PolicyDaemon.Cli.Hosting;
using PolicyDaemon.Tests.Support;
using Xunit;

namespace PolicyDaemon.Tests.Cli;

public sealed class ProbeTests
{
    private static readonly X509Certificate2 Old = TestCertificates.SelfSigned("mx.partner.test");
    private static readonly X509Certificate2 New = TestCertificates.SelfSigned("mx.partner.test");

    [Fact]
    public async Task A_key_that_is_still_there_is_ok_and_its_pin_becomes_active()
    {
        await using var network = new ProbedNetwork();
        var key = Partner(network, () => Old);

        var result = network.Session.Run("probe", key, "--format", "table");

        Assert.Equal(ExitCode.Done, result.Code);
        Assert.Contains("  verdict       ok\n", result.Out, StringComparison.Ordinal);
        Assert.Contains($"  seen          mx.partner.test [127.0.0.1] ECDSA {ProbedNetwork.KeyPin(Old)}\n", result.Out, StringComparison.Ordinal);
        Assert.Contains($"{ProbedNetwork.KeyPin(Old)} standby -> active (first-use): first presented by mx.partner.test [127.0.0.1]\n", result.Out, StringComparison.Ordinal);
        Assert.Contains("\tactive\tperson\t", network.Session.Succeed("pin", "list", key), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_renewed_key_is_a_mismatch_with_expected_beside_seen_and_a_candidate()
    {
        await using var network = new ProbedNetwork();
        var now = Old;
        var key = Partner(network, () => now);
        network.Session.Succeed("probe", key);
        now = New;
        network.Session.Time.Advance(TimeSpan.FromHours(1));

        var result = network.Session.Run("probe", key, "--format", "table");

        Assert.Equal(ExitCode.Negative, result.Code);
        Assert.Contains("  verdict       mismatch\n", result.Out, StringComparison.Ordinal);
        Assert.Contains($"    expected    {ProbedNetwork.KeyPin(Old)}\n", result.Out, StringComparison.Ordinal);
        Assert.Contains($"    seen        {ProbedNetwork.KeyPin(New)} (public key), {ProbedNetwork.CertificatePin(New)} (certificate) at mx.partner.test [127.0.0.1] since", result.Out, StringComparison.Ordinal);
        Assert.Contains($"settle it   policyctl pin approve {key}\n", result.Out, StringComparison.Ordinal);
        Assert.Contains($"{ProbedNetwork.KeyPin(New)} new -> candidate (first-seen)", result.Out, StringComparison.Ordinal);
        Assert.Contains($"{ProbedNetwork.KeyPin(New)}\tsha256\tpublic-key\tcandidate\t-\t", network.Session.Succeed("pin", "list", key), StringComparison.Ordinal);
        Assert.Contains("\"strength\": null", network.Session.Succeed("pin", "list", key, "--format", "json"), StringComparison.Ordinal);
        Assert.Contains("presents a key that is not pinned; every address would be refused: mail waits; compare its fingerprint with the partner over another channel before it is approved\n", result.Out, StringComparison.Ordinal);
        Assert.Contains("new-key", network.Session.Run("status").Out, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(6)]
    [InlineData(24 * 400)]
    public async Task It_connects_whatever_a_clock_that_was_ahead_has_recorded(int hoursAhead)
    {
        await using var network = new ProbedNetwork();
        var now = Old;
        var key = Partner(network, () => now);
        network.Session.Succeed("probe", key);
        var right = network.Session.Time.GetUtcNow();
        network.Session.Time.AdjustTime(right.AddHours(hoursAhead));
        network.Session.Succeed("probe", key);
        network.Session.Time.AdjustTime(right.AddMinutes(10));
        now = New;

        Assert.StartsWith($"{key}\tmismatch\t1/1\t", network.Session.Run("probe", key).Out, StringComparison.Ordinal);
        Assert.Contains($"{ProbedNetwork.KeyPin(New)}\tsha256\tpublic-key\tcandidate\t", network.Session.Succeed("pin", "list", key), StringComparison.Ordinal);
        // What is stored is of the present, too.
        Assert.Contains("mismatch", network.Session.Succeed("domain", "show", key), StringComparison.Ordinal);
    }

    [Fact]
    public async Task It_connects_each_time_even_twice_within_a_second()
    {
        await using var network = new ProbedNetwork();
        var now = Old;
        var key = Partner(network, () => now);
        network.Session.Succeed("probe", key);
        now = New;
        network.Session.Time.Advance(TimeSpan.FromMilliseconds(100));

        Assert.StartsWith($"{key}\tmismatch\t1/1\t", network.Session.Run("probe", key).Out, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Many_are_a_table_with_what_is_to_be_read_below_and_one_connection_serves_all_behind_an_address()
    {
        await using var network = new ProbedNetwork();
        var server = network.Serve(Old);
        foreach (var number in Enumerable.Range(1, 5))
        {
            var key = network.Domain($"d{number}.test", $"mx{number}.test", false, "127.0.0.1");
            network.Session.Succeed("domain", "add", key, "--level", "fingerprint", "--match", ProbedNetwork.KeyPin(number == 5 ? New : Old));
        }

        var result = network.Session.Run("probe", "--all", "--format", "table");

        Assert.Equal(ExitCode.Negative, result.Code);
        var lines = result.Out.Split('\n');
        Assert.StartsWith("KEY", lines[0], StringComparison.Ordinal);
        Assert.StartsWith($"d1.test:{network.Port}  ok        1/1   100        1 active", lines[1], StringComparison.Ordinal);
        Assert.Contains(lines, line => line.StartsWith($"d5.test:{network.Port}  mismatch", StringComparison.Ordinal));
        Assert.Contains($"    expected    {ProbedNetwork.KeyPin(New)}", result.Out, StringComparison.Ordinal);
        // The second asks for a certificate of the other algorithm.
        Assert.Equal(2, server.Connections);
    }

    [Fact]
    public async Task For_a_program_it_is_lines_or_JSON()
    {
        await using var network = new ProbedNetwork();
        var key = Partner(network, () => New);

        Assert.StartsWith($"{key}\tmismatch\t1/1\t100\t1 new candidate\tnew-key\t", network.Session.Run("probe", key).Out, StringComparison.Ordinal);
        using var json = JsonDocument.Parse(network.Session.Run("probe", key, "--format", "json").Out);

        var probe = json.RootElement[0];
        var probed = probe.GetProperty("probed");
        Assert.Equal("mismatch", probed.GetProperty("verdict").GetString());
        Assert.Equal(ProbedNetwork.KeyPin(New), probed.GetProperty("addresses")[0].GetProperty("certificates")[0].GetProperty("public_key_fingerprint").GetString());
        Assert.Equal(ProbedNetwork.KeyPin(Old), probe.GetProperty("findings")[0].GetProperty("expected")[0].GetString());
    }

    [Fact]
    public async Task What_cannot_be_reached_changes_nothing_and_is_inconclusive()
    {
        await using var network = new ProbedNetwork();
        network.Dns.AddMx("gone.test", 10, "mx.gone.test");
        network.Dns.AddHost("mx.gone.test", false, "127.0.0.9");
        network.Session.Succeed("domain", "add", "gone.test:9", "--level", "fingerprint", "--match", ProbedNetwork.KeyPin(Old));

        Assert.Equal(ExitCode.Inconclusive, network.Session.Run("probe", "gone.test:9").Code);
        Assert.Contains("\tstandby\tperson\t", network.Session.Succeed("pin", "list", "gone.test:9"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_entry_that_is_only_observed_is_probed_too()
    {
        await using var network = new ProbedNetwork();
        network.Serve(Old);
        var key = network.Domain("partner.test", "mx.partner.test", false, "127.0.0.1");
        network.Session.Succeed("domain", "add", key, "--level", "secure", "--observe");

        Assert.Equal(ExitCode.Negative, network.Session.Run("probe", key).Code);
    }

    [Fact]
    public async Task What_is_not_configured_and_a_line_that_names_nothing_are_refused()
    {
        await using var network = new ProbedNetwork();

        Assert.Equal(ExitCode.Negative, network.Session.Run("probe", "stranger.test").Code);
        Assert.Equal(ExitCode.Usage, network.Session.Run("probe").Code);
        Assert.Equal(ExitCode.Usage, network.Session.Run("probe", "stranger.test", "--all").Code);
        Assert.Equal(ExitCode.Done, network.Session.Run("probe", "--all").Code);
        Assert.Empty(network.Dns.Questions);
    }

    [Fact]
    public async Task Ctrl_C_keeps_what_was_recorded()
    {
        await using var network = new ProbedNetwork();
        using var interruption = new Interruption();
        var first = Partner(network, () => Old);
        var reached = 0;
        // It hangs, and the person gives up once the first probe is recorded.
        network.Serve(
            async connection =>
            {
                Interlocked.Increment(ref reached);
                while (!network.Session.Run("pin", "list", first).Out.Contains("\tactive\t", StringComparison.Ordinal))
                    await Task.Yield();
                interruption.Interrupt();
                await connection.HangAsync();
            },
            "127.0.0.2");
        var second = network.Domain("slow.test", "mx.slow.test", false, "127.0.0.2");
        network.Session.Succeed("domain", "add", second, "--level", "encrypt");
        network.Session.Interruption = interruption;

        var result = network.Session.Run("probe", "--all", "--format", "tsv");

        Assert.Equal((ExitCode.Inconclusive, 1), (result.Code, reached));
        Assert.StartsWith($"{first}\tok\t", result.Out, StringComparison.Ordinal);
        Assert.Equal("policyctl: interrupted: 1 of 2 were probed; what was seen of those is stored\n", result.Error);
        Assert.Contains("\tactive\t", network.Session.Succeed("pin", "list", first), StringComparison.Ordinal);
    }

    private static string Partner(ProbedNetwork network, Func<X509Certificate2> certificate)
    {
        network.Serve(certificate);
        var key = network.Domain("partner.test", "mx.partner.test", false, "127.0.0.1");
        network.Session.Succeed("domain", "add", key, "--level", "fingerprint", "--match", ProbedNetwork.KeyPin(Old));
        return key;
    }
}
