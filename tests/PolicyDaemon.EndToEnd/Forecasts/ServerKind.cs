namespace PolicyDaemon.EndToEnd.Forecasts;

/// <summary>A kind of destination: its DNS records, and the servers that they lead to.</summary>
internal sealed class ServerKind(string group, string name, string zone, KindBook book)
{
    private readonly List<(string Name, string Type, string Data)> _records = [];
    private readonly List<(int Preference, string Host)> _mx = [];

    /// <summary>What it is a case of.</summary>
    public string Group => group;

    public string Name => name;

    public string Domain => $"{name}.{zone}";

    /// <summary>The usual name of its mail server.</summary>
    public string Host => "mx." + Domain;

    /// <summary>The next-hop destination, which is the lookup key; the domain unless a route says otherwise.</summary>
    public string Key { get; private set; } = $"{name}.{zone}";

    /// <summary>Servers that are to be run.</summary>
    public List<MailServer> Servers { get; } = [];

    /// <summary>Why the tool cannot tell, where it truly cannot: chance decides, or the resolver fails; null: it must tell.</summary>
    public string? CannotBeTold { get; private set; }

    /// <summary>DNS records, as a zone file has them.</summary>
    public IEnumerable<(string Name, string Type, string[] Data)> Records => _records
        .Concat(_mx.Select(mx => (Domain, "MX", $"{mx.Preference} {mx.Host}.")))
        .GroupBy(record => (record.Item1, record.Item2))
        .Select(set => (set.Key.Item1, set.Key.Item2, set.Select(record => record.Item3).ToArray()));

    /// <summary>The pins of every certificate that it may show.</summary>
    public IReadOnlyList<string> Pins =>
    [
        .. Servers.SelectMany(server => server.Tls is null ? [] : server.Tls.Certificates.Concat(server.Tls.Sni.Values))
            .Select(certificate => certificate.Pin).Distinct(),
    ];

    /// <summary>A record of any name in the laboratory's zones.</summary>
    public ServerKind Dns(string name, string type, string data)
    {
        _records.Add((name, type, data));
        return this;
    }

    /// <summary>A TLSA record of the MX host, or of another name.</summary>
    public ServerKind Tlsa(string data, string? host = null, int port = 25) => Dns($"_{port}._tcp.{host ?? Host}", "TLSA", data);

    /// <summary>An MX record.</summary>
    public ServerKind Mx(string host, int preference = 10)
    {
        _mx.Add((preference, host));
        return this;
    }

    /// <summary>A server at a new address, which becomes the address of a host.</summary>
    public ServerKind Address(string host, MailServer server)
    {
        var address = book.NextIPv4();
        Servers.Add(server.At([address]));
        return Dns(host, "A", address.ToString());
    }

    /// <summary>The same with an IPv6 address.</summary>
    public ServerKind AddressV6(string host, MailServer server)
    {
        var address = book.NextIPv6();
        Servers.Add(server.At([address]));
        return Dns(host, "AAAA", address.ToString());
    }

    /// <summary>An address where nothing listens (or, for a dead one, nothing answers).</summary>
    public ServerKind NobodyAt(string host, bool isDead = false) => Dns(host, "A", (isDead ? KindBook.Dead : book.NextIPv4()).ToString());

    /// <summary>An MX host with one server.</summary>
    public ServerKind Server(MailServer server, string? host = null, int preference = 10) =>
        Mx(host ?? Host, preference).Address(host ?? Host, server);

    /// <summary>Mail goes to this next hop, as a transport table would have it.</summary>
    public ServerKind Route(string nextHop)
    {
        Key = nextHop;
        return this;
    }

    /// <summary>The tool may say that it cannot tell.</summary>
    public ServerKind Untold(string why)
    {
        CannotBeTold = why;
        return this;
    }
}
