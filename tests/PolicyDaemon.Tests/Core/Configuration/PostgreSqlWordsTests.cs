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

    /// <summary>A store on a server has nothing beside it: the files are those of this machine's daemon, whatever words name the store.</summary>
    [Fact]
    public void A_store_on_a_server_that_the_command_line_names_leaves_the_daemon_its_files()
    {
        var file = Path.GetTempFileName();
        try
        {
            File.WriteAllText(file, "[store]\ndatabase = /a/b.db\nsnapshot = /a/s\nstatus_file = /a/t\n");
            var settings = SettingsReader.Load(file, "postgresql:dbname=p");

            Assert.Equal(("postgresql:dbname=p", "/a/s", "/a/t", "/a/t.sock"), (settings.Database, settings.Snapshot, settings.StatusFile, settings.StatusSocket));
            Assert.Equal("/a/b.db", settings.OfMachine!.Database);
            Assert.Throws<ConfigurationException>(() => SettingsReader.Load(file, "postgresql:host=db1"));
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Theory]
    [InlineData("host=db1 dbname=p user=mx1", "dbname=p user=alice host=db1 sslmode=disable", true)]
    [InlineData("host=db1,db2 dbname=p", "host=db2 dbname=p port=5432", true)]
    [InlineData("dbname=p", "dbname=p user=x", true)]
    [InlineData("host=db1,db2 port=1,2 dbname=p", "host=db2 port=2 dbname=p", true)]
    [InlineData("host=db1,db2 port=1,2 dbname=p", "host=db2 port=1 dbname=p", false)]
    [InlineData("host=db1 dbname=p", "host=db1 dbname=q", false)]
    [InlineData("host=db1 dbname=p", "host=db3 dbname=p", false)]
    [InlineData("dbname=p", "host=db1 dbname=p", false)]
    public void Other_words_may_name_the_same_place(string one, string other, bool isSame)
    {
        Assert.Equal(isSame, PostgreSqlWords.NameSamePlace("postgresql:" + one, "postgresql:" + other));
        Assert.False(PostgreSqlWords.NameSamePlace("postgresql:" + one, "/a/b.db"));
    }
}
