namespace PolicyDaemon.Daemon.Alerts;

/// <summary>Tells for the price of two statx(2) whether anybody wrote to the store since the last time.</summary>
internal sealed class StoreStamp
{
    private (long, long, long, long)? last;

    public bool HasChanged(string database)
    {
        var (main, log) = (new FileInfo(database), new FileInfo(database + "-wal"));
        var now = (Ticks(main), Length(main), Ticks(log), Length(log));
        var changed = last != now;
        last = now;
        return changed;
    }

    private static long Ticks(FileInfo file) => file.Exists ? file.LastWriteTimeUtc.Ticks : 0;

    private static long Length(FileInfo file) => file.Exists ? file.Length : -1;
}
