using PolicyDaemon.Cli.Hosting;
using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Core.Runtime;
using PolicyDaemon.Tests.Support;
using Xunit;

namespace PolicyDaemon.Tests.Cli;

public class DomainTests
{
    [Fact]
    public void A_key_with_the_port_of_TLS_wrappers_is_doubted()
    {
        using var session = new CliSession();

        var result = session.Run("domain", "add", "[mx.example.com]:465", "--level", "secure");

        Assert.Contains("port 465 is for TLS from the first octet (smtp_tls_wrappermode); probes speak STARTTLS", result.Error, StringComparison.Ordinal);
        Assert.Equal(ExitCode.Done, result.Code);
    }

    [Theory]
    [InlineData("as openssl x509 prints it")]
    [InlineData("with its digest")]
    [InlineData("as openssl dgst prints it")]
    [InlineData("in groups of four")]
    public void A_pin_of_a_new_entry_is_written_in_the_forms_that_name_a_pin(string form)
    {
        using var session = new CliSession();

        session.Succeed("domain", "add", "example.com", "--level", "fingerprint", "--match", InForm(CliSession.Pin, form));

        Assert.Contains(CliSession.Pin, session.Succeed("pin", "list", "example.com"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("beginning", "write all of it")]
    [InlineData("base64", "is not hexadecimal; write the fingerprint as openssl x509")]
    public void A_pin_of_a_new_entry_is_a_whole_fingerprint(string form, string why)
    {
        using var session = new CliSession();

        var result = session.Run("domain", "add", "example.com", "--level", "fingerprint", "--match", form == "base64" ? "sha256//r5J0Zx+abcd=" : CliSession.Pin[..16] + "...");

        Assert.Contains(why, result.Error, StringComparison.Ordinal);
        Assert.Equal(ExitCode.Usage, result.Code);
    }

    internal static string InForm(string hex, string form)
    {
        var colons = string.Join(':', hex.ToUpperInvariant().Chunk(2).Select(pair => new string(pair)));
        return form switch
        {
            "as openssl x509 prints it" => "sha256 Fingerprint=" + colons,
            "with its digest" => "sha256:" + hex,
            "as openssl dgst prints it" => "SHA2-256(stdin)= " + hex,
            "in groups of four" => string.Join(' ', hex.Chunk(4).Select(group => new string(group))),
            _ => throw new ArgumentOutOfRangeException(nameof(form)),
        };
    }

    [Fact]
    public void An_entry_cannot_be_observed_and_enforced_at_once()
    {
        using var session = new CliSession();
        session.Succeed("domain", "add", "example.com", "--level", "secure");

        var result = session.Run("domain", "set", "example.com", "--observe", "--enforce", "--reason", "both");

        Assert.Equal("policyctl: --observe and --enforce exclude each other; give one\n", result.Error);
        Assert.Equal(ExitCode.Usage, result.Code);
    }

    [Theory]
    [InlineData("--observe", true)]
    [InlineData("--dry-run", false)]
    public void An_entry_that_is_only_observed_is_said_to_be(string option, bool isObserved)
    {
        using var session = new CliSession();

        var result = session.Run("domain", "add", "[mx.example.com]:587", "--level", "secure", option);

        Assert.Equal(
            isObserved,
            result.Error.Contains(
                "[mx.example.com]:587 is only observed, not enforced: Postfix is told nothing of it. To enforce it: policyctl domain set '[mx.example.com]:587' --enforce\n",
                StringComparison.Ordinal));
        Assert.Equal(ExitCode.Done, result.Code);
    }

    [Theory]
    [InlineData("--level ", "dane-only")]
    [InlineData("--level sec", "secure")]
    [InlineData("--mode ", "assist")]
    [InlineData("--connection-reuse ", "yes")]
    public void The_values_of_an_option_are_completed(string given, string expected)
    {
        using var session = new CliSession();
        var line = $"policyctl domain add example.com {given}";

        var result = session.RunWith(FormattableString.Invariant($"[suggest:{line.Length}]"), line);

        Assert.Contains(expected, result.Out.Split('\n'));
    }

    [Theory]
    [InlineData("export")]
    [InlineData("backup")]
    public void A_file_in_a_directory_that_is_not_there_is_said_so(string verb)
    {
        using var session = new CliSession();
        var missing = Path.Combine(session.Directory, "missing");

        var result = session.Run(verb, Path.Combine(missing, "file"));

        Assert.Equal($"policyctl: {missing}/file: there is no directory {missing}\n", result.Error);
        Assert.Equal(ExitCode.Invalid, result.Code);
    }

    [Fact]
    public void Facts_stay_within_the_width_of_the_terminal()
    {
        using var session = new CliSession { Width = 60 };
        session.Succeed("domain", "add", "example.com", "--level", "secure", "--observe", "--note", string.Join(' ', Enumerable.Repeat("word", 40)));

        var lines = session.Succeed("domain", "show", "example.com", "--format", "table").Split('\n');

        Assert.All(lines, line => Assert.InRange(line.Length, 0, 60));
        Assert.Contains(
            "policyctl domain set example.com --enforce", string.Join(' ', lines.Select(line => line.Trim())), StringComparison.Ordinal);
    }

    [Fact]
    public void Add_shows_the_answer_before_and_after_and_how_to_undo_it()
    {
        using var session = new CliSession();
        using var running = DaemonLock.TryTake(SettingsReader.Load(session.Config).StatusFile);
        session.Terminal = true;
        session.Variables["NO_COLOR"] = "1";

        var result = session.Run("domain", "add", "Example.COM", "--level", "encrypt", "--ciphers", "high");

        Assert.Equal(
            """
            example.com  (new)
              before  (not configured)
              after   encrypt ciphers=high
            change 2; undo with: policyctl undo 2

            """, result.Out);
        Assert.Empty(result.Error);
        Assert.Equal(ExitCode.Done, result.Code);
    }

    [Fact]
    public void On_a_pipe_a_change_is_one_line_of_tabs()
    {
        using var session = new CliSession();
        using var running = DaemonLock.TryTake(SettingsReader.Load(session.Config).StatusFile);

        var result = session.Run("domain", "add", "example.com", "--level", "encrypt");

        Assert.Equal("example.com\tadd\t(not configured)\tencrypt\t2\n", result.Out);
        Assert.Equal("change 2; undo with: policyctl undo 2\n", result.Error);
    }

    [Fact]
    public void A_change_as_json()
    {
        using var session = new CliSession();

        var json = session.Succeed("domain", "add", "example.com", "--level", "encrypt", "--dry-run", "--format", "json");

        Assert.Equal(
            """
            {
              "change": null,
              "head": null,
              "dry_run": true,
              "keys": [
                {
                  "key": "example.com",
                  "action": "add",
                  "before": null,
                  "after": {
                    "kind": "found",
                    "text": "encrypt"
                  },
                  "weakens": [],
                  "until": null,
                  "then": null
                }
              ],
              "warnings": []
            }

            """, json);
    }

    [Fact]
    public void A_dry_run_changes_nothing()
    {
        using var session = new CliSession();

        session.Succeed("domain", "add", "example.com", "--level", "encrypt", "--dry-run");

        Assert.Empty(session.Succeed("domain", "list"));
        Assert.Single(session.Notes); // that of init
    }

    [Fact]
    public void A_committed_change_is_noted_in_the_system_log_with_actor_and_head()
    {
        using var session = new CliSession();
        session.Succeed("domain", "add", "example.com", "--level", "encrypt");

        var head = session.Succeed("audit", "--limit", "1").TrimEnd().Split('\t')[^1];
        Assert.StartsWith($"2 alice (root) {head} domain add example.com --level encrypt", session.Notes[^1], StringComparison.Ordinal);
    }

    [Fact]
    public void List_in_a_table()
    {
        using var session = new CliSession();
        session.Succeed("domain", "add", "b.example", "--level", "fingerprint", "--match", CliSession.Pin, "--note", "ticket 4711");
        session.Succeed("domain", "add", "a.example", "--level", "encrypt", "--observe", "--mode", "locked");

        Assert.Equal(
            """
            KEY        LEVEL        PINS  SERVED    MODE    VERDICT     DAYS LEFT  NOTE
            a.example  encrypt      -     observed  locked  not probed  -
            b.example  fingerprint  1/1   yes       assist  not probed  -          ticket 4711

            """, session.Succeed("domain", "list", "--format", "table"));
    }

    [Fact]
    public void List_takes_a_pattern_and_exits_1_where_nothing_matches()
    {
        using var session = new CliSession();
        session.Succeed("domain", "add", "b.example", "--level", "encrypt");
        session.Succeed("domain", "add", "[b.example]:587", "--level", "encrypt");

        Assert.Equal("[b.example]:587\tencrypt\t-\tyes\tassist\t\tnot probed\t-\t-\t-\t-\n", session.Succeed("domain", "list", "[*"));
        Assert.Equal(ExitCode.Negative, session.Run("domain", "list", "c*").Code);
    }

    [Fact]
    public void Show_lists_attributes_pins_and_the_exact_answer()
    {
        using var session = new CliSession("version = 3.7"); // >= in protocols is for 3.6 and later
        session.Succeed("domain", "add", "münchen.example", "--level", "fingerprint", "--match", CliSession.Pin, "--protocols", ">=TLSv1.2");

        Assert.Equal(
            $"""
            key	xn--mnchen-3ya.example
            unicode	münchen.example
            level	fingerprint
            protocols	>=TLSv1.2
            mode	assist
            answer	fingerprint match={CliSession.Pin} protocols=>=TLSv1.2
            verdict	not probed yet: what mail would meet is not known
            pin	{CliSession.Pin} unknown standby person

            """, session.Run("domain", "show", "MÜNCHEN.example").Out);
    }

    [Fact]
    public void Set_replaces_a_named_attribute_and_keeps_the_others()
    {
        using var session = new CliSession();
        session.Succeed("domain", "add", "example.com", "--level", "secure", "--match", "mx1.example.com", "--match", "mx2.example.com", "--ciphers", "high");

        session.Succeed("domain", "set", "example.com", "--match", "mx1.example.com", "--servername", "hostname");

        Assert.Contains("answer\tsecure match=mx1.example.com ciphers=high servername=hostname\n", session.Succeed("domain", "show", "example.com"), StringComparison.Ordinal);
    }

    [Fact]
    public void Unset_takes_an_attribute_away_with_a_reason_where_that_weakens()
    {
        using var session = new CliSession();
        session.Succeed("domain", "add", "example.com", "--level", "encrypt", "--ciphers", "high");

        Assert.Equal(ExitCode.Usage, session.Run("domain", "set", "example.com", "--unset", "ciphers").Code);
        session.Succeed("domain", "set", "example.com", "--unset", "ciphers", "--reason", "old partner");

        Assert.Contains("answer\tencrypt\n", session.Succeed("domain", "show", "example.com"), StringComparison.Ordinal);
    }

    [Fact]
    public void Any_attribute_of_postfix_can_be_given_by_name()
    {
        using var session = new CliSession("version = 3.12");

        session.Succeed("domain", "add", "example.com", "--level", "encrypt", "--attribute", "policy_type=no-policy-found", "--attribute", "policy_domain=example.com");

        var show = session.Succeed("domain", "show", "example.com");
        Assert.Contains("answer\tencrypt\n", show, StringComparison.Ordinal);
        Assert.Contains("answer on tlspolicy-tlsrpt\tencrypt policy_type=no-policy-found policy_domain=example.com\n", show, StringComparison.Ordinal);
    }

    [Fact]
    public void Lowering_a_level_needs_a_reason_and_names_what_weakens()
    {
        using var session = new CliSession();
        session.Succeed("domain", "add", "example.com", "--level", "secure");

        var refused = session.Run("domain", "set", "example.com", "--level", "encrypt");

        Assert.Equal(ExitCode.Usage, refused.Code);
        Assert.Contains("--reason \"why\"; nothing was changed\n  example.com: ", refused.Error, StringComparison.Ordinal);
        Assert.Contains("answer\tsecure\n", session.Succeed("domain", "show", "example.com"), StringComparison.Ordinal);
        session.Succeed("domain", "set", "example.com", "--level", "encrypt", "--reason", "partner moves");
        Assert.Contains("answer\tencrypt\n", session.Succeed("domain", "show", "example.com"), StringComparison.Ordinal);
    }

    [Fact]
    public void A_dry_run_says_that_a_reason_will_be_needed()
    {
        using var session = new CliSession();
        session.Succeed("domain", "add", "example.com", "--level", "secure");

        var result = session.Run("domain", "remove", "example.com", "--dry-run");

        Assert.Equal(ExitCode.Done, result.Code);
        Assert.Contains("will need --reason", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Observing_an_enforced_entry_needs_a_reason_and_enforcing_it_does_not()
    {
        using var session = new CliSession();
        session.Succeed("domain", "add", "example.com", "--level", "secure");

        Assert.Equal(ExitCode.Usage, session.Run("domain", "set", "example.com", "--observe").Code);
        session.Succeed("domain", "set", "example.com", "--observe", "--reason", "trial");
        Assert.Contains("answer\t(not found)\n", session.Succeed("domain", "show", "example.com"), StringComparison.Ordinal);
        session.Succeed("domain", "set", "example.com", "--enforce");
        Assert.Contains("answer\tsecure\n", session.Succeed("domain", "show", "example.com"), StringComparison.Ordinal);
    }

    [Fact]
    public void Another_form_of_the_same_host_is_said()
    {
        using var session = new CliSession();
        session.Succeed("domain", "add", "mx.example.com", "--level", "encrypt");

        var result = session.Run("domain", "add", "[mx.example.com]:587", "--level", "encrypt");

        Assert.Contains("[mx.example.com]:587: mx.example.com is configured too; to Postfix these are different keys", result.Error, StringComparison.Ordinal);
        Assert.Contains(
            "[mx.example.com] is not configured; [mx.example.com]:587, mx.example.com is, which is another key to Postfix",
            session.Run("domain", "show", "[mx.example.com]").Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_bare_entry_silences_the_reminder_of_a_subdomain_entry()
    {
        using var session = new CliSession();

        Assert.Contains("answers for subdomains only", session.Run("domain", "add", ".a.example", "--level", "encrypt").Error, StringComparison.Ordinal);
        session.Succeed("domain", "add", "b.example", "--level", "encrypt");
        Assert.DoesNotContain("answers for subdomains only", session.Run("domain", "add", ".b.example", "--level", "encrypt").Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Setting_what_is_so_already_makes_no_change()
    {
        using var session = new CliSession();
        session.Succeed("domain", "add", "example.com", "--level", "encrypt");

        var result = session.Run("domain", "set", "example.com", "--level", "encrypt");

        Assert.Equal(ExitCode.Done, result.Code);
        Assert.Equal("example.com\tnone\tencrypt\tencrypt\t-\n", result.Out);
        Assert.Equal("Nothing to change: it is so already.\n", result.Error);
    }

    [Fact]
    [Trait(Engine.Name, Engine.Sqlite)]
    public void An_entry_that_cannot_be_read_can_be_removed_as_its_message_says()
    {
        using var session = new CliSession();
        session.Succeed("domain", "add", "example.com", "--level", "secure");
        using (var connection = new Microsoft.Data.Sqlite.SqliteConnection($"Data Source={session.Database};Pooling=False"))
        {
            connection.Open();
            using var command = connection.CreateCommand();
            command.CommandText = "UPDATE destination SET level = 'halfdane'";
            command.ExecuteNonQuery();
        }

        Assert.Contains("remove it and add it again", session.Run("domain", "show", "example.com").Error, StringComparison.Ordinal);
        Assert.Equal(ExitCode.Usage, session.Run("domain", "remove", "example.com").Code);
        Assert.Contains("(temporary error: the entry of this destination cannot be read)", session.Succeed("domain", "remove", "example.com", "--reason", "mended"), StringComparison.Ordinal);
        session.Succeed("domain", "add", "example.com", "--level", "secure");
    }
}
