using Microsoft.Extensions.Logging.Abstractions;
using PolicyDaemon.Cli.Hosting;
using PolicyDaemon.Cli.Setup;
using PolicyDaemon.Cli.Setup.Checks;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Lookup;
using PolicyDaemon.Lookup.Listening;
using PolicyDaemon.Lookup.Protocols;
using PolicyDaemon.Tests.Lookup;
using Xunit;

namespace PolicyDaemon.Tests.Cli;

public sealed class SetupApplyTests : IAsyncLifetime
{
    private const string OldMaps = "hash:/etc/postfix/tls_policy";

    private readonly LookupServer daemon = new(
        new LookupTestData().Service, new LookupOptions { Endpoints = [Endpoint("inet:127.0.0.1:0")] },
        NullLogger<LookupServer>.Instance, TimeProvider.System);

    private CliSession session = null!; // made once the daemon's port is known

    private string MainCf => Path.Combine(session.Directory, "main.cf");

    private string OurMap => $"socketmap:{daemon.Listening[0]}:tlspolicy";

    public async ValueTask InitializeAsync()
    {
        await daemon.StartAsync();
        session = new CliSession(lookup: $"socketmap = {daemon.Listening[0]}");
        File.WriteAllText(MainCf, "as it was\n");
        session.Postfix.Text = new PostconfText(
            ("config_directory", session.Directory), ("smtp_tls_policy_maps", OldMaps), ("smtp_tls_fingerprint_digest", "md5"));
    }

    public async ValueTask DisposeAsync()
    {
        await daemon.DisposeAsync();
        session.Dispose();
    }

