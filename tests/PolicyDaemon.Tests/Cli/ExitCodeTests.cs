using PolicyDaemon.Administration;
using PolicyDaemon.Cli.Hosting;
using PolicyDaemon.Core.Audit;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Store;
using PolicyDaemon.Store.Changes;
using PolicyDaemon.Store.Engines;
using PolicyDaemon.Store.Faults;
using Xunit;

namespace PolicyDaemon.Tests.Cli;

public class ExitCodeTests
{
    [Theory]
    [InlineData((int)ExitCode.Done, "domain list")]
    [InlineData((int)ExitCode.Done, "audit --verify")]
    [InlineData((int)ExitCode.Negative, "domain show missing.example")]
    [InlineData((int)ExitCode.Negative, "domain remove missing.example --reason x")]
    [InlineData((int)ExitCode.Negative, "domain set missing.example --level may")]
    [InlineData((int)ExitCode.Negative, "domain list no-such-*")]
    [InlineData((int)ExitCode.Negative, "pin list missing.example")]
    [InlineData((int)ExitCode.Negative, "pin add missing.example aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")]
    [InlineData((int)ExitCode.Negative, "pin revoke pinned.example bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb")]
    [InlineData((int)ExitCode.Negative, "undo 4711")]
    [InlineData((int)ExitCode.Negative, "explain missing.example")]
    [InlineData((int)ExitCode.Negative, "audit missing.example")]
    [InlineData((int)ExitCode.Negative, "audit --verify --head 0000000000000000000000000000000000000000000000000000000000000000")]
    [InlineData((int)ExitCode.Usage, "")]
    [InlineData((int)ExitCode.Usage, "domain")]
    [InlineData((int)ExitCode.Usage, "domian list")]
    [InlineData((int)ExitCode.Usage, "domain add")]
    [InlineData((int)ExitCode.Usage, "domain add a.example")]
    [InlineData((int)ExitCode.Usage, "domain add a.example --level strong")]
    [InlineData((int)ExitCode.Usage, "domain add a.example --level may --ciphers nope")]
    [InlineData((int)ExitCode.Usage, "domain add a.example --level may --protocols nope")]
    [InlineData((int)ExitCode.Usage, "domain set pinned.example --tafile relative.pem --level secure")]
    [InlineData((int)ExitCode.Usage, "domain show -.-..example")]
    [InlineData((int)ExitCode.Usage, "domain add https://partner.example --level secure")]
    [InlineData((int)ExitCode.Usage, "domain add t --level secure")]
    [InlineData((int)ExitCode.Usage, "pin add pinned.example 00:11")]
    [InlineData((int)ExitCode.Usage, "pin approve pinned.example xyz")]
    [InlineData((int)ExitCode.Usage, "audit --since yesterday")]
    [InlineData((int)ExitCode.Usage, "domain remove pinned.example --reason x --wait -1")]
    [InlineData((int)ExitCode.Usage, "help nothing")]
    [InlineData((int)ExitCode.Done, "help domain add")]
    [InlineData((int)ExitCode.Done, "version")]
    [InlineData((int)ExitCode.Done, "domain add pinned.example --level fingerprint --match aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")]
    [InlineData((int)ExitCode.Negative, "domain remove no-such-* --reason x")]
    [InlineData((int)ExitCode.Negative, "domain set no-such-* --level may")]
    [InlineData((int)ExitCode.Negative, "audit --who nobody")]
    [InlineData((int)ExitCode.DaemonNotRunning, "domain add a.example --level may --wait 1")]
    [InlineData((int)ExitCode.Usage, "domain add a.example --level may --mode lazy")]
    [InlineData((int)ExitCode.Usage, "domain add a.example --level may --attribute colour=blue")]
    [InlineData((int)ExitCode.Usage, "domain remove pinned.example")]
    [InlineData((int)ExitCode.Usage, "domain remove pinned.example --reason ")]
    [InlineData((int)ExitCode.Usage, "domain list --format xml")]
    [InlineData((int)ExitCode.Usage, "audit --verify --head 123")]
    [InlineData((int)ExitCode.Usage, "undo twelve")]
    [InlineData((int)ExitCode.Usage, "query a.example --tcp --map tlspolicy")]
    [InlineData((int)ExitCode.Usage, "query a.example --server 127.0.0.1")]
    [InlineData((int)ExitCode.DaemonNotRunning, "status")]
    [InlineData((int)ExitCode.DaemonNotRunning, "query a.example --server unix:{dir}/nobody")]
    [InlineData((int)ExitCode.Usage, "domain add -.-..example --level may")]
    [InlineData((int)ExitCode.Invalid, "domain add pinned.example --level may")]
    [InlineData((int)ExitCode.Invalid, "domain add a.example --level fingerprint")]
    [InlineData((int)ExitCode.Usage, "domain add a.example --level fingerprint --match 00:11")]
    [InlineData((int)ExitCode.Invalid, "domain add a.example --level encrypt --match mx.a.example")]
    [InlineData((int)ExitCode.Usage, "domain add a.example --level encrypt --connection-reuse maybe")]
    [InlineData((int)ExitCode.Invalid, "import {dir}/no-such-table")]
    [InlineData((int)ExitCode.Invalid, "domain list --database {dir}/no-such.db")]
    [InlineData((int)ExitCode.Invalid, "domain list --database {dir}/policydaemon.conf")]
    [InlineData((int)ExitCode.Invalid, "backup {dir}/policydaemon.conf")]
    [InlineData((int)ExitCode.Invalid, "setup")]
    public void A_command_line_and_its_exit_code(int expected, string line)
    {
        using var session = new CliSession();
        session.Succeed("domain", "add", "pinned.example", "--level", "fingerprint", "--match", CliSession.Pin);
        var args = line.Length == 0 ? [] : line.Replace("{dir}", session.Directory, StringComparison.Ordinal).Split(' ');

        var result = session.Run(args);

        Assert.True(expected == (int)result.Code, $"{result.Code}: {result.Out}{result.Error}");
        // Whatever is not done is explained, and never with the program's insides.
        if ((ExitCode)expected is not (ExitCode.Done or ExitCode.Negative))
            Assert.NotEmpty(result.Error + result.Out);
        Assert.DoesNotContain("   at ", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void The_numbers_are_those_of_the_manual() => Assert.Equal(
        ["0 Done", "1 Negative", "2 Usage", "3 DaemonNotRunning", "4 Permission", "5 Invalid", "6 Inconclusive"],
        Enum.GetValues<ExitCode>().Select(code => $"{(int)code} {code}"));

    [Fact]
    public void An_unusable_configuration_is_5_with_file_line_and_key_of_every_problem()
    {
        using var session = new CliSession();
        var config = session.Write("broken.conf", "[postfix]\nfingerprint_digest = crc32\nverison = 3.7\n");

        var result = session.RunWith("domain", "list", "--config", config);

        Assert.Equal(ExitCode.Invalid, result.Code);
        Assert.Contains($"{config}:2: postfix.fingerprint_digest: ", result.Error, StringComparison.Ordinal);
        Assert.Contains($"{config}:3: postfix.verison: ", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_store_that_another_writer_holds_is_6()
    {
        using var session = new CliSession();
        using var store = PolicyStore.Open(session.Store, StoreAccess.Write, TimeProvider.System);
        using var change = store.BeginChange(new ChangeOrigin(new Actor("root", null, null), "test"), PostfixSettings.Default);

        var result = session.Run("domain", "add", "a.example", "--level", "encrypt");

        Assert.Equal(ExitCode.Inconclusive, result.Code);
    }

    [Fact]
    public void An_access_that_the_system_denies_is_4_with_what_to_do()
    {
        Assert.True(Failures.TryDescribe(new UnauthorizedAccessException("Access to the path '/x' is denied."), out var system));
        Assert.True(Failures.TryDescribe(new StoreException(StoreFault.Permission, "no"), out var store));

        Assert.Equal(ExitCode.Permission, system.Code);
        Assert.Contains("member of the store's group", system.Message, StringComparison.Ordinal);
        Assert.Equal(ExitCode.Permission, store.Code);
    }

    [Fact]
    public void Every_refusal_has_an_exit_code() => Assert.All(Enum.GetValues<Refusal>(), refusal =>
    {
        Assert.True(Failures.TryDescribe(new RefusedException(refusal, "no", ["why"]), out var failure));
        Assert.NotEqual(ExitCode.Done, failure.Code);
        Assert.Equal("no", failure.Message);
        Assert.Equal(["why"], failure.Details);
    });
}
