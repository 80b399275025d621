using System.CommandLine;
using System.Text.RegularExpressions;
using PolicyDaemon.Cli;
using PolicyDaemon.Core.Configuration;
using PolicyDaemon.Core.Pins;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Daemon;
using PolicyDaemon.Tests.Support;
using PolicyDaemon.Web.Hosting;
using Xunit;

namespace PolicyDaemon.Tests.Packaging;

/// <summary>The manual pages say what the programs do: every command, option and key is there, and nothing else.</summary>
public sealed class ManualPageTests
{
    private static readonly string[] Help = ["-?", "-h", "--help", "/?", "/h"];

    [Fact]
    public void The_README_names_every_page()
    {
        var readme = string.Join(' ', File.ReadAllText(Repository.Path("README.md")).Split((char[])[' ', '\n'], StringSplitOptions.RemoveEmptyEntries));
        var named = readme[readme.IndexOf("The manual pages are ", StringComparison.Ordinal)..].Split(". ")[0];
        Assert.All(
            Directory.GetFiles(Repository.Path("packaging", "man")).Select(file => Path.GetFileName(file)),
            page => Assert.Contains($"{Path.GetFileNameWithoutExtension(page)}({page[^1]})", named, StringComparison.Ordinal));
    }

    [Fact]
    public void Every_command_of_policyctl_has_its_subsection_and_no_other_is_described() =>
        Assert.Equal(
            Leaves(PolicyCtl.Model()).Select(leaf => leaf.Path).Order(StringComparer.Ordinal),
            ManualPage.Read("policyctl.1").Section("COMMANDS").Subsections.Order(StringComparer.Ordinal));

    [Fact]
    public void Every_option_of_a_command_is_in_its_subsection_and_no_other_is_described()
    {
        var manual = ManualPage.Read("policyctl.1").Section("COMMANDS");
        Assert.All(Leaves(PolicyCtl.Model()), leaf => Assert.Equal(
            Names(leaf.Command.Options).Order(StringComparer.Ordinal),
            manual.Subsection(leaf.Path).Options.Order(StringComparer.Ordinal)));
    }

    [Fact]
    public void Every_option_of_policyctl_itself_is_described()
    {
        var described = ManualPage.Read("policyctl.1").Section("DESCRIPTION").Options;
        Assert.Equal(
            Names(PolicyCtl.Model().Options).Concat(["-?", "-h", "--help"]).Order(StringComparer.Ordinal), described.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Every_option_of_policyd_is_described()
    {
        var described = ManualPage.Read("policyd.8").Section("DESCRIPTION").Options;
        Assert.Equal(
            Names(DaemonCommand.Compose(TextWriter.Null, TextWriter.Null).Options).Concat(["-?", "-h", "--help"]).Order(StringComparer.Ordinal), described.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Every_option_of_policyd_web_is_described()
    {
        var described = ManualPage.Read("policyd-web.8").Section("DESCRIPTION").Options;
        Assert.Equal(
            Names(WebCommand.Compose(TextWriter.Null, TextWriter.Null).Options).Concat(["-?", "-h", "--help"]).Order(StringComparer.Ordinal), described.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Every_configuration_key_is_described_in_its_section_and_no_other_is()
    {
        var manual = ManualPage.Read("policydaemon.conf.5");
        var sections = ConfigurationKeys.All.Select(key => key.Section).Distinct().ToList();
        foreach (var section in sections)
        {
            var described = manual.Section($"THE {section.ToUpperInvariant()} SECTION");
            Assert.Equal(
                ConfigurationKeys.All.Where(key => key.Section == section).Select(key => key.Name).Order(StringComparer.Ordinal),
                described.Items("Ic").Order(StringComparer.Ordinal));
        }
    }

    [Fact]
    public void A_default_that_the_code_has_is_the_one_in_the_manual()
    {
        var manual = ManualPage.Read("policydaemon.conf.5").Text;
        Assert.All(ConfigurationKeys.All.Where(key => key.Default.Length > 0), key =>
        {
            var item = manual[manual.IndexOf($".It Ic {key.Name}\n", StringComparison.Ordinal)..];
            var next = item.IndexOf("\n.It Ic ", 1, StringComparison.Ordinal);
            Assert.Matches($@"Default:\s+(\.\w+ )?{Regex.Escape(key.Default)}(\s|\.\s)", (next < 0 ? item : item[..next]) + "\n");
        });
    }

    [Fact]
    public void Every_configuration_key_stands_in_the_shipped_file()
    {
        var section = "";
        var shipped = new List<string>();
        foreach (var line in File.ReadLines(Repository.Path("packaging", "policydaemon.conf")))
        {
            if (line.StartsWith('['))
                section = line.Trim('[', ']');
            else if (Regex.Match(line, "^;?([a-z0-9_]+) =") is { Success: true } match)
                shipped.Add($"{section}.{match.Groups[1].Value}");
        }

        Assert.Equal(ConfigurationKeys.All.Select(key => key.FullName).Order(StringComparer.Ordinal), shipped.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void Every_level_and_pin_state_is_explained()
    {
        var explained = ManualPage.Read("policydaemon.7").Section("DESCRIPTION");
        Assert.Equal(
            TlsLevels.EntryNames.Order(StringComparer.Ordinal), explained.Subsection("Levels").Items("Cm").Order(StringComparer.Ordinal));
        Assert.Equal(
            Enum.GetValues<PinState>().Select(state => state.Name()).Order(StringComparer.Ordinal),
            explained.Subsection("Pins").Items("Cm").Order(StringComparer.Ordinal));
    }

    internal static IEnumerable<(string Path, Command Command)> Leaves(Command command, string path = "") =>
        command.Subcommands.Count == 0
            ? [(path, command)]
            : command.Subcommands.SelectMany(child => Leaves(child, path.Length == 0 ? child.Name : $"{path} {child.Name}"));

    private static IEnumerable<string> Names(IEnumerable<Option> options) =>
        options.Where(option => !option.Hidden).SelectMany(option => option.Aliases.Prepend(option.Name)).Where(name => !Help.Contains(name)).Distinct();
}
