using PolicyDaemon.Cli.Hosting;
using Xunit;

namespace PolicyDaemon.Tests.Cli;

/// <summary>A table that is taken over in the order of its keys.</summary>
public class LargeImportTests
{
    private const int Rows = 10_100;

    // Every policy attribute that a row of this Postfix can have, names that share their first 16 octets, and keys of several forms.
    private static string Row(int number) => (number % 6) switch
    {
        0 => $"partner-{number:D5}.example fingerprint match={number:x64}|{number + 1:x64}",
        1 => $"a-long-common-beginning-{number:D5}.example secure match=mx.p{number}.example:.p{number}.example servername=hostname",
        2 => $".sub{number}.example encrypt ciphers=high protocols=>=TLSv1.2 exclude=aNULL:MD5",
        3 => $"[mx{number}.example]:587 verify tafile=/etc/ssl/{number}.pem",
        4 => $"z{number}.example dane-only",
        _ => $"bücher{number}.example secure",
    };

    private static IEnumerable<int> Numbers => Enumerable.Range(0, Rows).Select(number => number * 7919 % Rows);

    private static string Table(Func<int, string>? row = null) => string.Concat(Numbers.Select(number => (row ?? Row)(number) + "\n"));

    [Fact]
    public void Every_row_is_served_as_a_small_table_would_be_and_reported_in_the_order_of_the_keys()
    {
        using var large = new CliSession("version = 3.6");
        using var small = new CliSession("version = 3.6");

        var result = large.Run("import", large.Write("table", Table()));

        Assert.Equal(ExitCode.Done, result.Code);
        Assert.True(large.GivesWay);
        Assert.Contains("10100 entries: 10100 new,", result.Error, StringComparison.Ordinal);
        var keys = result.Out.TrimEnd('\n').Split('\n').Select(line => line.Split('\t')[0]).ToList();
        Assert.Equal(keys.Order(StringComparer.Ordinal), keys);
        Assert.Equal(Rows, keys.Count);
        var some = Enumerable.Range(0, 300).Select(Row).ToList();
        small.Succeed("import", small.Write("table", string.Concat(some.Select(row => row + "\n"))));
        var served = large.Succeed("domain", "list").Split('\n').ToHashSet();
        Assert.All(small.Succeed("domain", "list").Split('\n'), line => Assert.Contains(line, served));
        Assert.StartsWith("yes\t10101\t", large.Succeed("audit", "--verify"), StringComparison.Ordinal);
    }

    [Fact]
    public void A_dry_run_says_the_same_and_writes_nothing()
    {
        using var session = new CliSession("version = 3.6");
        session.Succeed("domain", "add", "z4.example", "--level", "encrypt");
        var before = session.Succeed("audit");
        var table = session.Write("table", Table());

        var tried = session.Run("import", "--replace", "--dry-run", table);

        Assert.Equal(ExitCode.Done, tried.Code);
        Assert.Contains("10100 entries: 10099 new, 1 changed,", tried.Error, StringComparison.Ordinal);
        Assert.Equal(before, session.Succeed("audit"));
        Assert.Equal(tried.Out.Split('\n').Length, session.Succeed("import", "--replace", table).Split('\n').Length);
    }

    [Fact]
    public void It_can_be_taken_back_and_says_nothing_new_a_second_time()
    {
        using var session = new CliSession("version = 3.6");
        var table = session.Write("table", Table());
        session.Succeed("import", table);

        Assert.Contains("0 new, 0 changed, 0 removed, 10100 as they were.", session.Run("import", table).Error, StringComparison.Ordinal);
        session.Succeed("undo", "2", "--reason", "test");

        Assert.Equal("", session.Succeed("domain", "list"));
        Assert.StartsWith("yes\t20201\t", session.Succeed("audit", "--verify"), StringComparison.Ordinal);
    }

    [Fact]
    public void What_is_refused_at_the_last_keys_takes_back_all_that_was_written_and_is_told_by_line()
    {
        using var session = new CliSession("version = 3.6");
        session.Succeed("domain", "add", "z4.example", "--level", "encrypt");
        session.Succeed("domain", "add", "z10.example", "--level", "encrypt");
        var before = session.Succeed("audit");
        var lines = Numbers.ToList();

        var result = session.Run("import", session.Write("table", Table()));

        Assert.Equal(ExitCode.Invalid, result.Code);
        var told = result.Error.Split('\n').Where(line => line.Contains("is configured already", StringComparison.Ordinal)).ToList();
        int[] expected = [lines.IndexOf(4) + 1, lines.IndexOf(10) + 1];
        Assert.Equal(expected.Order().Select(line => $"table:{line}:"), told.Select(line => line[line.IndexOf("table:", StringComparison.Ordinal)..].Split(' ')[0]));
        Assert.Equal(before, session.Succeed("audit"));
        Assert.Equal("2", session.Succeed("domain", "list").Count(character => character == '\n').ToString(System.Globalization.CultureInfo.InvariantCulture));
    }

    [Fact]
    public void Rows_below_a_parent_that_the_table_itself_weakens_are_judged_by_what_the_parent_was()
    {
        using var session = new CliSession("version = 3.6");
        session.Succeed("domain", "add", ".example", "--level", "secure", "--match", "nexthop");

        // The parent comes first in the order of the keys, and is written before its children are judged.
        var result = session.Run("import", "--replace", session.Write("table", Table(number => $"d{number}.example encrypt") + ".example may\n"));

        Assert.NotEqual(ExitCode.Done, result.Code);
        Assert.Contains("d1.example: the level of d1.example, under .example, changes from secure to encrypt", result.Error, StringComparison.Ordinal);
        Assert.Equal(1, session.Succeed("domain", "list").Count(character => character == '\n'));
    }

    [Fact]
    public void Other_forms_of_a_key_in_the_same_table_are_no_surprise_but_those_that_were_there_are()
    {
        using var session = new CliSession("version = 3.6");
        session.Succeed("domain", "add", "[z4.example]", "--level", "encrypt");

        var result = session.Run("import", session.Write("table", Table() + "[z10.example] dane-only\n"));

        Assert.Contains("z4.example: [z4.example] is configured too", result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("[z10.example] is configured too", result.Error, StringComparison.Ordinal);
    }
}
