using PolicyDaemon.Cli.Hosting;
using PolicyDaemon.Cli.Setup.Checks;
using PolicyDaemon.Cli.Setup.Postfix;
using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Core.Policies;
using Xunit;

namespace PolicyDaemon.Tests.Cli;

/// <summary>What the rows of a table kept by hand still decide, counted by <c>setup</c>, and the command that it goes on with.</summary>
public sealed class SetupOlderTableTests : IDisposable
{
    private const string Ours = "socketmap:inet:127.0.0.1:8461:tlspolicy";
    private const string Sha1 = "09:16:54:5E:CB:B3:7F:0B:E4:73:64:60:69:AA:4F:72:00:4F:0F:1C";

    private readonly CliSession session = new();
    private readonly string source;

    public SetupOlderTableTests() => source = session.Write("tls_policy", $".a.example fingerprint match={Sha1}\n.b.example secure\nc.example encrypt\n");

    private string Table => "hash:" + source;

    public void Dispose() => session.Dispose();

    [Fact]
    public void Rows_without_an_entry_are_counted_and_come_in_before_anything_is_switched_over()
    {
        var result = Setup(Table, "sha1");

        Assert.Equal(ExitCode.Negative, result.Code);
        Assert.Contains($"does not ask policyd; of the 3 rows of {Table} 3 have no entry here", result.Out, StringComparison.Ordinal);
        Assert.Contains($"with sha256 in Postfix 1 row of {Table} has its pins in another digest than sha256 and would match nothing: its mail would wait", result.Out, StringComparison.Ordinal);
        Assert.DoesNotContain("postconf -e 'smtp_tls_policy_maps", result.Out, StringComparison.Ordinal);
        Assert.DoesNotContain("postconf -e 'smtp_tls_fingerprint_digest", result.Out, StringComparison.Ordinal);
        Assert.EndsWith($"Next: policyctl import --probe --dry-run {source}\n", result.Error, StringComparison.Ordinal);
    }

