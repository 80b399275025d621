using System.Text;
using PolicyDaemon.Core.Policies;
using PolicyDaemon.Core.Tables;
using PolicyDaemon.Tests.Core.Policies;
using Xunit;

namespace PolicyDaemon.Tests.Core.Tables;

public class PolicyTableReaderTests
{
    [Fact]
    public void Comments_and_empty_lines_do_not_end_a_logical_line()
    {
        var table = Table.Read("a.example\n# between\n\n   \n\t# indented\n  secure\n\tservername=hostname\nb.example may\n");

        Assert.Equal(["a.example", "b.example"], table.Rows.Select(row => row.Key.Text));
        Assert.Equal("hostname", table.Rows[0].Policy.ServerName);
        Assert.Equal([1, 8], table.Items.Where(item => item.Kind == TableItemKind.Row).Select(item => item.Line));
    }

    [Theory]
    [InlineData("a.example may")]
    [InlineData("a.example\tmay\r\n")]
    [InlineData("a.example   may   \n\n# end")]
    [InlineData("A.Example MAY\n")]
    [InlineData("\n\n#\na.example\n\tmay")]
    [InlineData("\uFEFFa.example may\n")]
    [InlineData("a.example\u00a0may\n")]
    [InlineData("a.example\n\u00a0may\n")]
    [InlineData("a.example ,may,\n")]
    public void A_row_is_read_in_every_way_it_may_be_written(string source)
    {
        var table = Table.Read(source);

        Assert.Empty(table.Problems);
        Assert.Equal((TlsLevel.May, "a.example"), (Assert.Single(table.Rows).Policy.Level, table.Rows[0].Key.Text));
    }

    [Fact]
    public void Pins_may_be_written_in_every_way_Postfix_reads()
    {
        var upper = Entries.Sha256B.ToUpperInvariant();
        var colons = string.Join(':', Enumerable.Repeat("CC", 32));
        var table = Table.Read($"a.example fingerprint\n  match={Entries.Sha256A}|{upper}\n  MATCH={colons} ciphers=high\n");

        Assert.Empty(table.Problems);
        Assert.Equal([Entries.Sha256A, Entries.Sha256B, new string('c', 64)], table.Rows[0].Pins.Select(pin => pin.Fingerprint.Hex));
        Assert.Equal("high", table.Rows[0].Policy.Ciphers);
    }

    [Theory] // the number is of the physical line with the fault, not of the row
    [InlineData("a.example may\nb.example\n", "2: b.example has no policy")]
    [InlineData("a.example halfdane\n", "1: a.example: 'halfdane' is no TLS security level")]
    [InlineData("a.example\n  encrypt\n# c\n  cipher=high\n", "4: a.example (of line 1): 'cipher' is no attribute")]
    [InlineData("a.example encrypt ciphers = high\n", "1: a.example: 'ciphers' is no attribute: the '=' is missing")]
    [InlineData("a.example fingerprint\n match=zz\n", "2: a.example (of line 1): 'zz' is not hexadecimal")]
    [InlineData("a.example fingerprint\n", "1: a.example: level fingerprint has no pins")]
    [InlineData("a.example encrypt\n match=x.example\n", "2: a.example (of line 1): match is not legal at level encrypt")]
    [InlineData("a.example secure match=a:b|c\n", "1: a.example: match: 'b|c' is no name to match")]
    [InlineData("a..example may\n", "1: 'a..example' is not a next-hop destination")]
    [InlineData("*.example may\n", "1: '*.example' is not a next-hop destination")]
    [InlineData("a.example: may\n", "1: 'a.example:' is not a next-hop destination")]
    [InlineData("\"a.example\" may\n", "1: Postfix keeps the quotes")]
    [InlineData("  a.example may\n", "1: it begins with a blank and there is no line before it")]
    [InlineData("a.example may\nA.EXAMPLE. encrypt\n", "2: a.example stands in line 1 already")]
    [InlineData("[a.example]:submission may\n[a.example]:587 encrypt\n", "2: [a.example]:587 stands in line 1 already")]
    [InlineData("a.example may\u0000\n", "1: it contains a NUL character")]
    [InlineData("a.example secure { servername = hostname }\n", "1: a.example: '{' is no attribute")]
    public void A_bad_line_is_reported_with_its_number(string source, string problem)
    {
        var problems = Table.Read(source).Problems;

        Assert.Contains(problems, found => found.StartsWith(problem, StringComparison.Ordinal));
    }

