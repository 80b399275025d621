using System.CommandLine;
using PolicyDaemon.Cli;
using PolicyDaemon.Cli.Hosting;
using PolicyDaemon.Tests.Packaging;
using Xunit;

namespace PolicyDaemon.Tests.Cli;

public class UsageTests
{
    /// <summary>What is said of a column stands in parentheses behind its name.</summary>
    [Fact]
    public void A_column_has_a_name_without_blanks() => Assert.All(
        ManualPageTests.Leaves(PolicyCtl.Model()).Select(leaf => leaf.Command).OfType<Verb>().SelectMany(verb => verb.Columns).Where(column => !column.StartsWith('(')),
        column => Assert.Matches("^[a-z_]+( \\(.*\\))?$", column));

    [Theory]
    [InlineData("domian list", "policyctl: policyctl has no verb 'domian'; did you mean 'domain'?\nSee: policyctl --help\n")]
    [InlineData("domain ad x", "policyctl: policyctl domain has no verb 'ad'; did you mean 'add'?\nSee: policyctl domain --help\n")]
    [InlineData("domain list --fromat json", "policyctl: policyctl domain list has no option '--fromat'; did you mean '--format'?\nSee: policyctl domain list --help\n")]
    [InlineData("-V", "policyctl: policyctl has no option '-V'; did you mean '--version'?\nSee: policyctl --help\n")]
    [InlineData("domain set x --lvel may", "policyctl: policyctl domain set has no option '--lvel'; did you mean '--level'?\nSee: policyctl domain set --help\n")]
    [InlineData("pin", "policyctl: policyctl pin needs a verb: add, approve, list, reject, revoke\nSee: policyctl pin --help\n")]
    [InlineData("undo 1 2", "policyctl: policyctl undo takes no further argument, but '2' was given\nSee: policyctl undo --help\n")]
    [InlineData("status --format yaml", "policyctl: Argument 'yaml' not recognized. Must be one of: 'table' 'tsv' 'json'\nSee: policyctl status --help\n")]
    [InlineData("undo abc", "policyctl: ID takes a number, but 'abc' was given\nSee: policyctl undo --help\n")]
    [InlineData("audit --limit many", "policyctl: --limit takes a number, but 'many' was given\nSee: policyctl audit --help\n")]
    [InlineData("domain remove x --reason --dry-run", "policyctl: --reason takes a value, and '--dry-run' is an option; if it is meant as the value, write --reason=--dry-run\nSee: policyctl domain remove --help\n")]
    [InlineData("domain set x --note -n", "policyctl: --note takes a value, and '-n' is an option; if it is meant as the value, write --note=-n\nSee: policyctl domain set --help\n")]
    [InlineData("query x --timeout soon", "policyctl: --timeout takes a number, but 'soon' was given\nSee: policyctl query --help\n")]
    public void A_slip_is_answered_with_what_was_perhaps_meant(string line, string error)
    {
        using var session = new CliSession(init: false);

        var result = session.RunWith(line.Split(' '));

        Assert.Equal(error, result.Error);
        Assert.Equal(ExitCode.Usage, result.Code);
        Assert.Empty(result.Out);
    }