    [Fact]
    public void The_problems_are_settled_after_a_copy_and_the_way_back_is_said()
    {
        session.Succeed("domain", "add", "example.com", "--level", "fingerprint", "--match", new string('a', 64));
        var result = session.Run("setup", "--apply");

        Assert.Equal(ExitCode.Done, result.Code);
        Assert.Equal($"{OurMap}, {OldMaps}", session.Postfix.Text!.Value("smtp_tls_policy_maps"));
        Assert.Equal("sha256", session.Postfix.Text.Value("smtp_tls_fingerprint_digest"));
        Assert.Equal(1, session.Postfix.Reloads);
        Assert.Equal("as it was\n", File.ReadAllText(Assert.Single(Directory.GetFiles(session.Directory, "main.cf.2*"))));
        Assert.Contains($"-smtp_tls_policy_maps = {OldMaps}\n+smtp_tls_policy_maps = {OurMap}, {OldMaps}\n", result.Error, StringComparison.Ordinal);
        Assert.Contains($"    postconf -e 'smtp_tls_policy_maps = {OldMaps}'\n", result.Error, StringComparison.Ordinal);
        Assert.Contains("    postfix reload\n", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_table_whose_rows_cannot_be_read_is_never_taken_out_without_a_person()
    {
        var maps = $"{OurMap}, hash:{session.Directory}/lost, regexp:{session.Directory}/other";
        session.Postfix.Text = new PostconfText(("config_directory", session.Directory), ("smtp_tls_policy_maps", maps), ("smtp_tls_fingerprint_digest", "md5"));
        session.Succeed("domain", "add", "example.com", "--level", "fingerprint", "--match", new string('a', 64), "--observe");

        Assert.Contains("lost", session.Run("setup").Out, StringComparison.Ordinal);
        session.Run("setup", "--apply");

        Assert.Equal(maps, session.Postfix.Text!.Value("smtp_tls_policy_maps"));
        Assert.Equal("sha256", session.Postfix.Text.Value("smtp_tls_fingerprint_digest"));
    }

    [Fact]
    public async Task Postfix_does_not_fit_while_it_asks_a_daemon_that_is_not_there()
    {
        session.Succeed("setup", "--apply");
        Assert.Equal(ExitCode.Done, session.Run("setup").Code);
        await daemon.DisposeAsync();

        var result = session.Run("setup", "--format", "table");

        Assert.Equal(ExitCode.Negative, result.Code);
        Assert.DoesNotContain("Postfix fits", result.Out, StringComparison.Ordinal);
        Assert.Contains("policyd does not run", result.Out.ReplaceLineEndings(" "), StringComparison.Ordinal);
        Assert.Contains("         systemctl start policyd\n", result.Out, StringComparison.Ordinal);
    }

    [Fact]
    public void A_parameter_that_main_cf_did_not_set_is_taken_out_again_on_the_way_back()
    {
        session.Postfix.Text = new PostconfText(("config_directory", session.Directory)).WithDefault("smtp_tls_policy_maps", "");
        var result = session.Run("setup", "--apply");
        Assert.Contains($"+smtp_tls_policy_maps = {OurMap}\n", result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("-smtp_tls_policy_maps", result.Error, StringComparison.Ordinal);
        Assert.Contains("    postconf -X smtp_tls_policy_maps\n", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_dry_run_shows_the_difference_and_changes_nothing()
    {
        var result = session.Run("setup", "--apply", "--dry-run");
        Assert.Equal(ExitCode.Done, result.Code);
        Assert.Contains("+smtp_tls_policy_maps = ", result.Error, StringComparison.Ordinal);
        AssertUntouched();
    }

    [Fact]
    public void Postfix_that_fits_is_left_alone()
    {
        session.Run("setup", "--apply");
        var before = Directory.GetFiles(session.Directory, "main.cf.2*");
        var result = session.Run("setup", "--apply");
        Assert.Equal(ExitCode.Done, result.Code);
        Assert.Contains("Nothing to change", result.Error, StringComparison.Ordinal);
        Assert.Equal(before, Directory.GetFiles(session.Directory, "main.cf.2*"));
        Assert.Equal(1, session.Postfix.Reloads);
    }

    [Fact]
    public async Task Postfix_is_not_sent_to_a_daemon_that_does_not_answer()
    {
        await daemon.StopAsync(TestContext.Current.CancellationToken);
        var result = session.Run("setup", "--apply");
        Assert.Equal(ExitCode.DaemonNotRunning, result.Code);
        Assert.Contains("Nothing was changed", result.Error, StringComparison.Ordinal);
        AssertUntouched();
    }

    [Fact]
    public void Dry_run_without_apply_is_a_misunderstanding() =>
        Assert.Equal(ExitCode.Usage, session.Run("setup", "--dry-run").Code);

    [Fact]
    public void A_plan_settles_what_a_first_edit_brings_to_light_and_comes_to_an_end()
    {
        var postfix = new PostconfText(("smtp_tls_policy_maps", "proxy:socketmap:unix:/var/spool/postfix/policydaemon/socketmap:pins"), ("smtp_tls_fingerprint_digest", "md5")).Read();
        var settings = PolicyDaemon.Core.Configuration.SettingsReader.Parse(
            "test", "[lookup]\nsocketmap = unix:/var/spool/postfix/policydaemon/socketmap\n[store]\ndatabase = /none\n"u8);
        var plan = SetupPlan.Of(new SetupSubject(postfix, settings, new Dictionary<TlsLevel, long> { [TlsLevel.Fingerprint] = 1 }, _ => false));
        Assert.Equal(
            ["smtp_tls_fingerprint_digest = sha256", "smtp_tls_policy_maps = socketmap:unix:policydaemon/socketmap:tlspolicy"],
            plan.Select(edit => edit.ToString()).Order(StringComparer.Ordinal));
    }

    private static MapEndpoint Endpoint(string text)
    {
        Assert.True(MapEndpoint.TryParse(MapProtocol.Socketmap, text, out var endpoint, out var reason), reason);
        return endpoint;
    }

    private void AssertUntouched()
    {
        Assert.Equal(OldMaps, session.Postfix.Text!.Value("smtp_tls_policy_maps"));
        Assert.Equal(0, session.Postfix.Reloads);
        Assert.Empty(Directory.GetFiles(session.Directory, "main.cf.2*"));
    }
}
