using PolicyDaemon.EndToEnd.Lab;

namespace PolicyDaemon.EndToEnd.Stories;

/// <summary>A store that is deleted, damaged, replaced, locked or on a full disk: mail keeps its policies, and the fault is told.</summary>
[Collection(typeof(HostPostfix))]
public sealed class StoreFaultStories(HostPostfixLaboratory lab)
{
    private const string Key = "pinned.test";
    private static readonly string Pin = new('a', 64);
    private static readonly string Answer = "OK fingerprint match=" + Pin;

    [Fact]
    public async Task A_deleted_store_is_answered_for_from_the_last_good_snapshot_also_after_a_restart()
    {
        await using var policyd = await ServingAsync("deleted");
        foreach (var file in Directory.EnumerateFiles(Path.GetDirectoryName(policyd.Database)!, "policy.db*"))
        {
            if (Path.GetFileName(file) is "policy.db" or "policy.db-wal" or "policy.db-shm") File.Delete(file);
        }

        await AssertKeepsServingAsync(policyd, "store-unavailable");
    }

    [Fact]
    public async Task A_damaged_store_is_answered_for_from_the_last_good_snapshot_also_after_a_restart()
    {
        await using var policyd = await ServingAsync("damaged");
        foreach (var log in new[] { "-wal", "-shm" }) File.Delete(policyd.Database + log);
        await File.WriteAllBytesAsync(policyd.Database, [.. Enumerable.Repeat((byte)'x', 100_000)], TestContext.Current.CancellationToken);

        await AssertKeepsServingAsync(policyd, "store-");
    }

    [Fact]
    public async Task A_replaced_store_is_not_loaded_until_a_person_accepts_it()
    {
        await using var policyd = await ServingAsync("replaced");
        foreach (var log in new[] { "-wal", "-shm" }) File.Delete(policyd.Database + log);
        File.Delete(policyd.Database);
        await policyd.DoAsync("init");
        await policyd.DoAsync("domain", "add", "other.test", "--level", "encrypt");

        await AssertKeepsServingAsync(policyd, "store-replaced");
        Assert.Equal("NOTFOUND ", await policyd.AskAsync("tlspolicy", "other.test"));
        await policyd.DoAsync("store", "accept", "--reason", "restored from nothing, on purpose");
        await policyd.ServesAsync("other.test", "OK encrypt");
        Assert.Equal("NOTFOUND ", await policyd.AskAsync("tlspolicy", Key));
    }

    [Fact]
    public async Task A_locked_store_does_not_touch_lookups()
    {
        await using var policyd = await ServingAsync("locked");
        await using var holder = lab.Sandbox.Start(
            ["sqlite3", policyd.Database, "BEGIN EXCLUSIVE", ".shell echo locked", ".shell exec sleep 600"]);
        await Until.TrueAsync("the store is locked", () => Task.FromResult(holder.Said.Contains("locked", StringComparison.Ordinal)));

        Assert.Equal(Answer, await policyd.AskAsync("tlspolicy", Key));
        var refused = await policyd.CtlAsync("domain", "add", "late.test", "--level", "encrypt");
        Assert.NotEqual(0, refused.ExitCode);
        Assert.Equal(Answer, await policyd.AskAsync("tlspolicy", Key));
    }

    [Fact]
    public async Task On_a_full_disk_the_command_fails_and_the_store_stays_whole()
    {
        await using var policyd = await lab.AnotherAsync("full", 8501, storeMegabytes: 4);
        await policyd.DoAsync("domain", "add", Key, "--level", "fingerprint", "--match", Pin);
        await policyd.StartAsync();
        await policyd.ServesAsync(Key, Answer);

        var table = Path.Combine(lab.Sandbox.Folder, "full.table");
        await File.WriteAllLinesAsync(
            table, Enumerable.Range(0, 50_000).Select(n => $"d{n}.full.test secure match=mx{n}.full.test"), TestContext.Current.CancellationToken);
        var import = await policyd.CtlAsync("import", table);
        Assert.NotEqual(0, import.ExitCode);
        Assert.NotEqual("", import.Error);

        Assert.Equal(Answer, await policyd.AskAsync("tlspolicy", Key));
        Assert.Equal("NOTFOUND ", await policyd.AskAsync("tlspolicy", "d1.full.test"));
        (await policyd.CtlAsync("audit", "--verify")).Require();
        await policyd.DoAsync("domain", "add", "afterwards.test", "--level", "encrypt");
        await policyd.ServesAsync("afterwards.test", "OK encrypt");
    }

