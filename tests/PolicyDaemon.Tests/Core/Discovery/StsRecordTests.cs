using PolicyDaemon.Core.Discovery;
using Xunit;

namespace PolicyDaemon.Tests.Core.Discovery;

public sealed class StsRecordTests
{
    [Theory]
    [InlineData("as in the RFC", "v=STSv1; id=20160831085700Z;", "20160831085700Z")]
    [InlineData("no blank, no last semicolon", "v=STSv1;id=a", "a")]
    [InlineData("a blank before the semicolon (erratum 6285)", "v=STSv1 ; id=a", "a")]
    [InlineData("tabs around the semicolon", "v=STSv1\t;\tid=a\t;\t", "a")]
    [InlineData("a blank behind the last semicolon", "v=STSv1; id=a; ", "a")]
    [InlineData("an unknown field before", "v=STSv1; future=x; id=b1;", "b1")]
    [InlineData("an unknown field behind", "v=STSv1; id=b1; a-b_c.9=x:/y", "b1")]
    [InlineData("32 digits", "v=STSv1; id=12345678901234567890123456789012", "12345678901234567890123456789012")]
    [InlineData("of two ids the first", "v=STSv1; id=1; id=2", "1")]
    [InlineData("the second id need not be one", "v=STSv1; id=1; id=--", "1")]
    [InlineData("the longest name of a field", "v=STSv1; a2345678901234567890123456789012=x; id=1", "1")]
    [InlineData("another letter case is another field", "v=STSv1; ID=x; id=1", "1")]
    public void A_record_is_read(string name, string text, string id)
    {
        Assert.True(StsRecord.TryParse(text, out var record, out var reason), $"{name}: {reason}");
        Assert.Equal(id, record.Id);
        Assert.Equal(new StsRecordReading(StsRecordState.Valid, record, null), StsRecord.Read([text]));
    }

    [Theory]
    [InlineData("no field at all", "v=STSv1;")]
    [InlineData("no id", "v=STSv1; future=x;")]
    [InlineData("an empty id", "v=STSv1; id=;")]
    [InlineData("a hyphen in the id", "v=STSv1; id=with-hyphen")]
    [InlineData("the first id is wrong", "v=STSv1; id=-; id=1")]
    [InlineData("33 digits", "v=STSv1; id=123456789012345678901234567890123")]
    [InlineData("two semicolons", "v=STSv1;; id=1")]
    [InlineData("two semicolons at the end", "v=STSv1; id=1;;")]
    [InlineData("two semicolons with a blank between", "v=STSv1; id=1; ;")]
    [InlineData("a blank at the end, without a semicolon", "v=STSv1; id=1 ")]
    [InlineData("blanks around the equals sign", "v=STSv1; id = 1")]
    [InlineData("a blank in a value", "v=STSv1; id=1; x=a b")]
    [InlineData("an equals sign in a value", "v=STSv1; id=1; x=a=b")]
    [InlineData("a field without a value", "v=STSv1; id=1; x=")]
    [InlineData("a field without a name", "v=STSv1; id=1; =x")]
    [InlineData("a field that is neither", "v=STSv1; id=1; x")]
    [InlineData("a name that begins with a hyphen", "v=STSv1; id=1; -x=1")]
    [InlineData("a name with 33 characters", "v=STSv1; id=1; a23456789012345678901234567890123=x")]
    [InlineData("a letter outside ASCII", "v=STSv1; id=1; x=\u00e9")]
    [InlineData("a letter outside ASCII in the id", "v=STSv1; id=\u0661")]
    [InlineData("a line feed between fields", "v=STSv1;\nid=1")]
    public void A_record_that_means_to_be_one_and_is_wrong_is_broken(string name, string text)
    {
        Assert.False(StsRecord.TryParse(text, out _, out _), name);
        var reading = StsRecord.Read([text]);
        Assert.Equal(StsRecordState.Broken, reading.State);
        Assert.NotNull(reading.Problem);
    }

    [Theory]
    [InlineData("another purpose", "v=spf1 -all")]
    [InlineData("another letter case", "V=STSv1; id=1")]
    [InlineData("another version", "v=STSv10; id=1")]
    [InlineData("a blank before", " v=STSv1; id=1")]
    [InlineData("no semicolon", "v=STSv1")]
    [InlineData("a blank in its place", "v=STSv1 id=1")]
    [InlineData("nothing", "")]
    public void Other_TXT_records_are_discarded_and_not_counted(string name, string text)
    {
        Assert.True(StsRecordState.Absent == StsRecord.Read([text]).State, name);
        Assert.Equal("7", StsRecord.Read([text, "v=STSv1; id=7"]).Record?.Id);
    }

    [Fact]
    public void Without_any_record_there_is_none() => Assert.Equal(StsRecordState.Absent, StsRecord.Read([]).State);

    [Theory]
    [InlineData("two", "v=STSv1; id=1", "v=STSv1; id=2")]
    [InlineData("the same twice", "v=STSv1; id=1", "v=STSv1; id=1")]
    [InlineData("one of them wrong", "v=STSv1; id=1", "v=STSv1;")]
    [InlineData("both with a blank before the semicolon", "v=STSv1 ; id=1", "v=STSv1 ; id=2")]
    public void More_than_one_record_is_published_and_broken(string name, string one, string other)
    {
        var reading = StsRecord.Read([one, other]);
        Assert.True(reading.State == StsRecordState.Broken, name);
        Assert.Contains("2 _mta-sts records", reading.Problem, StringComparison.Ordinal);
    }

    [Fact]
    public void A_record_that_begins_as_the_text_asks_is_not_hidden_by_one_that_only_the_grammar_allows() =>
        Assert.Equal("1", StsRecord.Read(["v=STSv1 ; id=2", "v=STSv1; id=1"]).Record?.Id);
}
