using System.Security.Cryptography.X509Certificates;
using System.Text.Json;
using PolicyDaemon.Cli.Hosting;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Findings;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Store;
using PolicyDaemon.Store.Engines;
using PolicyDaemon.Tests.Support;
using Xunit;

namespace PolicyDaemon.Tests.Cli;

/// <summary><c>pin approve</c> without a fingerprint, as somebody meets it at night: old and new beside each other, a verdict, and the question.</summary>
public sealed class PinReviewTests : IAsyncDisposable
{
    private const string Host = "mx.partner.test";

    private static readonly DateTimeOffset Now = TestCertificates.Now;
    private static readonly X509Certificate2 Old = TestCertificates.Create([Host], selfSigned: false, notBefore: Now.AddDays(-81), notAfter: Now.AddDays(9));
    private static readonly X509Certificate2 New = TestCertificates.Create([Host], selfSigned: false, notBefore: Now.AddDays(-1), notAfter: Now.AddDays(89));
    private static readonly X509Certificate2 Stranger = TestCertificates.Create([Host], selfSigned: true, notBefore: Now.AddDays(-1));

    private readonly ProbedNetwork network = new();
    private X509Certificate2 shown = Old;
    private string key = "";

    public ValueTask DisposeAsync() => network.DisposeAsync();

    [Fact]
    public void A_renewal_is_shown_beside_the_old_certificate_and_approved_with_a_yes()
    {
        Partner();
        Rotate(New);
        AtTerminal("yes\n");

        var result = network.Session.Run("pin", "approve", key);

        Assert.Equal(ExitCode.Done, result.Code);
        Assert.Contains(
            $"verdict looks like a renewal: same CA (CN=Test root); same name ({Host}); the old certificate ends in 8 days That is likely and no proof",
            Flat(result.Out), StringComparison.Ordinal);
        Assert.Matches(@"TRUSTED NOW +NEW\n", result.Out);
        Assert.Matches(@"  issuer +CN=Test root +CN=Test root\n", result.Out);
        Assert.Matches(@"  valid +2026-09-03 to 2026-12-02 +2026-11-22 to 2027-02-20\n  ends +in 8 days +in 88 days\n", result.Out);
        Assert.Contains($"Approve this key for {key}? [yes/no] ", result.Error, StringComparison.Ordinal);
        Assert.Contains("undo with: policyctl undo", result.Out, StringComparison.Ordinal);
        Assert.Equal(PinState.Active, StateOf(key, New));
        Assert.Contains($" {ProbedNetwork.KeyPin(New)}\",", network.Session.Succeed("audit", key, "--format", "json"), StringComparison.Ordinal);
    }

