namespace PolicyDaemon.Core.Configuration;

/// <summary>Every key of policydaemon.conf(5), those of [probe] from <see cref="ProbeKeys"/>. A new key is a row here, a property in <see cref="Settings"/> and a line where it is read.</summary>
public static class ConfigurationKeys
{
    public static readonly ConfigurationKey Socketmap = new(
        "lookup", "socketmap", "inet:127.0.0.1:8461", "where socketmap lookups are answered: inet:HOST:PORT or unix:PATH, separated by commas");

    public static readonly ConfigurationKey TcpTable = new(
        "lookup", "tcp_table", "inet:127.0.0.1:8462", "where tcp_table lookups are answered; empty for nowhere");

    public static readonly ConfigurationKey MaxConnections = new(
        "lookup", "max_connections", "4096", "how many connections are held at a time, 16 to 100000");

    public static readonly ConfigurationKey Database = new(
        "store", "database", "", "the store, an absolute path");

    public static readonly ConfigurationKey Snapshot = new(
        "store", "snapshot", "", "the last good snapshot, an absolute path; default: the database's with .snapshot added");

    public static readonly ConfigurationKey StatusFile = new(
        "store", "status_file", "", "what the running daemon says of itself, an absolute path; default: the database's with .status added");

    public static readonly ConfigurationKey FingerprintDigest = new(
        "postfix", "fingerprint_digest", "sha256", "must equal smtp_tls_fingerprint_digest: md5, sha1, sha256 or sha512");

    public static readonly ConfigurationKey PostfixVersion = new(
        "postfix", "version", "3.4", "the oldest Postfix that asks, such as 3.7");

    public static readonly ConfigurationKey NearMiss = new(
        "postfix", "near_miss", "notfound", "how a miss is answered whose host is configured with other brackets or port: notfound or temp");

    public static IReadOnlyList<ConfigurationKey> All { get; } =
        [Socketmap, TcpTable, MaxConnections, Database, Snapshot, StatusFile, FingerprintDigest, PostfixVersion, NearMiss, .. ProbeKeys.All];
}

/// <summary>A key of policydaemon.conf(5).</summary>
/// <param name="Section">The section that the key stands in.</param>
/// <param name="Name">The key's name.</param>
/// <param name="Default">The value that is used where no file gives one.</param>
/// <param name="Meaning">One line for messages; the manual page has the rest.</param>
public sealed record ConfigurationKey(string Section, string Name, string Default, string Meaning)
{
    public string FullName => $"{Section}.{Name}";
}
