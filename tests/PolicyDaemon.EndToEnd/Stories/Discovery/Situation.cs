using PolicyDaemon.EndToEnd.Lab;

namespace PolicyDaemon.EndToEnd.Stories.Discovery;

/// <summary>What one domain publishes, what is to be answered for it, and what is to become of its mail.</summary>
/// <remarks>
/// <code>
/// Mx      S signed   W unsigned   0 none, signed   C signed, by an alias of the domain   c the same, unsigned
///         D no such domain   Z null MX   B the key is the host in brackets
/// Hosts   Tg10 Np20: what DNS says of the host, which server stands there, the preference
///   T usable TLSA records       N signed, without       U TLSA records, none usable       E the TLSA lookup fails
///   I unsigned                  X no address            x the address lookups fail        L the MX record names an address
///   i unsigned, and the AAAA lookup fails
///   g the right server          b another one with a certificate of its own               p the same without TLS
///   c one for whose certificate the authority vouches, though the key is another          - nobody
/// </code>
/// </remarks>
/// <param name="Row">The row of the truth table, as policydaemon(7) numbers it.</param>
/// <param name="Mx">A letter.</param>
/// <param name="Hosts">The hosts.</param>
/// <param name="Answer">What is answered where main.cf says may: not found, dane, secure or dane-only.</param>
/// <param name="Mail">What becomes of mail: sent Verified, sent Trusted, sent Untrusted, sent plain, deferred or bounced.</param>
internal sealed record Situation(string Row, string Mx, string Hosts, string Answer, string Mail)
{
    /// <summary>What becomes of mail with Debian bookworm's Postfix, where that is something else.</summary>
    public string? OldMail { get; init; }

    /// <summary>The mode of its policy of MTA-STS; null: none.</summary>
    public string? Mode { get; init; }

    /// <summary>What the policy names, where {0} is the domain; null: every MX host.</summary>
    public string? Pattern { get; init; }

    /// <summary>Set when it is published.</summary>
    public string Domain { get; private set; } = "";

    /// <summary>What Postfix asks for.</summary>
    public string Key { get; private set; } = "";

    public string User => "user@" + Domain;

    private string[] Patterns { get; set; } = [];

    /// <summary>The answer as Postfix gets it.</summary>
    public string Text => Answer switch
    {
        "not found" => "NOTFOUND ",
        "secure" => $"OK secure match={string.Join(':', Patterns.Select(pattern => pattern.TrimStart('*')))} servername=hostname",
        var level => "OK " + level,
    };

    /// <summary>Sets its records and its policy. They take effect with <see cref="LabDns.PublishAsync"/>.</summary>
    /// <returns>The names of its hosts.</returns>
    public IReadOnlyList<string> Set(SituationServers servers, string label)
    {
        var zone = "WcZ".Contains(Mx[0], StringComparison.Ordinal) ? LabDns.PlainZone : LabDns.SignedZone;
        Domain = $"{label}.{zone}";
        string[] specs = Hosts.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        var hosts = specs.Select((spec, index) => (Name: Host(spec, servers, $"mx{index + 1}.{label}"), Preference: spec[2..])).ToArray();
        Key = Mx == "B" ? $"[{hosts[0].Name}]" : Domain;
        var dns = servers.Dns;
        if (Mx is "C" or "c")
        {
            dns.Set(Domain, "CNAME", $"end.{label}.{LabDns.SignedZone}.");
            dns.Set($"end.{label}.{LabDns.SignedZone}", "MX", [.. hosts.Select(host => $"{host.Preference} {host.Name}.")]);
        }
        else if (Mx == "Z")
        {
            dns.Set(Domain, "MX", "0 .");
        }
        else if (Mx is "S" or "W")
        {
            dns.Set(Domain, "MX", [.. hosts.Select(host => $"{host.Preference} {host.Name}.")]);
        }

        Patterns = Pattern is { } pattern ? [string.Format(null, pattern, Domain)] : [.. hosts.Select(host => host.Name).Distinct()];
        if (Mode is { } mode) servers.Policies.Serve(Domain, ServedPolicy.Of(mode, Patterns));
        if (Mode is not null)
            dns.Set($"_mta-sts.{Domain}", "TXT", "\"v=STSv1; id=1;\"").Set($"mta-sts.{Domain}", "A", $"{servers.Policies.Address}");
        return [.. hosts.Select(host => host.Name)];
    }

    private string Host(string spec, SituationServers servers, string label)
    {
        var (kind, server) = (spec[0], servers[spec[1]]);
        if (kind == 'L') return $"{server!.IPv4}";
        var name = Mx == "0" ? Domain : $"{label}.{(kind is 'I' or 'i' or 'x' ? LabDns.PlainZone : LabDns.SignedZone)}";
        var tlsa = "_25._tcp." + name;
        var dns = servers.Dns;
        if (server is not null) dns.Set(name, "A", $"{server.IPv4}");
        switch (kind)
        {
            case 'T':
                dns.Set(tlsa, "TLSA", $"3 1 1 {servers.Key}");
                break;
            case 'i':
                // More than fits into 64 KiB, so that no server can answer.
                dns.Set(name, "AAAA", [.. Enumerable.Range(1, 2500).Select(number => $"2001:db8:ffff::{number:x}")]);
                break;
            case 'U':
                dns.Set(tlsa, "TLSA", $"1 1 1 {servers.Key}");
                break;
            case 'E':
                dns.Set(tlsa, "NS", SituationServers.SilentNameServer);
                break;
            case 'x':
                dns.Set(name, "NS", SituationServers.SilentNameServer);
                break;
            case 'X':
                dns.Set(name, "TXT", "\"nothing\"");
                break;
        }

        return name;
    }
}
