using PolicyDaemon.Core.Findings;
using PolicyDaemon.Store;
using PolicyDaemon.Store.Engines;
using Xunit;

namespace PolicyDaemon.Tests.Cli;

/// <summary>A command that is shown is about the configuration, store and Postfix that the caller named.</summary>
public sealed class GivenOptionsTests : IDisposable
{
    private readonly CliSession session = new();

    public GivenOptionsTests()
    {
        using var store = PolicyStore.Open(session.Store, StoreAccess.Write, session.Time);
        store.RaiseFinding(new Finding(FindingKind.NewKey, "a.example", "a key", "policyctl pin approve a.example", session.Time.GetUtcNow()));
    }

    private string Config => $"--config {session.Config}";

    public void Dispose() => session.Dispose();

    [Fact]
    public void What_a_command_says_to_run_next_names_the_configuration_that_it_was_given()
    {
        Given("domain", "add", "a.example", "--level", "encrypt");

        Assert.Contains($"undo with: policyctl {Config} undo 3\n", Given("domain", "set", "a.example", "--note", "x").Out, StringComparison.Ordinal);
        Assert.Contains($"    policyctl {Config} pin approve a.example\n", Given("status").Out, StringComparison.Ordinal);
        Assert.Contains($"policyctl {Config} status --all (or KEY, or --kind KIND); what a kind means: policyctl {Config} explain finding KIND", Given("status").Out, StringComparison.Ordinal);
        Assert.Contains($"its history: policyctl {Config} audit a.example", Given("explain", "a.example").Out, StringComparison.Ordinal);
    }

    [Fact]
    public void A_refusal_names_it_too()
    {
        Assert.Contains($"policyctl {Config} domain list shows what is", Given("domain", "set", "b.example", "--note", "x").Error, StringComparison.Ordinal);
        Assert.Contains($"make one with 'policyctl --config {session.Config} --database {session.Directory}/none init'", Given("domain", "list", "--database", session.Directory + "/none").Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_program_gets_it_in_the_column_of_commands_and_its_data_as_they_are_stored()
    {
        Given("domain", "add", "b.example", "--level", "encrypt", "--note", "see policyctl explain b.example");

        Assert.Contains($"\tpolicyctl {Config} pin approve a.example\t", session.RunWith("status", "--config", session.Config).Out, StringComparison.Ordinal);
        Assert.Contains("\tsee policyctl explain b.example\t", session.RunWith("domain", "list", "--config", session.Config).Out, StringComparison.Ordinal);
        Assert.Contains("\"policyctl pin approve a.example\"", session.RunWith("status", "--format", "json", "--config", session.Config).Out, StringComparison.Ordinal);
    }

    [Fact]
    public void The_directory_of_postfix_is_repeated_where_a_command_takes_it_and_other_options_are_not()
    {
        session.Postfix.Text = new PostconfText(("smtp_tls_policy_maps", ""));

        var result = session.RunWith("setup", "--postfix", "/etc/postfix out", "--config", session.Config, "--no-color");

        Assert.EndsWith($"Next: policyctl {Config} --postfix '/etc/postfix out' setup --apply\n", result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("--no-color", result.Error, StringComparison.Ordinal);
        Assert.Contains("postconf -c '/etc/postfix out' -e", result.Out, StringComparison.Ordinal);
        Assert.Contains("postfix -c '/etc/postfix out' reload", session.RunWith("setup", "--postfix", "/etc/postfix out", "--config", session.Config, "--format", "table").Out, StringComparison.Ordinal);
    }

    [Fact]
    public void Where_nothing_is_given_nothing_is_repeated()
    {
        Assert.DoesNotContain("--config", session.Run("status", "--format", "table").Out, StringComparison.Ordinal);
        Assert.DoesNotContain("--config /etc", session.RunWith("domain", "list", "--config", "/etc/policydaemon/policydaemon.conf").Error, StringComparison.Ordinal);
    }

    [Fact]
    public void The_help_is_about_every_machine()
    {
        Assert.Contains("  policyctl status example.com\n", session.RunWith("status", "--help", "--config", session.Config).Out, StringComparison.Ordinal);
        Assert.Contains("policyctl domain has no verb 'ad'", session.RunWith("domain", "ad", "--config", session.Config).Error, StringComparison.Ordinal);
    }

    private CliResult Given(params string[] args) => session.RunWith([.. args, "--config", session.Config, "--format", "table"]);
}
