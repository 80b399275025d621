using PolicyDaemon.Core.Audit;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Daemon;
using PolicyDaemon.Store;
using PolicyDaemon.Store.Changes;
using PolicyDaemon.Tests.Store;
using Xunit;

namespace PolicyDaemon.Tests.Daemon;

public sealed class DaemonCommandTests : IDisposable
{
    private readonly string directory = Directory.CreateTempSubdirectory("policydaemon-command").FullName;

    private string Database => Path.Combine(directory, "policy.db");

    [Fact]
    public async Task An_unknown_option_is_a_usage_error()
    {
        var (code, _, error) = await Run("--chekc");

        Assert.Equal(2, code);
        Assert.Contains("--chekc", error, StringComparison.Ordinal);
        Assert.Contains("policyd --help", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_wrong_configuration_names_file_line_and_key()
    {
        var file = Configure("[postfix]\nversion = 1\n");

        var (code, _, error) = await Run("--config", file, "--check");

        Assert.Equal(5, code);
        Assert.Equal($"policyd: {file}:2: postfix.version: '1' is no version; write what `postconf -h mail_version` prints, such as 3.7\n", error);
    }

    [Fact]
    public async Task A_wrong_endpoint_names_file_line_and_key()
    {
        var file = Configure("[lookup]\nsocketmap = inet:127.0.0.1:8461, inet:somewhere:1\n");

        var (code, _, error) = await Run("--config", file);

        Assert.Equal(5, code);
        Assert.StartsWith($"policyd: {file}:2: lookup.socketmap: 'inet:somewhere:1'", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Two_protocols_on_one_endpoint_are_refused()
    {
        var file = Configure("[lookup]\nsocketmap = inet:127.0.0.1:9\ntcp_table = inet:127.0.0.1:9\n");

        var (code, _, error) = await Run("--config", file);

        Assert.Equal(5, code);
        Assert.StartsWith($"policyd: {file}:3: lookup.tcp_table: 'inet:127.0.0.1:9' is taken", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Check_prints_what_would_be_served()
    {
        using (var store = PolicyStore.Create(Database, Actor.Daemon, TimeProvider.System))
        using (var change = store.BeginChange(new ChangeOrigin(Actor.Daemon, "test"), PostfixSettings.Default))
        {
            change.Put(new() { Key = NextHop.Parse("a.example"), Policy = new() { Level = TlsLevel.Secure } });
            change.Put(new() { Key = NextHop.Parse("b.example"), Policy = new() { Level = TlsLevel.May }, Observe = true });
            change.Commit();
        }

        var (code, output, _) = await Run("--config", Configure(""), "--check");

        Assert.Equal(0, code);
        Assert.Contains("2 destinations", output, StringComparison.Ordinal);
        Assert.Contains("1 at secure", output, StringComparison.Ordinal);
        Assert.Contains("1 at observed, answered as not found", output, StringComparison.Ordinal);
        Assert.Contains("socketmap inet:127.0.0.1:8461", output, StringComparison.Ordinal);
        Assert.Matches("prober         every 24h, at most 64 connections at a time, EHLO [^ ]+, trust anchors of the system", output);
        Assert.Matches("resolver       .+, not trusted", output);
        Assert.Contains("alerts         in the journal only", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Check_fails_over_trust_anchors_that_cannot_be_read()
    {
        var file = Configure($"[probe]\nca_file = {directory}/none.pem\n");

        var (code, _, error) = await Run("--config", file, "--check");

        Assert.Equal(5, code);
        Assert.Contains("probe.ca_file: '", error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Check_fails_over_an_entry_that_cannot_be_served()
    {
        PolicyStore.Create(Database, Actor.Daemon, TimeProvider.System).Dispose();
        var empty = new Destination { Key = NextHop.Parse("a.example"), Policy = new() { Level = TlsLevel.Fingerprint } };
        TemporaryStore.WriteUnjudged(Database, TimeProvider.System, changes => changes.WriteUnjudged(empty.Key, null, empty, null, null, null));

        var (code, output, _) = await Run("--config", Configure(""), "--check");

        Assert.Equal(5, code);
        Assert.Contains("not servable   a.example: ", output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Check_fails_without_a_store_and_says_what_to_do()
    {
        var (code, output, _) = await Run("--config", Configure(""), "--check");

        Assert.Equal(5, code);
        Assert.Contains(Database, output, StringComparison.Ordinal);
        Assert.Contains("policyctl init", output, StringComparison.Ordinal);
        Assert.False(File.Exists(Database));
    }

    public void Dispose() => Directory.Delete(directory, recursive: true);

    private string Configure(string text)
    {
        var file = Path.Combine(directory, "policydaemon.conf");
        File.WriteAllText(file, $"{text}\n[store]\ndatabase = {Database}\n");
        return file;
    }

    private static async Task<(int Code, string Output, string Error)> Run(params string[] args)
    {
        using var output = new StringWriter();
        using var error = new StringWriter();
        var code = await DaemonCommand.RunAsync(args, output, error);
        return (code, output.ToString(), error.ToString());
    }
}
