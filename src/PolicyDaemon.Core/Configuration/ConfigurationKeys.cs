namespace PolicyDaemon.Core.Configuration;

/// <summary>Every key of policydaemon.conf(5), those of [discovery], [probe] and [web] from <see cref="DiscoveryKeys"/>, <see cref="ProbeKeys"/> and <see cref="WebKeys"/>. A new key is a row here,
/// a name in <see cref="All"/>, a property in <see cref="Settings"/> and a line where it is read; src/README.md has all places.</summary>
public static class ConfigurationKeys
{
    public static readonly ConfigurationKey Socketmap = new(
        "lookup", "socketmap", "inet:127.0.0.1:8461", "where socketmap lookups are answered: inet:HOST:PORT or unix:PATH, separated by commas");

    public static readonly ConfigurationKey TcpTable = new(
        "lookup", "tcp_table", "inet:127.0.0.1:8462", "where tcp_table lookups are answered; empty for nowhere");

    public static readonly ConfigurationKey MaxConnections = new(
        "lookup", "max_connections", "4096", "how many connections are held at a time, 16 to 100000");

    public static readonly ConfigurationKey StoreEngine = new(
        "store", "engine", "sqlite", "what keeps the store: sqlite, in a file of this machine, or postgresql, on a server");

    public static readonly ConfigurationKey Database = new(
        "store", "database", "", "the store, an absolute path");

    public static readonly ConfigurationKey PostgreSql = new(
        "store", "postgresql", "", "with engine = postgresql the store's database, in the words of libpq: host=db1,db2 dbname=policydaemon");

    public static readonly ConfigurationKey Node = new(
        "store", "node", "", "what this machine is called among those that share a store on a server; default: the host's name");

    public static readonly ConfigurationKey Vantage = new(
        "store", "vantage", "default", "the machines that probe in place of one another: of those with the same word one probes");

    public static readonly ConfigurationKey Notify = new(
        "store", "notify", "no", "whether changes on a server wake policyd, which asks twice a second anyway: yes or no");

    public static readonly ConfigurationKey Snapshot = new(
        "store", "snapshot", "", "the last good snapshot, an absolute path; default: the database's with .snapshot added");

    public static readonly ConfigurationKey StatusFile = new(
        "store", "status_file", "", "what the running daemon says of itself, an absolute path; default: the database's with .status added");

    public static readonly ConfigurationKey StatusSocket = new(
        "store", "status_socket", "", "where the running daemon says how it is now, an absolute path; default: status_file with .sock added");

    public static readonly ConfigurationKey FingerprintDigest = new(
        "postfix", "fingerprint_digest", "sha256", "must equal smtp_tls_fingerprint_digest: md5, sha1, sha256 or sha512");

    public static readonly ConfigurationKey PostfixVersion = new(
        "postfix", "version", "3.4", "the oldest Postfix that asks, such as 3.7");

    public static readonly ConfigurationKey NearMiss = new(
        "postfix", "near_miss", "notfound", "how a miss is answered whose host is configured with other brackets or port: notfound or temp");

    public static readonly ConfigurationKey SecurityLevel = OfParameter(
        "smtp_tls_security_level", "security_level", "may", "what mail meets where no policy is found: none, may, encrypt, dane and so on");

    public static readonly ConfigurationKey MxAddressLimit = OfParameter(
        "smtp_mx_address_limit", "mx_address_limit", "5", "how many addresses of a destination one attempt tries; 0 for all of them");

    public static readonly ConfigurationKey InetProtocols = OfParameter(
        "inet_protocols", "inet_protocols", "all", "which addresses Postfix tries: all, ipv4 or ipv6");

    public static readonly ConfigurationKey AddressPreference = OfParameter(
        "smtp_address_preference", "address_preference", "any", "which addresses of one MX preference come first: any, ipv4 or ipv6");

    public static readonly ConfigurationKey Protocols = OfParameter(
        "smtp_tls_protocols", "protocols", ">=TLSv1", "the versions of TLS at level may");

    public static readonly ConfigurationKey MandatoryProtocols = OfParameter(
        "smtp_tls_mandatory_protocols", "mandatory_protocols", ">=TLSv1", "the versions of TLS at every other level");

    public static readonly ConfigurationKey DaneInsecureMxPolicy = OfParameter(
        "smtp_tls_dane_insecure_mx_policy", "dane_insecure_mx_policy", "dane", "what is left of dane where MX records are not signed: may, encrypt or dane");

    public static readonly ConfigurationKey NameFindings = new(
        "metrics", "name_findings", "no", "whether policyctl metrics names the open findings, destinations and all: yes or no");

    private static ConfigurationKey OfParameter(string parameter, string name, string otherwise, string meaning) =>
        new("postfix", name, otherwise, $"{parameter}, {meaning}") { Parameter = parameter };

    /// <summary>The keys that repeat a parameter of main.cf, on which forecasts of mail rest; in the order of the manual.</summary>
    public static IReadOnlyList<ConfigurationKey> OfMainCf { get; } =
        [SecurityLevel, MxAddressLimit, InetProtocols, AddressPreference, Protocols, MandatoryProtocols, DaneInsecureMxPolicy];

    public static IReadOnlyList<ConfigurationKey> All { get; } =
    [
        Socketmap, TcpTable, MaxConnections, StoreEngine, Database, PostgreSql, Node, Vantage, Notify, Snapshot, StatusFile, StatusSocket, FingerprintDigest, PostfixVersion, NearMiss, .. OfMainCf, .. DiscoveryKeys.All,
        .. ProbeKeys.All, NameFindings, .. WebKeys.All,
    ];
}

/// <summary>A key of policydaemon.conf(5).</summary>
/// <param name="Section">The section that the key stands in.</param>
/// <param name="Name">The key's name.</param>
/// <param name="Default">The value that is used where no file gives one.</param>
/// <param name="Meaning">One line for messages; the manual page has the rest.</param>
public sealed record ConfigurationKey(string Section, string Name, string Default, string Meaning)
{
    public string FullName => $"{Section}.{Name}";

    /// <summary>The parameter of main.cf that the key repeats; null where it repeats none.</summary>
    public string? Parameter { get; init; }
}
