using System.Diagnostics;
using System.Text.RegularExpressions;
using PolicyDaemon.Cli;
using PolicyDaemon.Cli.Hosting;
using PolicyDaemon.Tests.Store;
using PolicyDaemon.Tests.Support;
using Xunit;

namespace PolicyDaemon.Tests.Cli;

/// <summary>Every example of every help runs as it stands.</summary>
public sealed partial class ExampleTests
{
    /// <summary>Examples that end otherwise than with 0, and why they should.</summary>
    private static readonly Dictionary<string, ExitCode> Otherwise = new(StringComparer.Ordinal)
    {
        // The key is the example's own, and the server of the test has another one.
        [$"policyctl domain add example.com --level fingerprint --probe --expect {Arguments.SomeFingerprint}"] = ExitCode.Negative,
        ["policyctl pin approve example.com"] = ExitCode.Negative, // nobody is asked where the output is no screen
        ["policyctl apply --diff entries.conf"] = ExitCode.Negative, // something would change
        ["policyctl query sub.example.com"] = ExitCode.Negative, // not found: Postfix goes on to its parent
        ["policyctl check .example.com --probe-as mx.example.com"] = ExitCode.Inconclusive, // it has no address here, and the subdomains may have others
        // Nobody is told of findings here, which takes a person.
        ["policyctl doctor"] = ExitCode.Negative,
        ["policyctl doctor --send"] = ExitCode.Negative,
        ["policyctl doctor --own example.com"] = ExitCode.Negative,
        ["policyctl doctor --own example.com --next /etc/ssl/next.pem"] = ExitCode.Negative,
        ["policyctl doctor --format json"] = ExitCode.Negative,
        // It was not moved.
        ["policyctl store migrate --take-back --reason 'the server is lost' --dry-run"] = ExitCode.Invalid,
        // There is no server here.
        ["policyctl init --dry-run --postgresql 'dbname=policydaemon user=policydaemon'"] = ExitCode.Invalid,
        // A store in a file has one node; on a server there is none of that name.
        ["policyctl node remove --dry-run mx9"] = TemporaryStore.IsOnServer ? ExitCode.Negative : ExitCode.Invalid,
        ["policyctl node remove mx9"] = TemporaryStore.IsOnServer ? ExitCode.Negative : ExitCode.Invalid,
        // The hash is the example's own, too: nothing in this chain has it.
        ["policyctl audit --verify --head 3f9a6d33a3717ee826353a404ba4618d1aeeb6879ad7936bce8ed5f46814924d"] = ExitCode.Negative,
    };

    // Of packages that are essential to Debian, or required.
    private static readonly string[] Everywhere = ["awk", "cut", "diff", "sha256sum", "sort", "uniq"];

    // What these print is of the machine; where a pipe goes on to policyctl, it is given a mail log.
    private static readonly string[] Elsewhere = ["journalctl", "openssl"];

    public static TheoryData<string> Lines =>
    [
        .. UsageTests.Verbs().SelectMany(verb => verb.Examples).Select(example => example.Line)
            .Concat(CommandList.Closing.Split('\n').Where(line => line.StartsWith("  policyctl ", StringComparison.Ordinal)).Select(line => line.Trim()))
            .Where(line => Pipes().Split(line).Any(IsOurs)).Distinct(StringComparer.Ordinal),
    ];

    [Theory]
    [MemberData(nameof(Lines))]
    public async Task An_example_runs_as_it_stands(string line)
    {
        await using var place = await ExamplePlace.ForAsync(line);
        var text = "";
        foreach (var stage in Pipes().Split(line))
        {
            if (!IsOurs(stage))
            {
                Assert.SkipUnless(
                    IsElsewhere(stage) || IsInstalled(Program(stage)), $"{Program(stage)} is not installed, so the example ended before it; tests/install-packages e2e installs it");
                text = IsElsewhere(stage) ? ExamplePlace.MailLog : Shell(stage, place.Session.Directory, text);
                continue;
            }

            place.Session.Input = text.Length > 0 ? text : place.Session.Input;
            var words = ShellWords.Of(stage);
            var result = place.Session.Run([.. words.Skip(1).Select(place.Here)]);
            var expected = Otherwise.GetValueOrDefault(line, ExitCode.Done);
            Assert.True(result.Code == expected, $"{stage}: exit {result.Code}, not {expected}\n{result.Error}{result.Out}");
            Assert.DoesNotContain("--help", result.Error, StringComparison.Ordinal);
            text = result.Out;
        }
    }

    [Fact]
    public void Nothing_in_an_example_is_left_out()
    {
        foreach (var (line, _) in UsageTests.Verbs().SelectMany(verb => verb.Examples))
        {
            Assert.DoesNotContain("...", line, StringComparison.Ordinal);
            Assert.True(IsOurs(line) || IsElsewhere(line), line);
        }
    }

    /// <summary>So that nothing is skipped where tests/run runs everything.</summary>
    [Fact]
    public void What_an_example_pipes_into_is_on_every_machine_or_installed_for_the_end_to_end_tests()
    {
        var script = File.ReadAllText(Repository.Path("tests", "install-packages"));
        var installed = script[script.IndexOf("    e2e|all)", StringComparison.Ordinal)..].Split(";;")[0].Split((char[])[' ', '\n'], StringSplitOptions.RemoveEmptyEntries);
        Assert.All(
            Lines.SelectMany(row => Pipes().Split(row.Data)).Where(stage => !IsOurs(stage) && !IsElsewhere(stage)).Select(Program),
            program => Assert.Contains(program, Everywhere.Concat(installed)));
    }

    [Fact]
    public void What_ends_otherwise_is_an_example() => Assert.All(Otherwise.Keys, line => Assert.Contains(line, Lines.Select(row => row.Data)));

    private static bool IsOurs(string stage) => stage.StartsWith("policyctl ", StringComparison.Ordinal);

    private static bool IsElsewhere(string stage) => Elsewhere.Contains(Program(stage));

    private static string Program(string stage) => stage.Split(' ')[0];

    private static bool IsInstalled(string program) =>
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Any(folder => File.Exists(Path.Combine(folder, program)));

    /// <summary>The other side of a pipe.</summary>
    private static string Shell(string command, string directory, string input)
    {
        var start = new ProcessStartInfo("/bin/sh") { WorkingDirectory = directory, RedirectStandardInput = true, RedirectStandardOutput = true };
        start.ArgumentList.Add("-c");
        start.ArgumentList.Add(command);
        using var shell = Process.Start(start)!;
        shell.StandardInput.Write(input);
        shell.StandardInput.Close();
        var output = shell.StandardOutput.ReadToEnd();
        shell.WaitForExit();
        // diff(1): 1 where there are differences.
        Assert.True(shell.ExitCode == 0 || (shell.ExitCode == 1 && command.StartsWith("diff ", StringComparison.Ordinal)), $"{command}: exit {shell.ExitCode}");
        return output;
    }

    [GeneratedRegex(@" \| (?=(?:[^']*'[^']*')*[^']*$)")]
    private static partial Regex Pipes();
}
