using PolicyDaemon.Cli.Hosting;
using PolicyDaemon.Tests.Support;
using Xunit;

namespace PolicyDaemon.Tests.Cli;

public class ImportTests
{
    private static readonly string Seed = Repository.Path("tests", "PolicyDaemon.Tests", "Data", "seed-table");

    [Fact]
    public void What_would_be_imported_after_a_dry_run_names_the_reason_that_it_takes()
    {
        using var session = new CliSession();
        session.Succeed("domain", "add", "e.example", "--level", "encrypt");
        var file = session.Write("table", "e.example may\n");

        var preview = session.Run("import", "--dry-run", "--replace", file);

        Assert.EndsWith($"Next: policyctl import --replace {file} --reason \"why\"\n", preview.Out + preview.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("--reason \"why\"", session.Run("import", "--dry-run", "--replace", file, "--reason", "moved").Error, StringComparison.Ordinal);
        session.Succeed("import", "--replace", file, "--reason", "why");
    }

    [Fact]
    public void Several_problems_of_one_row_are_no_rows()
    {
        using var session = new CliSession { Input = "a.example encrypt xx=1 yy=2 zz=3\n" };

        Assert.Contains("(3 times in line 1)", session.Run("import", "-").Error, StringComparison.Ordinal);
    }

    [Fact]
    public void The_table_of_the_page_is_served_where_postfix_compares_sha1()
    {
        using var session = new CliSession("fingerprint_digest = sha1");

        var result = session.Run("import", Seed);

        Assert.Equal(ExitCode.Done, result.Code);
        Assert.Equal(
            """
            .ferraro.net	add	(not configured)	fingerprint match=adf3c3682bce8ddaa383ac84f65b52e0b488cd9b	2
            .sami-lehtinen.net	add	(not configured)	fingerprint match=0916545ecbb37f0be473646069aa4f72004f0f1c	2
            .sigmatic.fi	add	(not configured)	secure	2
            .upcloud.com	add	(not configured)	secure	2
            .gmail.com	add	(not configured)	encrypt	2
            .trashmail.net	add	(not configured)	encrypt	2

            """, result.Out);
        Assert.Contains("seed-table:1: no-break spaces (U+00A0) are read as blanks", result.Error, StringComparison.Ordinal);
        Assert.Contains("--with-apex adds it", result.Error, StringComparison.Ordinal);
        Assert.Contains("6 entries: 6 new, 0 changed, 0 removed, 0 as they were.", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_no_text_is_one_error_without_warnings()
    {
        using var session = new CliSession { Input = "a.example\u00a0may\nnot a row\nb.example\u00a0may\0\nc.example\u00a0may\0\n" };

        var result = session.Run("import", "-");

        Assert.Equal(
            "policyctl: -:3: it contains a NUL character; this is no text file. Name the table's source, as given to postmap, not what postmap makes of it; nothing was changed\n",
            result.Error);
        Assert.Equal(ExitCode.Invalid, result.Code);
    }

    [Fact]
    public void A_row_without_a_pin_is_mended_in_its_table()
    {
        using var session = new CliSession { Input = "a.example fingerprint\n" };

        Assert.Contains("-:1: a.example: level fingerprint has no pins; write match=FINGERPRINT behind the level\n", session.Run("import", "-").Error, StringComparison.Ordinal);
    }

    [Fact]
    public void A_cause_is_said_once_with_the_lines_that_have_it_and_verbosely_for_each()
    {
        using var session = new CliSession { Input = "ok.example may\n" + string.Concat(Enumerable.Range(0, 200).Select(i => $"d{i}.example fingerprnt\n")) };

        var once = session.Run("import", "-");
        var each = session.Run("import", "-", "--verbose");

        Assert.Equal(ExitCode.Invalid, once.Code);
        Assert.Equal(2, once.Error.Count(character => character == '\n'));
        Assert.Contains("-:2: d0.example: 'fingerprnt' is no TLS security level", once.Error, StringComparison.Ordinal);
        Assert.EndsWith("(200 rows: lines 2-201)\n", once.Error, StringComparison.Ordinal);
        Assert.Equal(201, each.Error.Count(character => character == '\n'));
        Assert.Contains("-:201: d199.example: 'fingerprnt'", each.Error, StringComparison.Ordinal);
    }

    /// <summary>Another kind of file, of which some line happens to be a row: what each line has in the place of a level differs, and what that is near to.</summary>
    [Fact]
    public void A_cause_is_one_whatever_stands_there_and_whatever_was_perhaps_meant()
    {
        using var session = new CliSession { Input = "ok.example may\na.example encript\nb.example secur\nc.example mai\nd.example /bin/bash\ne.example verfy\nlocalhost verfy\n" };

        var result = session.Run("import", "-");

        Assert.Equal(2, result.Error.Count(character => character == '\n'));
        Assert.Contains("-:2: a.example: 'encript' is no TLS security level", result.Error, StringComparison.Ordinal);
        Assert.EndsWith("(6 rows: lines 2-7)\n", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void The_table_of_the_page_is_remarked_in_a_few_lines()
    {
        using var session = new CliSession();

        var result = session.Run("import", Seed, "--unservable", "observe");

        Assert.InRange(result.Error.Split('\n').Count(line => line.Contains("warning", StringComparison.Ordinal)), 1, 7);
        Assert.Contains("(6 rows: lines 1, 3, 5-8)", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_no_table_is_one_message()
    {
        using var session = new CliSession { Input = string.Concat(Enumerable.Range(0, 27).Select(i => $"user{i}:x:{i}:{i}::/home/user{i}:/bin/sh\n")) };

        var result = session.Run("import", "-");

        Assert.Equal(ExitCode.Invalid, result.Code);
        Assert.StartsWith("policyctl: -: this is no Postfix TLS policy table, none of its 27 lines is a row of one; nothing was changed. The first: -:1: ", result.Error, StringComparison.Ordinal);
        Assert.Single(result.Error.TrimEnd().Split('\n'));
    }

    [Fact]
    public void A_directory_is_no_table_to_import()
    {
        using var session = new CliSession();

        var result = session.Run("import", session.Directory);

        Assert.StartsWith($"policyctl: {session.Directory}: a directory; name a file in it: the table's source, as given to postmap", result.Error, StringComparison.Ordinal);
        Assert.Equal(ExitCode.Invalid, result.Code);
    }

    [Fact]
    public void With_apex_the_bare_domains_are_served_too()
    {
        using var session = new CliSession("fingerprint_digest = sha1");

        var result = session.Run("import", "--with-apex", Seed);

        Assert.Equal(12, result.Out.Count(character => character == '\n'));
        Assert.DoesNotContain("subdomains only", result.Error, StringComparison.Ordinal);
        Assert.Contains("answer\tfingerprint match=adf3c3682bce8ddaa383ac84f65b52e0b488cd9b\n", session.Succeed("domain", "show", "ferraro.net"), StringComparison.Ordinal);
    }

    [Fact]
    public void Under_sha256_the_table_of_the_page_is_refused_with_the_ways_out_and_nothing_is_imported()
    {
        using var session = new CliSession();

        var result = session.Run("import", Seed);

        Assert.Equal(ExitCode.Invalid, result.Code);
        Assert.Contains($"policyctl: {Seed} cannot be imported as it is, it has 2 problems; nothing was changed\n  {Seed}:1: .ferraro.net: ", result.Error, StringComparison.Ordinal);
        Assert.Contains(": every pin is in another digest than sha256, which Postfix compares; --probe carries over", result.Error, StringComparison.Ordinal);
        Assert.Contains("(2 rows: lines 1, 3)", result.Error, StringComparison.Ordinal);
        Assert.Contains("--unservable observe", result.Error, StringComparison.Ordinal);
        Assert.Empty(session.Succeed("domain", "list"));
    }

    [Fact]
    public void Under_sha256_rows_that_cannot_be_served_can_be_kept_as_observed()
    {
        using var session = new CliSession();

        var result = session.Run("import", Seed, "--unservable", "observe");

        Assert.Equal(ExitCode.Done, result.Code);
        Assert.Matches(
            "[0-9]+ entries are only observed, not enforced: Postfix is told nothing of them. None of them has a pin in sha256 that could be served; a probe carries over what the servers show: policyctl probe --all; to enforce one that has: policyctl domain set KEY --enforce\n",
            result.Error);
        Assert.Contains(".ferraro.net\tfingerprint\t0/1\tobserved\t", session.Succeed("domain", "list"), StringComparison.Ordinal);
        Assert.Contains(".sigmatic.fi\tsecure\t-\tyes\t", session.Succeed("domain", "list"), StringComparison.Ordinal);
    }

    [Fact]
    public void A_dry_run_reads_everything_and_changes_nothing()
    {
        using var session = new CliSession("fingerprint_digest = sha1");

        var result = session.Run("import", "--dry-run", Seed, "--format", "table");

        Assert.Contains(".gmail.com  (new)\n  before  (not configured)\n  after   encrypt\n", result.Out, StringComparison.Ordinal);
        Assert.Contains("Nothing was changed (--dry-run).", result.Out, StringComparison.Ordinal);
        Assert.Empty(session.Succeed("domain", "list"));
    }

    [Fact]
    public void What_main_cf_says_and_standard_input_are_taken_too()
    {
        using var session = new CliSession();
        var table = session.Write("tls_policy", "a.example encrypt\n");
        session.Succeed("import", "hash:" + table);
        session.Input = "b.example secure\n";
        session.Succeed("import", "-");

        Assert.Equal(["a.example", "b.example"], session.Succeed("domain", "list").Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => line.Split('\t')[0]));
    }

    [Fact]
    public void The_same_table_again_changes_nothing()
    {
        using var session = new CliSession("fingerprint_digest = sha1");
        session.Succeed("import", Seed);
        session.Time.Advance(TimeSpan.FromHours(1));

        var result = session.Run("import", Seed);

        Assert.Equal(ExitCode.Done, result.Code);
        Assert.Contains("6 as they were", result.Error, StringComparison.Ordinal);
        Assert.Equal(7, session.Succeed("audit").Count(character => character == '\n'));
    }

    [Fact]
    public void A_row_for_a_configured_key_is_refused_unless_it_may_replace_it()
    {
        using var session = new CliSession();
        session.Succeed("domain", "add", "example.com", "--level", "encrypt", "--note", "ours");
        var table = session.Write("tls_policy", $"example.com fingerprint match={CliSession.Pin}\n");

        var refused = session.Run("import", table);
        session.Succeed("import", "--replace", table, "--reason", "pins from the partner");

        Assert.Equal(ExitCode.Invalid, refused.Code);
        Assert.Contains($"{table}:1: example.com is configured already", refused.Error, StringComparison.Ordinal);
        var show = session.Succeed("domain", "show", "example.com");
        Assert.Contains($"answer\tfingerprint match={CliSession.Pin}\n", show, StringComparison.Ordinal);
        Assert.Contains("note\tours\n", show, StringComparison.Ordinal);
    }

    [Fact]
    public void A_replacing_row_retires_the_pins_that_it_lacks()
    {
        using var session = new CliSession();
        session.Succeed("domain", "add", "example.com", "--level", "fingerprint", "--match", CliSession.Pin);
        var table = session.Write("tls_policy", $"example.com fingerprint match={CliSession.OtherPin}\n");

        session.Succeed("import", "--replace", table, "--reason", "pins from the partner");

        Assert.Contains($"answer\tfingerprint match={CliSession.OtherPin}\n", session.Succeed("domain", "show", "example.com"), StringComparison.Ordinal);
    }

    [Fact]
    public void A_warning_about_many_rows_is_said_once()
    {
        using var session = new CliSession();
        var table = session.Write("tls_policy", string.Concat(Enumerable.Range(0, 500).Select(i => $"d{i}.example secure\n")));

        var result = session.Run("import", table);

        Assert.Equal(ExitCode.Done, result.Code);
        Assert.Contains("d0.example and 499 more: ", result.Error, StringComparison.Ordinal);
        Assert.True(result.Error.Count(character => character == '\n') < 6, result.Error);
    }

    [Fact]
    public void A_warning_about_a_few_rows_is_said_once_and_names_them()
    {
        using var session = new CliSession();
        var table = session.Write("tls_policy", "a.example secure\nb.example secure\nc.example secure\n");

        var warnings = session.Run("import", table, "--dry-run").Error.Split('\n').Where(line => line.StartsWith("policyctl: warning: ", StringComparison.Ordinal)).ToList();

        Assert.StartsWith(
            $"policyctl: warning: {table}:1: a.example, {table}:2: b.example and {table}:3: c.example: level secure without servername sends no SNI ", Assert.Single(warnings), StringComparison.Ordinal);
    }

    [Fact]
    public void Verbose_says_of_every_row_what_many_have_in_common()
    {
        using var session = new CliSession();
        var table = session.Write("tls_policy", string.Concat(Enumerable.Range(0, 20).Select(i => $"d{i}.example secure\n")));

        var result = session.Run("import", table, "--dry-run", "--verbose");

        Assert.Equal(20, result.Error.Split('\n').Count(line => line.Contains("level secure without servername sends no SNI", StringComparison.Ordinal)));
        Assert.Contains($"policyctl: warning: {table}:20: d19.example: level", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void An_exported_table_can_be_imported_and_gives_the_same_answers()
    {
        using var session = new CliSession("fingerprint_digest = sha1");
        session.Succeed("import", Seed);
        var file = Path.Combine(session.Directory, "exported");
        session.Succeed("export", file);
        using var other = new CliSession("fingerprint_digest = sha1");
        other.Succeed("import", file);

        Assert.Equal(session.Succeed("export"), other.Succeed("export"));
        Assert.Equal(session.Succeed("domain", "list"), other.Succeed("domain", "list"));
    }
}