    [Theory]
    [InlineData("ro", "read-only file system")]
    [InlineData("nr_inodes", "no space left")]
    public async Task Where_no_file_can_be_made_the_daemon_starts_and_the_store_is_read(string option, string reason)
    {
        await using var policyd = await lab.AnotherAsync(option, 8501, storeMegabytes: 4);
        var store = Path.GetDirectoryName(policyd.Database)!;
        await policyd.DoAsync("domain", "add", Key, "--level", "may");
        await policyd.StartAsync();
        await policyd.ServesAsync(Key, "OK may");
        Assert.Equal(0, await policyd.StopAsync());
        // Stronger than the snapshot knows, so that the answer shows where it comes from.
        await policyd.DoAsync("domain", "set", Key, "--level", "fingerprint", "--match", Pin);
        if (option == "nr_inodes")
        {
            var used = (await lab.Sandbox.RunAsync(["df", "--output=iused", store])).Require().Split('\n')[1].Trim();
            option = $"nr_inodes={used}";
            File.Delete(Path.Combine(store, "policy.db.status"));
            await File.WriteAllTextAsync(Path.Combine(store, "last"), "", TestContext.Current.CancellationToken);
        }

        (await lab.Sandbox.RunAsync(["mount", "-o", $"remount,{option}", store])).Require();
        await policyd.StartAsync();

        Assert.Equal(Answer, await policyd.AskAsync("tlspolicy", Key));
        Assert.Contains(reason, policyd.Said, StringComparison.OrdinalIgnoreCase);
        foreach (var command in (string[][])[["export"], ["domain", "list"], ["audit"], ["status", "--all"], ["explain", Key]])
            Assert.Contains(command[0] == "status" ? "store" : Key, await policyd.DoAsync(command), StringComparison.Ordinal);
        await policyd.DoAsync("backup", Path.Combine(lab.Sandbox.Folder, $"backup of {reason}"));
        var refused = await policyd.CtlAsync("domain", "add", "late.test", "--level", "encrypt");
        Assert.Equal(5, refused.ExitCode);
        Assert.Contains(reason, refused.Error, StringComparison.Ordinal);

        (await lab.Sandbox.RunAsync(["mount", "-o", "remount,rw,nr_inodes=1000", store])).Require();
        await policyd.DoAsync("domain", "add", "late.test", "--level", "encrypt");
        await policyd.ServesAsync("late.test", "OK encrypt");
    }

    [Fact]
    public async Task Root_the_service_user_and_a_group_member_write_one_store_without_breaking_it_for_one_another()
    {
        await using var policyd = await ServingAsync("users");
        string[][] users =
        [
            [],
            ["setpriv", "--reuid=nobody", "--regid=nogroup", "--clear-groups"],
            ["setpriv", "--reuid=daemon", "--regid=daemon", "--groups=nogroup"],
        ];
        for (var turn = 0; turn < 6; turn++)
        {
            var key = $"turn{turn}.test";
            (await policyd.CtlAsAsync(users[turn % 3], "domain", "add", key, "--level", "encrypt")).Require();
            await policyd.ServesAsync(key, "OK encrypt");
            // A write-ahead log left behind by each of them in turn.
            await using var import = policyd.StartCtlAs(users[turn % 3], "import", await WriteTableAsync($"users{turn}"));
            await import.SignalAsync("KILL");
            await import.ExitAsync();
        }

        (await policyd.CtlAsync("audit", "--verify")).Require();
    }

    private async Task<string> WriteTableAsync(string name)
    {
        var file = Path.Combine(lab.Sandbox.Folder, name + ".table");
        await File.WriteAllLinesAsync(
            file, Enumerable.Range(0, 2000).Select(n => $"d{n}.{name}.test encrypt"), TestContext.Current.CancellationToken);
        return file;
    }

    private static async Task AssertKeepsServingAsync(Policyd policyd, string finding)
    {
        CommandResult? status = null;
        await Until.TrueAsync($"status tells of {finding}", async () =>
        {
            Assert.Equal(Answer, await policyd.AskAsync("tlspolicy", Key));
            status = await policyd.CtlAsync("--format", "json", "status");
            return status.Output.Contains(finding, StringComparison.Ordinal);
        }, () => $"{status}\n{policyd.Said}");

        Assert.Equal(0, await policyd.StopAsync());
        await policyd.StartAsync();
        Assert.Equal(Answer, await policyd.AskAsync("tlspolicy", Key));
    }

    private async Task<Policyd> ServingAsync(string name)
    {
        var policyd = await lab.AnotherAsync(name, 8501);
        await policyd.DoAsync("domain", "add", Key, "--level", "fingerprint", "--match", Pin);
        await policyd.StartAsync();
        await policyd.ServesAsync(Key, Answer);
        // The snapshot on disk is what a restart has.
        await Until.TrueAsync("the last good snapshot is on disk", () => Task.FromResult(File.Exists(policyd.Database + ".snapshot")));
        return policyd;
    }
}
