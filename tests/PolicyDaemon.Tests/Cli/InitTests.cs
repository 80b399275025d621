using PolicyDaemon.Cli;
using Xunit;

namespace PolicyDaemon.Tests.Cli;

public sealed class InitTests
{
    [Fact]
    public void A_dry_run_says_what_would_be_made_and_makes_nothing()
    {
        using var session = new CliSession(init: false);

        var result = session.Run("init", "--dry-run");

        Assert.Equal(ExitCode.Done, result.Code);
        Assert.Contains($"The store {session.Database} would be created.", result.Error, StringComparison.Ordinal);
        Assert.False(File.Exists(session.Database));
    }

    [Fact]
    public void An_existing_store_is_left_as_it_is()
    {
        using var session = new CliSession();
        session.Succeed("domain", "add", "a.example", "--level", "encrypt");

        var result = session.Run("init");

        Assert.Equal(ExitCode.Done, result.Code);
        Assert.Contains("\tno\t", result.Out, StringComparison.Ordinal);
        Assert.Contains("a.example", session.Run("domain", "list").Out, StringComparison.Ordinal);
    }
}
