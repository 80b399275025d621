using PolicyDaemon.Cli.Hosting;
using PolicyDaemon.Core.Runtime;
using PolicyDaemon.Tests.Support;
using Xunit;

namespace PolicyDaemon.Tests.Cli;

/// <summary>Entries in an editor, with the manners of visudo.</summary>
public sealed class EditTests
{
    [Fact]
    public void Rows_that_are_changed_added_and_removed_are_so_afterwards()
    {
        using var session = Session("a.example", "b.example", "c.other");
        session.Input = "not needed any more\n";
        session.Edits.Enqueue(text => text.Replace("a.example                                encrypt", "a.example secure { note = edited }", StringComparison.Ordinal)
            .Replace("b.example                                encrypt\n", "n.example may\n", StringComparison.Ordinal));

        var result = session.Run("edit", "*.example", "--format", "table");

        Assert.Equal(ExitCode.Done, result.Code);
        Assert.Equal(["a.example secure edited", "c.other encrypt ", "n.example may "], Listed(session));
        Assert.Contains("-b.example ", result.Out, StringComparison.Ordinal);
        Assert.Contains("\tnot needed any more\t", session.Succeed("audit"), StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_wrong_is_edited_again_with_what_was_written()
    {
        using var session = Session("a.example");
        session.Input = "e\n";
        session.Edits.Enqueue(text => text.Replace("encrypt", "secrue", StringComparison.Ordinal));
        session.Edits.Enqueue(text => text.Replace("secrue", "secure", StringComparison.Ordinal));

        var result = session.Run("edit");

        Assert.Equal(ExitCode.Done, result.Code);
        Assert.Contains("entries.conf:3: a.example: 'secrue' is no TLS security level; did you mean 'secure'?", result.Error, StringComparison.Ordinal);
        Assert.Contains("What now? (e)dit again", result.Error, StringComparison.Ordinal);
        Assert.Matches("What now\\? [^:]{1,69}: ", result.Error); // 80 columns
        Assert.Equal(["a.example secure "], Listed(session));
    }

    [Fact]
    public void A_NUL_in_a_note_is_edited_again_and_one_in_a_reason_is_passed_over()
    {
        using var session = Session("a.example");
        session.Input = "e\nno mo\0re\n";
        session.Edits.Enqueue(text => text.Replace("encrypt", @"may { note = x\u{0}y }", StringComparison.Ordinal));
        session.Edits.Enqueue(text => text.Replace(@"x\u{0}y", "xy", StringComparison.Ordinal));

        var result = session.Run("edit");

        Assert.Contains("entries.conf:3: a.example: note: it has a NUL character", result.Error, StringComparison.Ordinal);
        Assert.Equal(ExitCode.Done, result.Code);
        Assert.Equal(["a.example may xy"], Listed(session));
        Assert.Contains("\tno more\t", session.Succeed("audit"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("x\n", false)]
    [InlineData("Q\n", true)]
    [InlineData("", true)]
    [InlineData("what?\nQ\n", true)]
    public void Giving_up_changes_nothing_and_keeps_what_was_written_unless_it_is_thrown_away(string answer, bool isKept)
    {
        using var session = Session("a.example");
        session.Input = answer;
        session.Edits.Enqueue(_ => "a.example nonsense\n");

        var result = session.Run("edit");

        Assert.Equal(ExitCode.Negative, result.Code);
        Assert.Equal(["a.example encrypt "], Listed(session));
        var kept = result.Error.TrimEnd().Split(' ')[^1];
        Assert.Equal(isKept, File.Exists(kept));
        if (isKept)
        {
            Assert.Equal("a.example nonsense\n", File.ReadAllText(kept));
            Directory.Delete(Path.GetDirectoryName(kept)!, recursive: true);
        }
    }

    [Fact]
    public void An_entry_that_somebody_else_changed_meanwhile_is_shown_and_not_overwritten_unawares()
    {
        using var session = Session("a.example", "b.example");
        session.Input = "e\n";
        session.Edits.Enqueue(text =>
        {
            session.Succeed("domain", "set", "a.example", "--note", "theirs");
            session.Succeed("domain", "set", "b.example", "--note", "theirs");
            return text.Replace("a.example                                encrypt", "a.example secure note=ours", StringComparison.Ordinal);
        });
        session.Edits.Enqueue(text => text);

        var result = session.Run("edit");

        Assert.Equal(ExitCode.Done, result.Code);
        Assert.Contains("a.example was changed while you edited, by alice (root), change 3", result.Error, StringComparison.Ordinal);
        Assert.Contains("note=theirs", result.Error, StringComparison.Ordinal);
        // The other entry was not edited, and its change stands.
        Assert.Equal(["a.example secure ours", "b.example encrypt theirs"], Listed(session));
    }

    [Fact]
    public void A_row_for_an_entry_that_is_not_edited_is_refused()
    {
        using var session = Session("a.example", "c.other");
        session.Input = "x\n";
        session.Edits.Enqueue(text => text + "c.other secure\n");

        var result = session.Run("edit", "a.*");

        Assert.Contains("c.other is configured and is not among the entries that you edit", result.Error, StringComparison.Ordinal);
        Assert.Equal(ExitCode.Negative, result.Code);
    }

    [Fact]
    public void An_emptied_text_removes_nothing()
    {
        using var session = new CliSession { Terminal = true, Person = true, Input = "q\n" };
        session.Succeed("domain", "add", "a.example", "--level", "encrypt");
        session.Succeed("domain", "add", "b.example", "--level", "encrypt");
        session.Edits.Enqueue(_ => "");

        var result = session.Run("edit", "--reason", "a slip");

        Assert.Contains("has no entries any more, and all 2 would go; nothing was changed", result.Error.ReplaceLineEndings(" "), StringComparison.Ordinal);
        Assert.Equal(2, session.Succeed("domain", "list", "--format", "tsv").TrimEnd('\n').Split('\n').Length);
    }

    [Fact]
    public void A_text_that_is_left_alone_changes_nothing()
    {
        using var session = Session("a.example");
        session.Edits.Enqueue(text => text);

        Assert.Equal(ExitCode.Done, session.Run("edit").Code);
        Assert.Equal(2, session.Succeed("audit").Count(character => character == '\n'));
    }

    [Fact]
    public void An_interrupt_while_policyd_is_awaited_leaves_what_is_stored_and_asks_nothing()
    {
        using var session = Session("a.example");
        using var running = Daemon(session);
        using var interruption = new Interruption();
        session.Interruption = interruption;
        session.Committed = interruption.Interrupt;
        session.Edits.Enqueue(text => text.Replace("encrypt", "secure", StringComparison.Ordinal));

        var result = session.Run("edit", "--wait", "60");

        Assert.Equal(ExitCode.Inconclusive, result.Code);
        Assert.EndsWith("policyctl: interrupted; it is stored, and only the waiting for policyd ended. See: policyctl status\n", result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("What now?", result.Error, StringComparison.Ordinal);
        Assert.Equal(["a.example secure "], Listed(session));
    }

    [Fact]
    [Trait(Engine.Name, Engine.Sqlite)]
    public void A_fault_behind_the_commit_asks_nothing_and_says_that_it_is_stored()
    {
        using var session = Session("a.example");
        using var running = Daemon(session);
        session.Committed = () => File.Move(session.Database, session.Database + ".away");
        session.Edits.Enqueue(text => text.Replace("encrypt", "secure", StringComparison.Ordinal));

        var result = session.Run("edit", "--wait", "60");

        Assert.Equal(ExitCode.Inconclusive, result.Code);
        Assert.Contains("policyctl: it is stored; what came after that failed:\npolicyctl: ", result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("What now?", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void An_interrupt_before_the_commit_names_the_file_that_keeps_what_was_written()
    {
        using var session = Session("a.example");
        using var interruption = new Interruption();
        session.Interruption = interruption;
        session.Edits.Enqueue(_ =>
        {
            interruption.Interrupt();
            return "a.example secure\n";
        });

        var result = session.Run("edit");

        Assert.Equal(ExitCode.Inconclusive, result.Code);
        Assert.StartsWith("policyctl: interrupted; nothing was changed, and what you wrote is in ", result.Error, StringComparison.Ordinal);
        var kept = result.Error.TrimEnd().Split(' ')[^1];
        Assert.Equal("a.example secure\n", File.ReadAllText(kept));
        Directory.Delete(Path.GetDirectoryName(kept)!, recursive: true);
        Assert.Equal(["a.example encrypt "], Listed(session));
    }

    [Theory]
    [InlineData("--wait", "-1", "--wait takes seconds, from 0 to 3600")]
    [InlineData("--wait", "3601", "--wait takes seconds, from 0 to 3600")]
    [InlineData("--reason", " ", "--reason is empty; say why, in your own words")]
    public void An_option_that_cannot_be_is_refused_before_the_editor_starts(string option, string value, string message)
    {
        using var session = Session("a.example");
        var isEdited = false;
        session.Edits.Enqueue(text =>
        {
            isEdited = true;
            return text;
        });

        var result = session.Run("edit", option, value);

        Assert.Equal((ExitCode.Usage, $"policyctl: {message}\n"), (result.Code, result.Error));
        Assert.False(isEdited);
    }

    [Fact]
    public void Without_a_terminal_nothing_is_edited()
    {
        using var session = Session("a.example");
        session.Person = false;

        Assert.Equal(ExitCode.Usage, session.Run("edit").Code);
        session.Person = true;
        Assert.Equal(ExitCode.Negative, session.Run("edit", "nothing.*").Code);
    }

    /// <summary>A daemon that runs and takes nothing over.</summary>
    private static DaemonLock? Daemon(CliSession session)
    {
        var statusFile = Path.Combine(session.Directory, "status.json");
        File.AppendAllText(session.Config, $"[store]\nstatus_file = {statusFile}\n");
        return DaemonLock.TryTake(statusFile);
    }

    private static CliSession Session(params string[] keys)
    {
        var session = new CliSession { Person = true };
        session.Succeed(["domain", "add", .. keys, "--level", "encrypt"]);
        return session;
    }

    private static string[] Listed(CliSession session) =>
    [
        .. session.Succeed("domain", "list").Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split('\t')).Select(row => $"{row[0]} {row[1]} {row[5]}"),
    ];
}
