using PolicyDaemon.Core.Configuration;
using Xunit;

namespace PolicyDaemon.Tests.Core.Configuration;

public class PostgreSqlWordsTests
{
    [Theory]
    [InlineData("dbname=policydaemon", "dbname=policydaemon")]
    [InlineData("  host = db1,db2 port=5432  dbname= p user=mx7 ", "dbname=p host=db1,db2 port=5432 user=mx7")]
    [InlineData(@"dbname='a b\'c\\d' sslmode=verify-full", @"dbname=a b'c\d sslmode=verify-full")]
    [InlineData(@"dbname=a\ b", "dbname=a b")]
    public void Words_are_read_as_libpq_reads_them(string text, string read)
    {
        Assert.True(PostgreSqlWords.TryParse(text, out var words, out var reason), reason);
        Assert.Equal(read, string.Join(' ', words.OrderBy(word => word.Key, StringComparer.Ordinal).Select(word => $"{word.Key}={word.Value}")));
    }

    [Theory]
    [InlineData("", "dbname=NAME")]
    [InlineData("host=db1", "dbname=NAME")]
    [InlineData("dbname=p password=secret", "passfile=FILE")]
    [InlineData("dbname=p sslmode=prefer", "verify-full")]
    [InlineData("dbname=p options=-cgeqo=off", "'options' is not understood")]
    [InlineData("dbname=p dbname=q", "given twice")]
    [InlineData("dbname='p", "no closing quote")]
    [InlineData("dbname=", "has no value")]
    [InlineData("dbname", "has no =")]
    [InlineData("postgresql://db1/p", "a URI is not understood")]
    [InlineData("dbname=p port=0", "1 to 65535")]
    [InlineData("dbname=p port=5432,x", "1 to 65535")]
    [InlineData("dbname=p passfile=pgpass", "absolute path")]
    [InlineData("dbname=p connect_timeout=0", "1 to 300")]
    [InlineData("dbname=p target_session_attrs=master", "prefer-standby")]
    public void What_cannot_be_used_says_why(string text, string why)
    {
        Assert.False(PostgreSqlWords.TryParse(text, out _, out var reason));
        Assert.Contains(why, reason, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", reason, StringComparison.Ordinal);
    }

    [Fact]
    public void A_store_on_a_server_keeps_its_companions_on_this_machine()
    {
        var settings = SettingsReader.TryParse("[store]\nengine = postgresql\ndatabase = /a/b.db\npostgresql = host=db1 dbname=p\n")!;

        Assert.True(settings.IsOnServer);
        Assert.Equal(("postgresql:host=db1 dbname=p", "/a", "/a/b.db.snapshot", "/a/b.db.status"), (settings.Database, settings.Directory, settings.Snapshot, settings.StatusFile));
        Assert.Equal("/a/b.db", SettingsReader.TryParse("[store]\ndatabase = /a/b.db\npostgresql = host=db1 dbname=p\n")!.Database);
    }

    [Theory]
    [InlineData("engine = postgresql", "store.engine", "on which server")]
    [InlineData("engine = mysql", "store.engine", "neither sqlite nor postgresql")]
    [InlineData("postgresql = host=db1", "store.postgresql", "dbname=NAME")]
    public void What_is_wrong_is_said_with_the_key(string line, string key, string why)
    {
        var error = Assert.Throws<ConfigurationException>(() => SettingsReader.Parse("x.conf", System.Text.Encoding.UTF8.GetBytes($"[store]\n{line}\n")));

        Assert.Contains("x.conf:2", error.Message, StringComparison.Ordinal);
        Assert.Contains(key, error.Message, StringComparison.Ordinal);
        Assert.Contains(why, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Another_database_on_the_command_line_has_its_own_companions()
    {
        var file = Path.GetTempFileName();
        try
        {
            File.WriteAllText(file, "[store]\ndatabase = /a/b.db\nsnapshot = /a/s\nstatus_file = /a/t\n");
            var one = SettingsReader.Load(file, "postgresql:dbname=p");
            var other = SettingsReader.Load(file, "postgresql:dbname=q");

            Assert.Equal("postgresql:dbname=p", one.Database);
            Assert.NotEqual("/a/s", one.Snapshot);
            Assert.NotEqual(one.Snapshot, other.Snapshot);
            Assert.Throws<ConfigurationException>(() => SettingsReader.Load(file, "postgresql:host=db1"));
        }
        finally
        {
            File.Delete(file);
        }
    }
}