    /// <summary>Postfix has one digest for all maps: with ours the old rows' mail would wait, with theirs our pins'.</summary>
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Nothing_is_switched_over_while_pins_of_the_old_table_would_match_nothing(bool isAskedFirst)
    {
        Add(".a.example", "--level", "fingerprint", "--match", Sha1, "--observe");
        Add(".b.example", "--level", "secure", "--servername", "hostname");
        Add("c.example", "--level", "encrypt");
        var maps = isAskedFirst ? $"{Table}, {Ours}" : Table;

        var result = Setup(maps, "sha1", "--apply");

        Assert.Equal((maps, "sha1", 0), (session.Postfix.Text!.Value("smtp_tls_policy_maps"), session.Postfix.Text.Value("smtp_tls_fingerprint_digest"), session.Postfix.Reloads));
        Assert.Contains("1 has an entry here that is not enforced", Setup(Table, "sha1").Out, StringComparison.Ordinal);
        Assert.EndsWith("Next: policyctl probe .a.example\n", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void An_observed_entry_with_a_pin_in_our_digest_is_enforced_next()
    {
        Add(".a.example", "--level", "fingerprint", "--match", CliSession.Pin, "--observe");
        Add(".b.example", "--level", "secure", "--servername", "hostname");
        Add("c.example", "--level", "encrypt");

        Assert.EndsWith("Next: policyctl domain set .a.example --enforce\n", Setup(Table, "sha1").Error, StringComparison.Ordinal);

        var enforced = session.Run("domain", "set", ".a.example", "--enforce");
        Assert.EndsWith("Next: policyctl setup\n", enforced.Error, StringComparison.Ordinal);
        Assert.EndsWith("Next: policyctl setup --apply\n", Setup(Table, "sha1").Error, StringComparison.Ordinal);
    }

    /// <summary>A probe that has just met nobody is not proposed again as if it were the way on.</summary>
    [Fact]
    public void A_partner_who_is_not_there_is_told_of_with_what_goes_on_without_them()
    {
        Add(".a.example", "--level", "fingerprint", "--match", Sha1, "--observe");
        Add(".b.example", "--level", "secure", "--servername", "hostname");
        Add("c.example", "--level", "encrypt");
        var before = Setup(Table, "sha1");
        Assert.EndsWith("Next: policyctl probe .a.example\n", before.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("out-of-reach", before.Out, StringComparison.Ordinal);

        session.Run("probe", ".a.example");
        var after = Setup(Table, "sha1");

        Assert.Contains(
            "warning\tout-of-reach\t.a.example: the last probe met no server, so that its pin is not carried over to sha256 yet. Every other row can come in meanwhile, and Postfix is switched over after that.",
            after.Out, StringComparison.Ordinal);
        Assert.Contains("policyctl pin add .a.example FINGERPRINT", after.Out, StringComparison.Ordinal);
        Assert.Contains("Once a server answers:\tpolicyctl probe .a.example\n", after.Out, StringComparison.Ordinal);
        Assert.DoesNotContain("Next: policyctl probe", after.Error, StringComparison.Ordinal);
        // Whose digest is the same already is switched over without him.
        Assert.EndsWith("Next: policyctl setup --apply\n", Setup(Table, "sha256").Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_table_behind_us_whose_rows_are_all_here_is_taken_out_next()
    {
        Add(".a.example", "--level", "fingerprint", "--match", CliSession.Pin);
        Add(".b.example", "--level", "secure", "--servername", "hostname");
        Add("c.example", "--level", "encrypt");
        using var running = StatusTests.Run(session, "store", 1);

        var result = Setup($"{Ours}, {Table}", "sha256");

        Assert.Contains($"warning\tpolicy-map\t{Table} is asked behind us and decides nothing any more: each of its 3 rows has an entry here that is enforced; take it out\t", result.Out, StringComparison.Ordinal);
        Assert.EndsWith($"Next: postconf -e 'smtp_tls_policy_maps = {Ours}' && postfix reload && policyctl setup\n", result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("Next:", Setup(Ours, "sha256").Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(2, false)]
    [InlineData(3, true)]
    public void A_table_of_which_not_every_row_was_compared_is_not_taken_out(int mostRows, bool isSettled)
    {
        var settings = SettingsReader.Load(session.Config);
        var table = OlderTable.Read(
            Table, settings, key => new Destination { Key = key, Policy = new TlsPolicy { Level = TlsLevel.Encrypt } }, _ => null, session.Time, mostRows)!;

        Assert.Equal((0, isSettled), (table.Deciding, table.IsSettled));
        if (!isSettled)
            Assert.Contains("only the first 2 rows were compared", OlderTableText.Deciding(table, "sha256"), StringComparison.Ordinal);
    }

    /// <summary>In another digest than Postfix compares: their mail waits now.</summary>
    [Fact]
    public void Rows_behind_us_that_match_nothing_are_a_problem_and_others_are_not_taken_out_while_they_decide()
    {
        Add(".b.example", "--level", "default", "--reason", "as main.cf says");
        Add("c.example", "--level", "encrypt");

        var result = Setup($"{Ours}, {Table}", "sha256");

        Assert.Contains(
            $"problem\tpolicy-map\t{Table} is asked behind us, and 2 of its 3 rows still decide: 1 has no entry here and 1 has one that is not enforced; 1 row of {Table} has its pins in another digest than sha256 and would match nothing: its mail would wait\tpolicyctl import --probe --dry-run {source}\n",
            result.Out, StringComparison.Ordinal);

        session.Write("tls_policy", ".a.example encrypt\n.b.example secure\n");
        var harmless = Setup($"{Ours}, {Table}", "sha256");
        Assert.Contains($"warning\tpolicy-map\t{Table} is asked behind us, and 2 of its 2 rows still decide", harmless.Out, StringComparison.Ordinal);
        Assert.DoesNotContain($"postconf -e 'smtp_tls_policy_maps = {Ours}'", harmless.Out + harmless.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("hash:/nowhere/tls_policy")]
    [InlineData("ldap:/etc/postfix/policies.cf")]
    public void A_table_that_cannot_be_read_may_decide_about_everything(string table)
    {
        var result = Setup($"{Ours}, {table}", "sha256");

        Assert.Contains($"warning\tpolicy-map\t{table} is asked for whatever has no entry here", result.Out, StringComparison.Ordinal);
    }

    [Fact]
    public void A_row_that_nobody_can_read_has_no_entry_here()
    {
        session.Write("tls_policy", "c.example encrypt\nd.example fingerprnt\n");
        Add("c.example", "--level", "encrypt");

        Assert.Contains("1 of its 2 rows still decides: 1 has no entry here", Setup($"{Ours}, {Table}", "sha256").Out, StringComparison.Ordinal);
    }

    [Fact]
    public void An_import_goes_from_what_is_refused_to_what_would_be_done_to_what_is_done_to_setup()
    {
        session.Postfix.Text = new PostconfText(("smtp_tls_policy_maps", Table), ("smtp_tls_fingerprint_digest", "sha1"));

        var refused = session.RunWith("import", source, "--dry-run", "--config", session.Config);
        Assert.Equal(ExitCode.Invalid, refused.Code);
        Assert.EndsWith($"Next: policyctl import --probe --dry-run {source} --config {session.Config}\n", refused.Error, StringComparison.Ordinal);

        var observed = session.RunWith("import", "--unservable", "observe", "--dry-run", source, "--config", session.Config);
        Assert.EndsWith($"Next: policyctl import --unservable observe {source} --config {session.Config}\n", observed.Error, StringComparison.Ordinal);

        var done = session.RunWith("import", "--unservable", "observe", source, "--config", session.Config);
        Assert.Equal(ExitCode.Done, done.Code);
        Assert.EndsWith($"Next: policyctl --config {session.Config} setup\n", done.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_mistake_in_the_table_has_no_next_command()
    {
        session.Write("tls_policy", $".a.example fingerprint match={Sha1}\nd.example fingerprnt\n");

        Assert.DoesNotContain("Next:", session.Run("import", source).Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_new_store_goes_on_with_the_postfix_that_is_there()
    {
        using var fresh = new CliSession(init: false) { Terminal = true };
        fresh.Postfix.Text = new PostconfText(("smtp_tls_policy_maps", Table));

        Assert.EndsWith("Next: policyctl setup\n", fresh.Succeed("init"), StringComparison.Ordinal);
    }

    private void Add(params string[] words) => session.Succeed(["domain", "add", .. words]);

    private CliResult Setup(string maps, string digest, params string[] options)
    {
        session.Postfix.Text = new PostconfText(
            ("config_directory", session.Directory), ("smtp_tls_policy_maps", maps), ("smtp_tls_fingerprint_digest", digest));
        return session.Run(["setup", .. options]);
    }
}
