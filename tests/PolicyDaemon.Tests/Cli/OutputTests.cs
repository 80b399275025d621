using System.Net.Sockets;
using System.Text;
using PolicyDaemon.Cli.Hosting;
using PolicyDaemon.Core.Audit;
using PolicyDaemon.Core.Destinations;
using PolicyDaemon.Core.Runtime;
using PolicyDaemon.Store;
using Xunit;

namespace PolicyDaemon.Tests.Cli;

public class OutputTests
{
    [Theory]
    [InlineData("plain, grüße, 日本", "plain, grüße, 日本")]
    [InlineData("\u001b[31mred", "\\u{001B}[31mred")]
    [InlineData("a\tb\nc\r", "a\\tb\\nc\\r")]
    [InlineData("\u202egnirts", "\\u{202E}gnirts")]
    [InlineData("zero\u200bwidth", "zero\\u{200B}width")]
    [InlineData("\u009b2J", "\\u{009B}2J")]
    public void What_people_wrote_cannot_steer_a_terminal(string text, string shown) => Assert.Equal(shown, ShownText.Escape(text));

    [Fact]
    public void A_note_with_control_characters_is_shown_escaped_everywhere()
    {
        using var session = new CliSession();
        session.Succeed("domain", "add", "a.example", "--level", "encrypt", "--note", "x\u001b[2J\ty");

        foreach (var format in (string[])["table", "tsv", "json"])
            Assert.DoesNotContain('\u001b', session.Succeed("domain", "list", "--format", format));
        Assert.Equal(11, session.Succeed("domain", "list").Split('\t').Length);
    }

    [Theory]
    [InlineData(true, "", "xterm", true)]
    [InlineData(true, "1", "xterm", false)]
    [InlineData(true, "", "dumb", false)]
    [InlineData(false, "", "xterm", false)]
    public void Colour_is_for_terminals_and_can_be_refused(bool terminal, string noColor, string term, bool coloured)
    {
        using var session = new CliSession();
        session.Succeed("domain", "add", "a.example", "--level", "encrypt");
        session.Terminal = terminal;
        session.Variables["NO_COLOR"] = noColor;
        session.Variables["TERM"] = term;

        Assert.Equal(coloured, session.Succeed("domain", "list", "--format", "table").Contains('\u001b', StringComparison.Ordinal));
        Assert.DoesNotContain('\u001b', session.Succeed("domain", "list", "--format", "table", "--no-color"));
    }

    [Fact]
    public void A_terminal_gets_a_table_and_a_pipe_gets_tabs()
    {
        using var session = new CliSession();
        session.Succeed("domain", "add", "a.example", "--level", "encrypt");

        Assert.StartsWith("a.example\tencrypt", session.Succeed("domain", "list"), StringComparison.Ordinal);
        session.Terminal = true;
        Assert.Contains("KEY", session.Succeed("domain", "list", "--no-color"), StringComparison.Ordinal);
    }

    [Fact]
    public void A_result_that_cannot_be_written_is_a_failure_and_no_crash()
    {
        using var session = new CliSession { OutOverride = new StreamWriter(new FullDisk()) };

        var result = session.Run("domain", "list", "--format", "json");

        Assert.Equal(ExitCode.Invalid, result.Code);
        Assert.Equal("policyctl: standard output: No space left on device\n", result.Error);
    }

    [Fact]
    public void A_change_that_was_made_is_not_reported_as_failed_where_its_result_cannot_be_written()
    {
        using var session = new CliSession();
        session.OutOverride = new StreamWriter(new FullDisk()) { AutoFlush = true };

        var result = session.Run("domain", "add", "a.example", "--level", "encrypt");

        Assert.Equal(ExitCode.Done, result.Code);
        Assert.Contains("it is done, but its result could not be written to standard output: No space left on device", result.Error, StringComparison.Ordinal);
        Assert.Single(session.Notes, note => note.Contains("a.example", StringComparison.Ordinal));
        session.OutOverride = null;
        Assert.StartsWith("a.example", session.Succeed("domain", "list"), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("backup")]
    [InlineData("init")]
    public void So_it_is_with_a_file_that_was_made(string verb)
    {
        using var session = new CliSession(init: verb != "init") { OutOverride = new StreamWriter(new FullDisk()) { AutoFlush = true } };
        var file = Path.Combine(session.Directory, "backup.db");

        var result = verb == "init" ? session.Run("init") : session.Run("backup", file);

        Assert.Equal(ExitCode.Done, result.Code);
        Assert.Contains("it is done", result.Error, StringComparison.Ordinal);
        Assert.True(verb == "init" ? StorePlace.Exists(session.Store) : File.Exists(file));
    }

    [Fact]
    public void A_negative_result_stays_one_where_it_cannot_be_written()
    {
        using var session = new CliSession { OutOverride = new StreamWriter(new FullDisk()) { AutoFlush = true } };

        Assert.Equal(ExitCode.Negative, session.Run("domain", "show", "a.example").Code);
        Assert.Equal(ExitCode.Invalid, session.Run("--help").Code);
    }

    private sealed class FullDisk : MemoryStream
    {
        public override void Write(byte[] buffer, int offset, int count) => throw new IOException("No space left on device");

        public override void Write(ReadOnlySpan<byte> buffer) => throw new IOException("No space left on device");
    }

    [Theory]
    [InlineData("example.com", "example.com")]
    [InlineData("[mx]:587", "'[mx]:587'")]
    [InlineData("it's", "'it'\\''s'")]
    [InlineData("", "''")]
    public void Commands_to_paste_survive_a_shell(string word, string quoted) => Assert.Equal(quoted, Shell.Quote(word));

    [Theory]
    [InlineData("4294967295", null)]
    [InlineData("", null)]
    [InlineData("1000\n", "alice")]
    [InlineData("0", "root")]
    [InlineData("4711", "uid 4711")]
    public void The_login_user_is_the_kernels_not_the_environments(string loginUid, string? user) =>
        Assert.Equal(user, ProcessActor.LoginUser(loginUid, () => ["root:x:0:0::/root:/bin/sh", "broken", "alice:x:1000:1000::/home/alice:/bin/sh"]));

    [Fact]
    public void A_change_is_one_datagram_to_the_system_log()
    {
        var directory = Directory.CreateTempSubdirectory("policyctl-").FullName;
        try
        {
            var path = Path.Combine(directory, "log");
            using var log = new Socket(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
            log.Bind(new UnixDomainSocketEndPoint(path));
            log.ReceiveTimeout = 10_000;

            new SyslogJournal(path).Note(12, new Actor("root", "alice", null), "3f9a", "domain add a.example\nforged: line");

            var buffer = new byte[2048];
            var line = Encoding.UTF8.GetString(buffer, 0, log.Receive(buffer));
            Assert.Matches("^<86>[A-Z][a-z]{2} [ 1-3][0-9] [0-9:]{8} policyctl\\[[0-9]+\\]: change=12 actor=\"alice \\(root\\)\" head=3f9a domain add a.example\\\\nforged: line$", line);
        }
        finally
        {
            Directory.Delete(directory, recursive: true);
        }
    }

    [Fact]
    public void Without_a_system_log_nothing_happens() =>
        new SyslogJournal("/nonexistent/policyctl/log").Note(1, Actor.Daemon, "00", "test");
}