    [Theory]
    [InlineData("list", "domain list")]
    [InlineData("add", "domain add")]
    [InlineData("show", "domain show")]
    [InlineData("approve", "pin approve")]
    [InlineData("accept", "store accept")]
    [InlineData("domains", "domain")]
    [InlineData("lst", "domain list")]
    [InlineData("statsu", "status")]
    [InlineData("rm", "domain remove")]
    [InlineData("domain delete", "remove")]
    [InlineData("domain rm", "remove")]
    [InlineData("rollback", "undo")]
    [InlineData("health", "doctor")]
    public void A_verb_is_found_behind_its_noun(string line, string meant)
    {
        using var session = new CliSession(init: false);

        Assert.Contains($"; did you mean '{meant}'?", session.RunWith(line.Split(' ')).Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("domain add x.example --level fingerprnt", "fingerprint")]
    [InlineData("domain add x.example --level secrue", "secure")]
    [InlineData("domain add x.example --level may --mode lock", "locked")]
    [InlineData("domain add x.example --level may --attribute cipher=high", "ciphers")]
    public void A_misspelled_word_is_answered_with_the_one_that_was_meant(string line, string meant)
    {
        using var session = new CliSession();

        Assert.Contains($"; did you mean '{meant}'?", session.Run(line.Split(' ')).Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("domain list --all")]
    [InlineData("frobnicate")]
    public void What_is_like_nothing_suggests_nothing(string line)
    {
        using var session = new CliSession(init: false);

        Assert.DoesNotContain("did you mean", session.RunWith(line.Split(' ')).Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Help_as_a_verb_says_what_the_option_says()
    {
        using var session = new CliSession(init: false);

        Assert.Equal(session.RunWith("pin", "add", "--help").Out, session.RunWith("help", "pin", "add").Out);
        Assert.Equal(session.RunWith("--help").Out, session.RunWith("help").Out);
        Assert.Equal(
            "policyctl: policyctl domain has no verb 'frob'; it has add, set, remove, list, show\n", session.RunWith("help", "domain", "frob").Error);
    }

    [Fact]
    public void The_version_is_said_by_verb_and_option_in_every_format()
    {
        using var session = new CliSession(init: false);

        Assert.Equal(session.RunWith("version").Out, session.RunWith("--version").Out);
        Assert.Matches("^\\{\n  \"version\": \"[0-9.]+\",\n  \"commit\": (null|\"[0-9a-f]+(-dirty)?\")\n\\}\n$", session.RunWith("--version", "--format", "json").Out);
        Assert.Equal("version\tcommit", session.RunWith("version", "--header").Out.Split('\n')[0]);
        Assert.Equal(("1.2.3", "3f9a1c"), PolicyDaemon.Cli.Commands.Program.VersionVerb.Read("1.2.3+3f9a1c"));
        Assert.Equal(("1.2.3", null), PolicyDaemon.Cli.Commands.Program.VersionVerb.Read("1.2.3"));
    }

    [Fact]
    public void Every_verb_teaches_by_at_least_two_examples()
    {
        foreach (var verb in Verbs())
            Assert.True(verb.Examples.Count >= 2, verb.Name);
    }

    [Fact]
    public void Help_ends_with_the_examples_and_exits_0()
    {
        using var session = new CliSession(init: false);

        var result = session.RunWith("undo", "--help");

        Assert.Equal(ExitCode.Done, result.Code);
        Assert.EndsWith("  policyctl undo 12 --reason 'wrong partner'\n      Take it back; a reason is needed where that weakens.\n\n", result.Out, StringComparison.Ordinal);
    }

    [Fact]
    public void Help_stays_within_the_width_of_the_terminal()
    {
        using var session = new CliSession(init: false) { Width = 80 };

        foreach (var verb in new[] { "check", "probe", "import", "export" })
        {
            // Command lines stay whole, so that they can be copied.
            var lines = session.RunWith(verb, "--help").Out.Split('\n').Where(line => !line.StartsWith("  policyctl ", StringComparison.Ordinal));
            Assert.All(lines, line => Assert.InRange(line.TrimEnd().Length, 0, 80));
        }
    }

    [Theory]
    [InlineData("/h")]
    [InlineData("/?")]
    public void A_path_is_not_taken_for_help(string path)
    {
        using var session = new CliSession(init: false);

        Assert.Equal(ExitCode.Invalid, session.RunWith("import", path, "--config", session.Config).Code);
    }

    private static RootCommand Root()
    {
        var globals = new GlobalOptions();
        return PolicyCtl.Compose(globals, null!);
    }

    internal static IEnumerable<Verb> Verbs() =>
        Root().Subcommands.SelectMany(command => command is Verb verb ? [verb] : command.Subcommands.OfType<Verb>());
}
