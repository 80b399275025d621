namespace PolicyDaemon.Store.Documents;

/// <summary>Conversions between times and the store's whole seconds since 1970 UTC.</summary>
internal static class UnixTime
{
    internal static long Seconds(this DateTimeOffset at) => at.ToUnixTimeSeconds();

    internal static DateTimeOffset Whole(this DateTimeOffset at) => DateTimeOffset.FromUnixTimeSeconds(at.ToUnixTimeSeconds());

    internal static DateTimeOffset Time(this long seconds) => DateTimeOffset.FromUnixTimeSeconds(seconds);
}
