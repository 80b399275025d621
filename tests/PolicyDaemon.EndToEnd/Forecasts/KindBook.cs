using System.Net;
using PolicyDaemon.EndToEnd.Lab;

namespace PolicyDaemon.EndToEnd.Forecasts;

/// <summary>Every kind of server that forecasts are tried on.</summary>
internal sealed class KindBook
{
    /// <summary>An address of the receiving side's network that no host has: connecting to it ends in "no route to host".</summary>
    public static readonly IPAddress Dead = IPAddress.Parse("192.0.2.250");

    /// <summary>The networks of the servers (TEST-NET-2 and TEST-NET-3, RFC 5737, and one that nobody uses any more, RFC 7526), and one for IPv6 (RFC 3849).</summary>
    public static readonly string[] Networks = ["198.51.100.0/24", "203.0.113.0/24", "192.88.99.0/24", "2001:db8:99::/64"];

    private List<ServerKind> _kinds = [];
    private int _addresses;

    private KindBook(CertificateForge forge) => Forge = forge;

    public CertificateForge Forge { get; }

    public IReadOnlyList<ServerKind> All => _kinds;

    /// <param name="forge">Makes the certificates.</param>
    /// <param name="folder">For files of the servers.</param>
    /// <param name="seed">Draws the kinds instead of listing them.</param>
    public static async Task<KindBook> WriteAsync(CertificateForge forge, string folder, int? seed)
    {
        var book = new KindBook(forge);
        if (seed is { } drawn)
        {
            new Kinds.Drawn(book, drawn).Write();
            return book;
        }

        Kinds.Names.Write(book);
        Kinds.Chains.Write(book);
        Kinds.Extensions.Write(book);
        await Kinds.Keys.WriteAsync(book);
        await Kinds.TlsVersions.WriteAsync(book, folder);
        Kinds.Dane.Write(book);
        Kinds.DaneAliases.Write(book);
        Kinds.Routes.Write(book);
        Kinds.Dialogues.Write(book);
        Kinds.Dns.Write(book);
        return book;
    }

    /// <summary>Leaves out the others.</summary>
    public void Keep(Func<ServerKind, bool> wanted) => _kinds = [.. _kinds.Where(wanted)];

    /// <summary>A kind below the zone without DNSSEC.</summary>
    public ServerKind Plain(string group, string name) => Add(group, name, LabDns.PlainZone);

    /// <summary>A kind below the signed zone.</summary>
    public ServerKind Signed(string group, string name) => Add(group, name, LabDns.SignedZone);

    /// <summary>A kind below the zone that does not validate.</summary>
    public ServerKind Bogus(string group, string name) => Add(group, name, LabDns.BogusZone);

    public IPAddress NextIPv4()
    {
        var number = ++_addresses;
        return number switch
        {
            < 255 => new IPAddress([198, 51, 100, (byte)number]),
            < 509 => new IPAddress([203, 0, 113, (byte)(number - 254)]),
            _ => new IPAddress([192, 88, 99, checked((byte)(number - 508))]),
        };
    }

    public IPAddress NextIPv6() => IPAddress.Parse($"2001:db8:99::{++_addresses:x}");

    private ServerKind Add(string group, string name, string zone)
    {
        var kind = new ServerKind(group, name, zone, this);
        if (_kinds.Any(other => other.Domain == kind.Domain)) throw new ArgumentException($"{kind.Domain} is there already", nameof(name));
        _kinds.Add(kind);
        return kind;
    }
}
