using System.IO.Pipes;
using Microsoft.Data.Sqlite;
using PolicyDaemon.Store.Engines;
using PolicyDaemon.Store.Engines.Sqlite;
using PolicyDaemon.Store.Faults;
using PolicyDaemon.Tests.Support;
using Xunit;
using static PolicyDaemon.Tests.Store.TemporaryStore;

namespace PolicyDaemon.Tests.Store;

[Trait(Engine.Name, Engine.Sqlite)]
public sealed class ReadingFaultTests
{
    // sqlite3.h: what SQLite also makes of an EIO while it reads.
    private static readonly SqliteException Corrupt = new("database disk image is malformed", 11);

    [Fact]
    public void A_store_that_is_whole_is_not_called_damaged()
    {
        using var temporary = new TemporaryStore();
        using var session = temporary.OpenSession(StoreAccess.Read);

        var fault = session.FaultOf(Corrupt);

        Assert.Equal(StoreFault.Unavailable, fault.Kind);
        Assert.Contains("kernel's log", fault.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("backup", fault.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Damage_is_called_so()
    {
        using var temporary = new TemporaryStore();
        temporary.Put([.. Enumerable.Range(0, 200).Select(i => Secure($"d{i}.example", new string('n', 200)))]);
        using (var file = new FileStream(temporary.Path, FileMode.Open, FileAccess.Write))
        {
            file.Position = file.Length * 3 / 4;
            file.Write(new byte[8192]);
        }

        using var store = temporary.Open(StoreAccess.Read);
        var fault = Assert.Throws<StoreException>(() =>
        {
            store.CheckIntegrity();
        });

        Assert.Equal(StoreFault.Damaged, fault.Kind);
        Assert.Contains("restore a backup", fault.Message, StringComparison.Ordinal);
    }

    /// <summary>Number after number becomes the store's, then a pipe's, then nobody's.</summary>
    [Fact]
    public async Task Descriptors_that_change_hands_are_no_fault_of_the_store()
    {
        using var temporary = new TemporaryStore(create: false);
        await File.WriteAllTextAsync(temporary.Path, "no database", TestContext.Current.CancellationToken);
        using var stop = new CancellationTokenSource();
        var changing = Task.Run(
            () =>
            {
                while (!stop.IsCancellationRequested)
                {
                    File.OpenHandle(temporary.Path).Dispose();
                    new AnonymousPipeServerStream().Dispose();
                }
            },
            TestContext.Current.CancellationToken);

        try
        {
            for (var turn = 0; turn < 500; turn++)
                Assert.Equal(StoreFault.Damaged, ReadingFault.Judge(temporary.Path, "file is not a database", Corrupt, null).Kind);
        }
        finally
        {
            await stop.CancelAsync();
            await changing;
        }
    }

    [Fact]
    public void A_store_that_nobody_changes_is_read_whatever_its_name()
    {
        using var temporary = new TemporaryStore();
        temporary.Put(Secure("example.com"));
        var path = Path.Combine(temporary.Directory, "100%25 a?b#c.db");
        File.Move(temporary.Path, path);

        using var connection = SqliteSession.Connect(path, StoreAccess.Read, TimeSpan.FromSeconds(1), immutable: true);
        using var command = connection.CreateCommand();
        command.CommandText = "SELECT count(*) FROM destination";

        Assert.Equal(1L, command.ExecuteScalar());
        Assert.Equal([path], Directory.GetFiles(temporary.Directory));
    }
}
