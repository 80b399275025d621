using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Tables;
using PolicyDaemon.Tests.Core.Policies;
using Xunit;

namespace PolicyDaemon.Tests.Core.Tables;

/// <summary>The table with which this began, byte for byte as its page carries it: no-break spaces, continuations, SHA-1 pins, leading dots.</summary>
public class SeedTableTests
{
    private static readonly byte[] Seed = File.ReadAllBytes(Path.Combine(AppContext.BaseDirectory, "Data", "seed-table"));

    private static readonly string[] Answers =
    [
        ".ferraro.net fingerprint match=adf3c3682bce8ddaa383ac84f65b52e0b488cd9b",
        ".sami-lehtinen.net fingerprint match=0916545ecbb37f0be473646069aa4f72004f0f1c",
        ".sigmatic.fi secure",
        ".upcloud.com secure",
        ".gmail.com encrypt",
        ".trashmail.net encrypt",
    ];

    [Fact]
    public void It_still_has_the_bytes_of_the_page() => Assert.Contains((byte)0xa0, Seed);

    [Fact]
    public void Every_row_is_answered_where_Postfix_compares_SHA_1()
    {
        var table = Table.Read(Seed, Table.Options(Entries.Sha1));

        Assert.Empty(table.Problems);
        Assert.Equal(Answers, table.Rows.Select(row => $"{row.Key} {PolicyText.Answer(row, Entries.Sha1, MapName.TlsPolicy).Text}"));
    }

    [Fact]
    public void No_break_spaces_and_missing_bare_domains_are_said()
    {
        var warnings = Table.Read(Seed, Table.Options(Entries.Sha1)).Warnings;

        Assert.Equal(6, warnings.Count(warning => warning.Contains("no-break spaces", StringComparison.Ordinal)));
        Assert.Equal(6, warnings.Count(warning => warning.Contains("--with-apex", StringComparison.Ordinal)));
        Assert.Contains(warnings, warning => warning.StartsWith("4: no-break", StringComparison.Ordinal));
    }

    [Fact]
    public void Under_SHA_256_the_pinned_rows_are_refused_with_the_ways_out()
    {
        var problems = Table.Read(Seed, Table.Options(Entries.Sha256)).Problems;

        Assert.Equal(["1", "3"], problems.Select(problem => problem.Split(':')[0]));
        Assert.All(problems, problem =>
        {
            Assert.Contains("--probe", problem, StringComparison.Ordinal);
            Assert.Contains("--unservable observe", problem, StringComparison.Ordinal);
        });
    }

    [Fact]
    public void Under_SHA_256_the_pinned_rows_can_be_observed()
    {
        var table = Table.Read(Seed, Table.Options(Entries.Sha256) with { Unservable = UnservableRows.Observe });

        Assert.Empty(table.Problems);
        Assert.Equal([true, true, false, false, false, false], table.Rows.Select(row => row.Observe));
        Assert.Equal(2, table.Warnings.Count(warning => warning.Contains("imported as observed", StringComparison.Ordinal)));
    }

    [Fact]
    public void With_apex_adds_the_bare_domains()
    {
        var table = Table.Read(Seed, Table.Options(Entries.Sha1) with { WithApex = true });

        Assert.Equal(12, table.Rows.Count);
        Assert.Contains(table.Rows, row => row.Key.Text == "ferraro.net" && row.Pins.Length == 1);
        Assert.DoesNotContain(table.Warnings, warning => warning.Contains("--with-apex", StringComparison.Ordinal));
    }
}