    [Fact]
    public void Every_bad_line_is_reported_not_only_the_first()
    {
        var table = Table.Read("a.example x\nb.example may\nc.example y\nd.example encrypt match=m ciphers=n\n");

        Assert.Equal(["1", "3", "4", "4"], table.Problems.Select(problem => problem.Split(':')[0]));
    }

    [Fact]
    public void The_same_policy_in_another_spelling_of_a_port_is_one_entry()
    {
        var table = Table.Read("[a.example]:587 may\n[a.example]:submission may\n");

        Assert.Empty(table.Problems);
        Assert.Single(table.Rows);
        Assert.StartsWith("2: [a.example]:587 stands in line 1 already, with the same policy", Assert.Single(table.Warnings), StringComparison.Ordinal);
    }

    [Fact]
    public void A_latin_1_no_break_space_is_a_blank_and_other_latin_1_is_refused()
    {
        var blank = Table.Read(Encoding.Latin1.GetBytes("a.example\u00a0may\nb.example may\n"));
        var umlaut = Table.Read(Encoding.Latin1.GetBytes("münchen.example may\nb.example may\n"));

        Assert.Empty(blank.Problems);
        Assert.Equal(2, blank.Rows.Count);
        Assert.StartsWith("1: it is not UTF-8", Assert.Single(umlaut.Problems), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("a.example secure match=m.example\n match=n.example:o.example", "m.example,n.example,o.example")]
    [InlineData("a.example secure servername=hostname match=NextHop:DOT-nexthop,ciphers=high", "nexthop,dot-nexthop")]
    public void Names_add_up_in_any_order_of_attributes(string source, string names) =>
        Assert.Equal(names.Split(','), Table.Read(source).Rows[0].Policy.Match);

    [Fact]
    public void A_dot_key_is_not_warned_about_where_its_bare_form_has_a_row()
    {
        Assert.Empty(Table.Read(".a.example may\na.example may\n").Warnings);
        Assert.StartsWith("2: .b.example answers for subdomains only", Assert.Single(Table.Read("a.example may\n.b.example may\n").Warnings), StringComparison.Ordinal);
    }

    [Fact]
    public void Warnings_about_every_row_of_a_large_table_are_cut_and_counted()
    {
        var warnings = Table.Read(string.Concat(Enumerable.Range(0, 1000).Select(row => $".d{row}.example\u00a0may\n"))).Warnings;

        Assert.Equal(10 + 1 + 100 + 1, warnings.Count);
        Assert.Contains("0: 1000 rows in all have no-break spaces; the first 10 are named", warnings);
        Assert.StartsWith("0: 1000 rows in all answer for subdomains only", warnings[^1], StringComparison.Ordinal);
    }

    [Fact]
    public void A_line_beyond_the_limit_is_a_problem_and_the_next_line_is_read()
    {
        var table = Table.Read($"a.example secure match={new string('a', LogicalLineReader.MaxLine)}\nb.example may\n");

        Assert.StartsWith("1: the line is longer than", Assert.Single(table.Problems), StringComparison.Ordinal);
        Assert.Equal("b.example", Assert.Single(table.Rows).Key.Text);
    }

    [Fact]
    public void Continuations_beyond_the_limit_are_one_problem()
    {
        var source = "a.example secure\n" + string.Concat(Enumerable.Repeat($"  match={new string('a', 1000)}\n", 1100)) + "b.example may\n";

        Assert.Contains("longer than", Assert.Single(Table.Read(source).Problems), StringComparison.Ordinal);
    }

    [Fact]
    public void A_table_is_read_as_a_stream()
    {
        using var endless = new EndlessTable();

        Assert.Equal(1000, PolicyTableReader.Read(endless, Table.Options(Entries.Sha256)).Take(1000).Count(item => item.Kind == TableItemKind.Row));
    }

    [Fact]
    public void Random_bytes_never_throw()
    {
        var random = new Random(20261123);
        const string alphabet = "a.:[]\n \t#=,|{}\"\\\u00a0ü0fsecurmatchmay";
        for (var round = 0; round < 2000; round++)
        {
            var bytes = new byte[random.Next(200)];
            random.NextBytes(bytes);
            Assert.NotNull(Table.Read(bytes).Items);
            Assert.NotNull(Table.Read(new string(random.GetItems<char>(alphabet, random.Next(200)))).Items);
        }
    }

    /// <summary><c>d0.example may</c>, <c>d1.example may</c>, and so on for ever.</summary>
    private sealed class EndlessTable : Stream
    {
        private int row;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override int Read(byte[] buffer, int offset, int count) => Encoding.ASCII.GetBytes($"d{row++}.example may\n", buffer.AsSpan(offset, count));

        public override void Flush() => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
