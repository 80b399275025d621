namespace PolicyDaemon.Core.Configuration;

/// <summary>The keys of <c>[probe]</c>; see <see cref="ConfigurationKeys"/>.</summary>
public static class ProbeKeys
{
    public static readonly ConfigurationKey Enabled = Key("enabled", "yes", "whether the daemon probes: yes or no");

    public static readonly ConfigurationKey Resolver = Key(
        "resolver", "", "DNS resolvers to ask, ADDRESS or ADDRESS:PORT, separated by commas; default: the system's");

    public static readonly ConfigurationKey ResolverTrusted = Key(
        "resolver_trusted", "no", "yes: the resolver validates and the way to it is safe; its AD bit counts after a self-test");

    public static readonly ConfigurationKey DnssecTestSecure = Key(
        "dnssec_test_secure", "", "a name that must come back secure; default: a well-known one");

    public static readonly ConfigurationKey DnssecTestBogus = Key(
        "dnssec_test_bogus", "", "a name that must come back bogus, or none; default: a well-known one");

    public static readonly ConfigurationKey CaFile = Key(
        "ca_file", "", "trust anchors in PEM, an absolute path; default: the system's");

    public static readonly ConfigurationKey PrivateAddresses = Key(
        "private_addresses", "no", "yes: probe MX hosts on loopback, private and link-local addresses");

    public static readonly ConfigurationKey HeloName = Key(
        "helo_name", "", "the name in EHLO, as Postfix's smtp_helo_name; default: the host's name");

    public static readonly ConfigurationKey BindAddress = Key(
        "bind_address", "", "the IPv4 address that probes come from, as Postfix's smtp_bind_address");

    public static readonly ConfigurationKey BindAddress6 = Key(
        "bind_address6", "", "the IPv6 address that probes come from, as Postfix's smtp_bind_address6");

    public static readonly ConfigurationKey Interval = Key("interval", "24h", "how often each destination is probed");

    public static readonly ConfigurationKey RenewalInterval = Key(
        "renewal_interval", "1h", "how often from two thirds of a certificate's life");

    public static readonly ConfigurationKey CandidateInterval = Key(
        "candidate_interval", "4h", "how often while a new key waits to be trusted");

    public static readonly ConfigurationKey BackOff = Key(
        "back_off", "15m", "how long after a failure; doubles with each further one, up to interval");

    public static readonly ConfigurationKey LookupStaleness = Key(
        "lookup_staleness", "5m", "a lookup of a pinned key whose last probe is older makes one due");

    public static readonly ConfigurationKey AddressSpacing = Key(
        "address_spacing", "1m", "the time between two probes of one address");

    public static readonly ConfigurationKey ProviderSpacing = Key(
        "provider_spacing", "1s", "the time between two probes of one provider: an IPv4 /24 or an IPv6 /48");

    public static readonly ConfigurationKey MaxConnections = Key(
        "max_smtp_connections", "64", "connections to mail servers at a time, 1 to 1024");

    public static readonly ConfigurationKey MaxDestinations = Key(
        "max_destinations", "128", "destinations probed at a time, 1 to 4096");

    public static readonly ConfigurationKey ProbesPerSecond = Key(
        "probes_per_second", "600", "destinations whose probe begins in a second at most, 1 to 10000");

    public static readonly ConfigurationKey DnsTimeout = Key("dns_timeout", "10s", "how long one DNS question may take");

    public static readonly ConfigurationKey ConnectTimeout = Key(
        "connect_timeout", "30s", "how long a connection may take, as Postfix's smtp_connect_timeout");

    public static readonly ConfigurationKey ReplyTimeout = Key(
        "reply_timeout", "1m", "how long the greeting and each reply may take");

    public static readonly ConfigurationKey HandshakeTimeout = Key(
        "handshake_timeout", "30s", "how long the TLS handshake may take, as Postfix's smtp_starttls_timeout");

    public static readonly ConfigurationKey HoldDown = Key(
        "hold_down", "24h", "mode auto: how long a publicly trusted certificate must have been seen before it is followed");

    public static readonly ConfigurationKey HoldDownProbes = Key("hold_down_probes", "3", "mode auto: in how many probes, 2 to 100");

    public static readonly ConfigurationKey RetireAfter = Key(
        "retire_after", "48h", "how long every address must have shown another pinned key before a pin retires");

    public static readonly ConfigurationKey RetireAfterProbes = Key(
        "retire_after_probes", "3", "and in how many probes of each, 2 to 100");

    public static readonly ConfigurationKey RetireGrace = Key(
        "retire_grace", "14d", "how long a retiring pin is still served after it was last seen");

    public static readonly ConfigurationKey StandbyExpiry = Key(
        "standby_expiry", "30d", "how long an announced key is served that nobody presents, and a new key nobody trusts is remembered");

    public static readonly ConfigurationKey EvidenceWait = Key(
        "evidence_wait", "15m", "how long DANE evidence waits at most for the brake to see first");

    public static readonly ConfigurationKey BrakeWindow = Key("brake_window", "24h", "how long the brake stays set");

    public static readonly ConfigurationKey BrakePercent = Key(
        "brake_percent", "10", "new keys at more than this part of the MX hosts probed within an hour set the brake, 1 to 100");

    public static readonly ConfigurationKey BrakeAtLeast = Key(
        "brake_least", "5", "new keys at fewer MX hosts than this never set the brake, 2 to 1000");

    public static readonly ConfigurationKey AlertCommand = Key(
        "alert_command", "", "a program run for each finding, an absolute path and arguments");

    public static readonly ConfigurationKey AlertSocket = Key(
        "alert_socket", "", "where systemd runs the program outside the daemon's sandbox, the path of policyd-alert.socket");

    public static readonly ConfigurationKey AlertTimeout = Key(
        "alert_timeout", "30s", "how long the program, or one attempt at the webhook, may take");

    public static readonly ConfigurationKey AlertWebhook = Key("alert_webhook", "", "a URL that each finding is posted to as JSON");

    public static readonly ConfigurationKey AlertEscalation = Key(
        "alert_escalation", "4h, 24h, 72h", "when an open finding is said again, separated by commas; empty for never");

    public static IReadOnlyList<ConfigurationKey> All { get; } =
    [
        Enabled, Resolver, ResolverTrusted, DnssecTestSecure, DnssecTestBogus, CaFile, PrivateAddresses, HeloName, BindAddress,
        BindAddress6, Interval, RenewalInterval, CandidateInterval, BackOff, LookupStaleness, AddressSpacing, ProviderSpacing,
        MaxConnections, MaxDestinations, ProbesPerSecond, DnsTimeout, ConnectTimeout, ReplyTimeout, HandshakeTimeout, HoldDown, HoldDownProbes,
        RetireAfter, RetireAfterProbes, RetireGrace, StandbyExpiry, EvidenceWait, BrakeWindow, BrakePercent, BrakeAtLeast,
        AlertCommand, AlertSocket, AlertTimeout, AlertWebhook, AlertEscalation,
    ];

    private static ConfigurationKey Key(string name, string otherwise, string meaning) => new("probe", name, otherwise, meaning);
}