    [Fact]
    public void Nothing_is_wider_than_the_screen_and_no_fingerprint_is_broken_but_where_it_is_read_out()
    {
        Partner();
        Rotate(Stranger);
        AtTerminal("no\n");

        var result = network.Session.Run("pin", "approve", key);

        Assert.All(result.Out.Split('\n'), line => Assert.True(line.Length <= 80, line));
        var seen = ProbedNetwork.Seen(Stranger);
        var groups = string.Join(' ', ProbedNetwork.KeyPin(Stranger).Chunk(4).Select(digits => new string(digits)));
        var colons = seen.Digest(PinSubject.Certificate, DigestAlgorithm.Sha256).ToDisplayString();
        var lines = string.Join('\n', result.Out.Split('\n').Select(line => line.Trim()));
        Assert.Contains($"public key   {groups[..39]}\n{groups[40..]}\n", lines, StringComparison.Ordinal);
        Assert.Contains($"certificate  {colons[..48]}\n{colons[48..]}\n", lines, StringComparison.Ordinal);
        Assert.Contains($"openssl s_client -starttls smtp -noservername \\\n-connect {Host}:{network.Port} \\\n", lines, StringComparison.Ordinal);
        Assert.Contains("openssl x509 -noout -fingerprint -sha256\n", lines, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("no\n")]
    [InlineData("n\n")]
    [InlineData("")]
    [InlineData("y\ny\ny\ny\ny\n")]
    [InlineData("\n\n\n\n\n\n\n")]
    public void Whatever_is_no_yes_changes_nothing(string answer)
    {
        Partner();
        Rotate(Stranger);
        AtTerminal(answer);

        var result = network.Session.Run("pin", "approve", key);

        Assert.Equal(ExitCode.Negative, result.Code);
        Assert.EndsWith("policyctl: not approved; nothing was changed\n", result.Error, StringComparison.Ordinal);
        Assert.Equal(PinState.Candidate, StateOf(key, Stranger));
    }

    [Fact]
    public void A_self_signed_key_in_the_place_of_a_trusted_one_looks_odd_and_is_not_pushed()
    {
        Partner();
        Rotate(Stranger);

        var result = network.Session.Run("pin", "approve", key, "--format", "table");

        Assert.Equal(ExitCode.Negative, result.Code);
        Assert.Contains("odd: it is self-signed, and the chain of the old one was trusted", result.Out, StringComparison.Ordinal);
        Assert.Contains("Do not approve it before the partner has read you its fingerprint", result.Out, StringComparison.Ordinal);
        Assert.Contains($"look first: policyctl check {key}", result.Out, StringComparison.Ordinal);
        Assert.DoesNotContain($"policyctl pin approve {key}", result.Out, StringComparison.Ordinal);
    }

    [Fact]
    public void A_key_of_another_algorithm_is_not_said_to_stand_beside_the_old_one()
    {
        Partner();
        Rotate(TestCertificates.Create([Host], selfSigned: false, rsa: true, notBefore: Now.AddDays(-1)));
        var weak = network.Session.Run("pin", "approve", key, "--format", "json");

        using var document = JsonDocument.Parse(weak.Out);
        var one = Assert.Single(document.RootElement.GetProperty("keys").EnumerateArray());
        // RSA 2048 is weaker than P-256, which alone makes it odd; nothing is said of the old key that was not seen.
        Assert.Equal("odd", one.GetProperty("verdict").GetString());
        Assert.Contains("112 bits", Assert.Single(one.GetProperty("against").EnumerateArray()).GetString(), StringComparison.Ordinal);
        Assert.All(one.GetProperty("unknown").EnumerateArray(), missing => Assert.Contains("may be there besides", missing.GetString(), StringComparison.Ordinal));
    }

    [Fact]
    public void Without_a_terminal_the_fingerprint_is_named_and_nothing_is_approved()
    {
        Partner();
        Rotate(New);

        var result = network.Session.Run("pin", "approve", key);
        var json = network.Session.Run("pin", "approve", key, "--format", "json");
        var tried = network.Session.Run("pin", "approve", key, "--dry-run");

        Assert.Equal((ExitCode.Negative, ExitCode.Negative, ExitCode.Done), (result.Code, json.Code, tried.Code));
        Assert.StartsWith($"{key}\t{ProbedNetwork.KeyPin(New)}\trenewal\tlooks like a renewal: ", result.Out, StringComparison.Ordinal);
        Assert.Equal($"Nothing was changed. To approve it: policyctl pin approve {key} {ProbedNetwork.KeyPin(New)}\n", result.Error);
        using var document = JsonDocument.Parse(json.Out);
        var one = Assert.Single(document.RootElement.GetProperty("keys").EnumerateArray());
        Assert.Equal("renewal", one.GetProperty("verdict").GetString());
        Assert.Equal(ProbedNetwork.CertificatePin(New), one.GetProperty("new").GetProperty("certificate_fingerprint").GetString());
        Assert.Equal(ProbedNetwork.CertificatePin(Old), one.GetProperty("old").GetProperty("certificate_fingerprint").GetString());
        Assert.Contains("openssl s_client", one.GetProperty("partner_text").GetString(), StringComparison.Ordinal);
        Assert.Equal(PinState.Candidate, StateOf(key, New));
    }

    [Fact]
    public void Where_a_finding_does_not_exclude_an_attack_the_reason_is_asked_for()
    {
        Partner();
        network.Session.Succeed("pin", "reject", key, ProbedNetwork.KeyPin(Stranger));
        network.Serve(Stranger, "127.0.0.2");
        network.Dns.AddHost(Host, false, "127.0.0.2");
        Rotate(New);
        AtTerminal("yes\n\n");
        var given = network.Session.Run("pin", "approve", key);
        AtTerminal("yes\nthe partner read it out\n");

        var result = network.Session.Run("pin", "approve", key);

        Assert.Equal((ExitCode.Negative, ExitCode.Done), (given.Code, result.Code));
        Assert.Contains("verdict odd: rejected-key-seen: ", Flat(result.Out), StringComparison.Ordinal);
        Assert.Contains("verdict odd: - it was rejected here on 2026-11-23 - rejected-key-seen: ", Flat(result.Out), StringComparison.Ordinal);
        Assert.Contains("A key that was rejected for", result.Out, StringComparison.Ordinal);
        Assert.Contains("weakens: somebody else may answer in the place of", result.Out, StringComparison.Ordinal);
        Assert.Contains("This takes a reason (kept in the audit log; empty: change nothing): ", result.Error, StringComparison.Ordinal);
        Assert.Contains("the partner read it out", network.Session.Succeed("audit", key, "--format", "json"), StringComparison.Ordinal);
        Assert.Equal((PinState.Active, PinState.Rejected), (StateOf(key, New), StateOf(key, Stranger)));
    }

    [Theory]
    [InlineData("3\n2\n", 1)]
    [InlineData("yes\nall\n", 2)]
    [InlineData("1 2\nno\n", 0)]
    public void Of_several_keys_one_or_all_are_approved(string answers, int approved)
    {
        Partner("127.0.0.1", "127.0.0.2");
        network.Serve(Stranger, "127.0.0.2");
        Rotate(New);
        AtTerminal(answers);

        var result = network.Session.Run("pin", "approve", key);

        Assert.Equal(approved == 0 ? ExitCode.Negative : ExitCode.Done, result.Code);
        Assert.Contains($"Approve which for {key}? [1/2/all/no] ", result.Error, StringComparison.Ordinal);
        Assert.Equal(approved, new[] { New, Stranger }.Count(one => StateOf(key, one) == PinState.Active));
    }

    [Fact]
    public void Where_no_key_waits_it_says_so()
    {
        Partner();

        var result = network.Session.Run("pin", "approve", key);
        network.Session.Succeed("domain", "add", "b.example", "--level", "secure");

        Assert.Equal(ExitCode.Negative, result.Code);
        Assert.Equal($"policyctl: no key waits for a decision at {key}; to look again: policyctl probe {key}\n", result.Error);
        Assert.Contains("which takes no pins", network.Session.Run("pin", "approve", "b.example").Error, StringComparison.Ordinal);
        Assert.Equal(ExitCode.Negative, network.Session.Run("pin", "approve", "nobody.example").Code);
        Assert.Equal(ExitCode.Usage, network.Session.Run("pin", "approve", "*.test").Code);
        Assert.Equal(ExitCode.Usage, network.Session.Run("pin", "approve", "*.test", ProbedNetwork.KeyPin(New), "--everywhere").Code);
    }

    [Fact]
    public void Everywhere_is_every_destination_that_shows_it_at_the_same_hosts_in_one_change()
    {
        Partner();
        var (other, third, elsewhere) = (Customer("customer.test", Host), Customer("third.test", Host), Customer("elsewhere.test", "mx.elsewhere.test"));
        Rotate(New, other, third, elsewhere);
        network.Session.Succeed("pin", "reject", third, ProbedNetwork.KeyPin(New));
        network.Session.Time.Advance(TimeSpan.FromSeconds(1));

        var tried = network.Session.Run("pin", "approve", key, ProbedNetwork.KeyPin(New)[..10], "--everywhere", "--dry-run");
        var json = network.Session.Run("pin", "approve", key, "--dry-run", "--format", "json");
        var done = network.Session.Run("pin", "approve", key, ProbedNetwork.KeyPin(New)[..10], "--everywhere");

        Assert.Equal([key, other], Keys(tried.Out));
        Assert.Contains($"Also by 1 other destination at the same MX hosts: {other}\n", tried.Error, StringComparison.Ordinal);
        using (var document = JsonDocument.Parse(json.Out))
            Assert.Equal([other], document.RootElement.GetProperty("keys")[0].GetProperty("also_by").EnumerateArray().Select(one => one.GetString()));
        Assert.Equal([key, other], Keys(done.Out));
        Assert.Single(done.Out.TrimEnd('\n').Split('\n').Select(row => row.Split('\t')[^1]).Distinct());
        Assert.Equal(
            (PinState.Active, PinState.Active, PinState.Rejected, PinState.Candidate),
            (StateOf(key, New), StateOf(other, New), StateOf(third, New), StateOf(elsewhere, New)));
        network.Session.Succeed("undo", done.Out.TrimEnd('\n').Split('\t')[^1], "--reason", "a slip");
        Assert.Equal((PinState.Candidate, PinState.Candidate), (StateOf(key, New), StateOf(other, New)));
    }

    [Fact]
    public void Everywhere_is_asked_about_at_a_terminal_after_the_list()
    {
        Partner();
        var other = Customer("customer.test", Host);
        Rotate(New, other);
        Assert.Contains("2 destinations show the same new key at mx.partner.test; one decision for all of them", network.Session.Run("status", "--kind", "new-key", "--format", "table").Out, StringComparison.Ordinal);
        Assert.Contains(" --everywhere\n", network.Session.Run("status", "--kind", "new-key", "--format", "table").Out, StringComparison.Ordinal);
        AtTerminal("everywhere\n");

        var result = network.Session.Run("pin", "approve", key, "--dry-run");
        var asked = network.Session.Run("pin", "approve", key);

        Assert.Contains($"also at  {other}: ", result.Out, StringComparison.Ordinal);
        Assert.Contains("(everywhere: for the 1 other destination, too)? [yes/everywhere/no] ", asked.Error, StringComparison.Ordinal);
        Assert.Equal((PinState.Active, PinState.Active), (StateOf(key, New), StateOf(other, New)));
        Assert.Contains($"{ProbedNetwork.KeyPin(New)} --everywhere\"", network.Session.Succeed("audit", other, "--format", "json"), StringComparison.Ordinal);
        network.Session.Succeed("undo", "8", "--reason", "again");
        AtTerminal("no\n");
        var refused = network.Session.Run("pin", "approve", key, ProbedNetwork.KeyPin(New), "--everywhere");
        Assert.Contains($"Approve for {key} and this one? [yes/no] ", refused.Error, StringComparison.Ordinal);
        Assert.Equal((ExitCode.Negative, PinState.Candidate), (refused.Code, StateOf(other, New)));
    }

    [Fact]
    public void Everywhere_is_judged_entry_by_entry_and_refused_as_a_whole()
    {
        Partner();
        var other = Customer("customer.test", Host);
        Rotate(New, other);
        using (var store = PolicyStore.Open(network.Session.Store, StoreAccess.Write, network.Session.Time))
            store.RaiseFinding(new Finding(FindingKind.DnssecLost, other, "was secure", $"policyctl check {other}", network.Session.Time.GetUtcNow()));

        var refused = network.Session.Run("pin", "approve", key, ProbedNetwork.KeyPin(New), "--everywhere");

        Assert.Equal(ExitCode.Usage, refused.Code);
        Assert.Contains($"somebody else may answer in the place of {other}", refused.Error, StringComparison.Ordinal);
        Assert.Equal((PinState.Candidate, PinState.Candidate), (StateOf(key, New), StateOf(other, New)));
        network.Session.Succeed("pin", "approve", key, ProbedNetwork.KeyPin(New), "--everywhere", "--reason", "both confirmed it");
    }

    /// <summary>On one line, whatever the width.</summary>
    private static string Flat(string text) => string.Join(' ', text.Split([' ', '\n'], StringSplitOptions.RemoveEmptyEntries));

    private static IEnumerable<string> Keys(string rows) => rows.TrimEnd('\n').Split('\n').Select(row => row.Split('\t')[0]);

    /// <summary>A pinned partner whose server was seen with the old certificate.</summary>
    private void Partner(params string[] addresses)
    {
        network.Serve(() => shown);
        key = network.Domain("partner.test", Host, secure: false, addresses.Length == 0 ? ["127.0.0.1"] : addresses);
        network.Session.Succeed("domain", "add", key, "--level", "fingerprint", "--match", ProbedNetwork.KeyPin(Old));
        if (addresses.Length == 0)
            Probe(key);
    }

    private string Customer(string name, string host)
    {
        var customer = network.Domain(name, host, secure: false, "127.0.0.1");
        network.Session.Succeed("domain", "add", customer, "--level", "fingerprint", "--match", ProbedNetwork.KeyPin(Old));
        Probe(customer);
        return customer;
    }

    private void Rotate(X509Certificate2 next, params string[] others)
    {
        shown = next;
        network.Session.Time.Advance(TimeSpan.FromHours(1));
        foreach (var one in others.Prepend(key))
            Probe(one);
    }

    private void Probe(string one)
    {
        network.Session.Time.Advance(TimeSpan.FromMinutes(1));
        network.Session.Run("probe", one);
    }

    private void AtTerminal(string input)
    {
        network.Session.Variables["NO_COLOR"] = "1";
        (network.Session.Person, network.Session.Terminal, network.Session.Width, network.Session.Input) = (true, true, 80, input);
    }

    private PinState? StateOf(string one, X509Certificate2 certificate)
    {
        using var store = PolicyStore.Open(network.Session.Store, StoreAccess.Read, network.Session.Time);
        return store.Find(NextHop.Parse(one))!.Pins.FirstOrDefault(pin => pin.Fingerprint.Hex == ProbedNetwork.KeyPin(certificate))?.State;
    }

    [Fact]
    public async Task Keys_beyond_those_that_are_compared_are_not_said_to_be_shown_by_nobody()
    {
        await using var many = new ProbedNetwork();
        string[] addresses = [.. Enumerable.Range(1, 10).Select(number => string.Create(System.Globalization.CultureInfo.InvariantCulture, $"127.0.0.{number}"))];
        foreach (var address in addresses)
            many.Serve(TestCertificates.SelfSigned("mx.many.test"), address);
        var several = many.Domain("many.test", "mx.many.test", false, addresses);
        many.Session.Succeed("domain", "add", several, "--level", "fingerprint", "--match", CliSession.Pin);
        many.Session.Run("probe", several);

        var text = Flat(many.Session.Run("pin", "approve", several, "--format", "table").Out);

        Assert.Contains($"2 more keys that are shown now: policyctl pin list {several}", text, StringComparison.Ordinal);
        Assert.DoesNotContain("which no server shows now", text, StringComparison.Ordinal);
    }
}
