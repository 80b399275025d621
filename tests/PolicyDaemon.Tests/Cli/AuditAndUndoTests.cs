using Microsoft.Data.Sqlite;
using PolicyDaemon.Cli.Hosting;
using PolicyDaemon.Tests.Support;
using Xunit;

namespace PolicyDaemon.Tests.Cli;

public class AuditAndUndoTests
{
    [Fact]
    public void The_history_says_who_did_what_and_why()
    {
        using var session = new CliSession();
        session.Succeed("domain", "add", "example.com", "--level", "secure");
        session.Succeed("domain", "set", "example.com", "--level", "encrypt", "--reason", "partner moves");

        Assert.Equal(
            """
            CHANGE  TIME                  WHO           ACTION  KEY          ANSWER   REASON         COMMAND
            3       2026-11-23T12:00:00Z  alice (root)  change  example.com  encrypt  partner moves  domain set example.com --level encrypt --reason 'partner moves'
            2       2026-11-23T12:00:00Z  alice (root)  add     example.com  secure                  domain add example.com --level secure

            """, session.Succeed("audit", "example.com", "--format", "table").Replace($" --config {session.Config}", "", StringComparison.Ordinal));
    }

    [Fact]
    public void The_command_of_a_change_stands_beside_its_first_row_or_below_it()
    {
        using var session = new CliSession();
        session.Succeed("domain", "add", "a.example", "b.example", "--level", "secure", "--note", "as their postmaster has asked for in the ticket of Monday");
        session.Terminal = true;

        session.Width = 120;
        Assert.Matches(
            "\n2 +2026-11-23T12:00:00Z  alice \\(root\\)  add +[ab]\\.example  secure +domain add a\\.example b\\.example[^\n]*\\.\\.\\.\n2 +[^\n]* add +[ab]\\.example  secure\n",
            session.Succeed("audit", "--utc", "--no-color"));
        session.Width = 80;
        Assert.Matches(
            "\n2 +[^\n]* add +[ab]\\.example  secure\n    command domain add a\\.example b\\.example --level secure(\n? +[^\n]+)+\n2 +[^\n]* add +[ab]\\.example  secure\n1 ",
            session.Succeed("audit", "--utc", "--no-color"));
    }

    [Fact]
    public void Times_in_json_are_utc_with_a_z()
    {
        using var session = new CliSession();

        Assert.Contains("\"time\": \"2026-11-23T12:00:00Z\",", session.Succeed("audit", "--format", "json"), StringComparison.Ordinal);
    }

    [Fact]
    public void What_stands_in_the_way_of_an_undo_is_cut_after_a_hundred_lines()
    {
        using var session = new CliSession();
        var rows = string.Concat(Enumerable.Range(0, 150).Select(i => $"d{i}.example encrypt\n"));
        session.Succeed("import", session.Write("table", rows));
        session.Succeed("import", "--replace", session.Write("table2", rows.Replace("encrypt", "secure", StringComparison.Ordinal)));

        var result = session.Run("undo", "2", "--reason", "x");

        Assert.EndsWith("  ... and 50 more\n", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_whole_chain_verifies_up_to_a_head_kept_elsewhere()
    {
        using var session = new CliSession();
        session.Succeed("domain", "add", "a.example", "--level", "encrypt");
        var head = session.Notes[^1].Split(' ')[3];
        session.Succeed("domain", "add", "b.example", "--level", "encrypt");

        Assert.StartsWith("yes\t3\t", session.Succeed("audit", "--verify", "--head", head), StringComparison.Ordinal);
    }

    [Fact]
    [Trait(Engine.Name, Engine.Sqlite)]
    public void An_altered_row_is_found_and_named()
    {
        using var session = new CliSession();
        session.Succeed("domain", "add", "a.example", "--level", "encrypt");
        session.Succeed("domain", "add", "b.example", "--level", "encrypt");
        Alter(session.Database, "a.example");

        var result = session.Run("audit", "--verify", "--format", "table");

        Assert.Equal(ExitCode.Negative, result.Code);
        Assert.Contains("BROKEN: row 2 was altered", result.Out, StringComparison.Ordinal);
    }

    [Fact]
    public void Undo_brings_back_what_was_there()
    {
        using var session = new CliSession();
        session.Succeed("domain", "add", "example.com", "--level", "fingerprint", "--match", CliSession.Pin, "--note", "ours");
        var before = session.Succeed("domain", "show", "example.com");
        session.Succeed("domain", "remove", "example.com", "--reason", "contract ended");

        session.Succeed("undo", "3");

        Assert.Equal(before, session.Succeed("domain", "show", "example.com"));
    }

    [Fact]
    public void Undo_that_weakens_needs_a_reason()
    {
        using var session = new CliSession();
        session.Succeed("domain", "add", "example.com", "--level", "encrypt");
        session.Succeed("domain", "set", "example.com", "--level", "secure");

        var result = session.Run("undo", "3");

        Assert.Equal(ExitCode.Usage, result.Code);
        Assert.Contains("--reason \"why\"; nothing was changed\n  example.com: ", result.Error, StringComparison.Ordinal);
        Assert.Equal("example.com\tchange\tsecure\tencrypt\t4\n", session.Succeed("undo", "3", "--reason", "server not ready"));
    }

    [Fact]
    public void Undo_of_what_was_changed_since_is_refused_with_the_key()
    {
        using var session = new CliSession();
        session.Succeed("domain", "add", "example.com", "--level", "encrypt");
        session.Succeed("domain", "set", "example.com", "--level", "secure");

        var result = session.Run("undo", "2", "--reason", "x");

        Assert.Equal(ExitCode.Negative, result.Code);
        Assert.Equal(
            "policyctl: change 2 cannot be taken back; nothing was changed\n  example.com was changed since; see 'policyctl audit example.com'\n", result.Error);
    }

    [Fact]
    public void A_dry_run_of_undo_shows_the_answers_and_changes_nothing()
    {
        using var session = new CliSession();
        session.Succeed("domain", "add", "example.com", "--level", "encrypt");

        Assert.Equal("example.com\tremove\tencrypt\t(not configured)\t-\n", session.Succeed("undo", "2", "--dry-run"));
        Assert.NotEmpty(session.Succeed("domain", "list"));
    }

    [Fact]
    public void A_backup_is_a_store_with_the_same_history()
    {
        using var session = new CliSession();
        session.Succeed("domain", "add", "example.com", "--level", "encrypt");
        var copy = Path.Combine(session.Directory, "copy.db");

        var line = session.Succeed("backup", copy);

        Assert.StartsWith(copy + "\t", line, StringComparison.Ordinal);
        Assert.Equal(session.Succeed("audit"), session.Succeed("audit", "--database", copy));
        Assert.Contains("overwrites none", session.Run("backup", copy).Error, StringComparison.Ordinal);
    }

    private static void Alter(string database, string key)
    {
        using var connection = new SqliteConnection($"Data Source={database};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        // The table guards itself against slips; whoever means to forge removes the guard first.
        command.CommandText = "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'audit'";
        var triggers = new List<string>();
        using (var reader = command.ExecuteReader())
        {
            while (reader.Read())
                triggers.Add(reader.GetString(0));
        }

        command.CommandText = string.Concat(triggers.Select(name => $"DROP TRIGGER {name};")) + "UPDATE audit SET answer_after = 'forged' WHERE key = $key";
        command.Parameters.AddWithValue("$key", key);
        Assert.Equal(1, command.ExecuteNonQuery());
    }
}
